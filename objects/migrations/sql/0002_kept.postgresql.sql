CREATE FUNCTION objects_object_keep() RETURNS trigger LANGUAGE plpgsql AS $keep$
DECLARE
  changed jsonb := '{}'::jsonb;
  moved boolean := false;
  words text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.created_at := clock_timestamp();
    NEW.updated_at := NEW.created_at;
    NEW.version := 1;
    NEW.field_versions := '{}'::jsonb;
    NEW.feed_position := pg_current_xact_id()::text::bigint;
    IF pg_trigger_depth() < 2 THEN
      NEW.visits_count := 0;
      NEW.last_visit_at := NULL;
    END IF;
    words := coalesce(NEW.address, '') || ' ' || coalesce((SELECT name FROM territory_city WHERE id = NEW.city_id), '') || ' ' || coalesce((SELECT name FROM territory_district WHERE id = NEW.district_id), '') || ' ' || coalesce(NEW.contact_name, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
    IF (length(trim(NEW.address)) < 5) THEN
      RAISE EXCEPTION 'refused by objects_object_address_too_short' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_address_too_short', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.district_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM territory_district t WHERE t.id = NEW.district_id AND t.city_id = NEW.city_id)) THEN
      RAISE EXCEPTION 'refused by objects_object_district_in_city' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_district_in_city', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.responsible_user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users_user t WHERE t.id = NEW.responsible_user_id AND t.is_active)) THEN
      RAISE EXCEPTION 'refused by objects_object_responsible_active' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_responsible_active', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.contact_phone IS NOT NULL AND NEW.contact_phone !~ '^\+[1-9][0-9]{6,14}$') THEN
      RAISE EXCEPTION 'refused by objects_object_contact_phone_e164' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_contact_phone_e164', TABLE = TG_TABLE_NAME;
    END IF;
    IF (jsonb_typeof(NEW.tags) <> 'array' OR jsonb_path_exists(NEW.tags, '$[*] ? (@.type() != "string")')) THEN
      RAISE EXCEPTION 'refused by objects_object_tags_are_strings' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_tags_are_strings', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
  END IF;
  NEW.created_at := OLD.created_at;
  IF pg_trigger_depth() < 2 THEN
    NEW.visits_count := OLD.visits_count;
    NEW.last_visit_at := OLD.last_visit_at;
  END IF;
  IF NEW.type IS DISTINCT FROM OLD.type THEN
    changed := changed || jsonb_build_object('type', OLD.version + 1);
  END IF;
  IF NEW.address IS DISTINCT FROM OLD.address THEN
    changed := changed || jsonb_build_object('address', OLD.version + 1);
  END IF;
  IF NEW.city_id IS DISTINCT FROM OLD.city_id THEN
    changed := changed || jsonb_build_object('city_id', OLD.version + 1);
  END IF;
  IF NEW.district_id IS DISTINCT FROM OLD.district_id THEN
    changed := changed || jsonb_build_object('district_id', OLD.version + 1);
  END IF;
  IF NEW.gps_lat IS DISTINCT FROM OLD.gps_lat THEN
    changed := changed || jsonb_build_object('gps_lat', OLD.version + 1);
  END IF;
  IF NEW.gps_lng IS DISTINCT FROM OLD.gps_lng THEN
    changed := changed || jsonb_build_object('gps_lng', OLD.version + 1);
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status THEN
    changed := changed || jsonb_build_object('status', OLD.version + 1);
  END IF;
  IF NEW.tags IS DISTINCT FROM OLD.tags THEN
    changed := changed || jsonb_build_object('tags', OLD.version + 1);
  END IF;
  IF NEW.responsible_user_id IS DISTINCT FROM OLD.responsible_user_id THEN
    changed := changed || jsonb_build_object('responsible_user_id', OLD.version + 1);
  END IF;
  IF NEW.contact_name IS DISTINCT FROM OLD.contact_name THEN
    changed := changed || jsonb_build_object('contact_name', OLD.version + 1);
  END IF;
  IF NEW.contact_phone IS DISTINCT FROM OLD.contact_phone THEN
    changed := changed || jsonb_build_object('contact_phone', OLD.version + 1);
  END IF;
  IF changed <> '{}'::jsonb THEN
    moved := true;
    NEW.version := OLD.version + 1;
    NEW.field_versions := OLD.field_versions || changed;
  ELSE
    moved := NEW.deleted_at IS DISTINCT FROM OLD.deleted_at OR NEW.deletion_id IS DISTINCT FROM OLD.deletion_id OR NEW.visits_count IS DISTINCT FROM OLD.visits_count OR NEW.last_visit_at IS DISTINCT FROM OLD.last_visit_at OR NEW.created_by_id IS DISTINCT FROM OLD.created_by_id OR NEW.updated_by_id IS DISTINCT FROM OLD.updated_by_id;
    NEW.version := OLD.version;
    NEW.field_versions := OLD.field_versions;
  END IF;
  IF moved OR NEW.feed_position = -1 THEN
    NEW.feed_position := pg_current_xact_id()::text::bigint;
  ELSE
    NEW.feed_position := OLD.feed_position;
  END IF;
  IF moved THEN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
  ELSE
    NEW.updated_at := OLD.updated_at;
  END IF;
  IF NEW.address IS DISTINCT FROM OLD.address OR NEW.city_id IS DISTINCT FROM OLD.city_id OR NEW.district_id IS DISTINCT FROM OLD.district_id OR NEW.contact_name IS DISTINCT FROM OLD.contact_name OR NEW.search_text IS DISTINCT FROM OLD.search_text THEN
    words := coalesce(NEW.address, '') || ' ' || coalesce((SELECT name FROM territory_city WHERE id = NEW.city_id), '') || ' ' || coalesce((SELECT name FROM territory_district WHERE id = NEW.district_id), '') || ' ' || coalesce(NEW.contact_name, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
  END IF;
    IF (NEW.address IS DISTINCT FROM OLD.address) AND (length(trim(NEW.address)) < 5) THEN
      RAISE EXCEPTION 'refused by objects_object_address_too_short' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_address_too_short', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.city_id IS DISTINCT FROM OLD.city_id OR NEW.district_id IS DISTINCT FROM OLD.district_id) AND (NEW.district_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM territory_district t WHERE t.id = NEW.district_id AND t.city_id = NEW.city_id)) THEN
      RAISE EXCEPTION 'refused by objects_object_district_in_city' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_district_in_city', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.responsible_user_id IS DISTINCT FROM OLD.responsible_user_id) AND (NEW.responsible_user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM users_user t WHERE t.id = NEW.responsible_user_id AND t.is_active)) THEN
      RAISE EXCEPTION 'refused by objects_object_responsible_active' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_responsible_active', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.contact_phone IS DISTINCT FROM OLD.contact_phone) AND (NEW.contact_phone IS NOT NULL AND NEW.contact_phone !~ '^\+[1-9][0-9]{6,14}$') THEN
      RAISE EXCEPTION 'refused by objects_object_contact_phone_e164' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_contact_phone_e164', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.tags IS DISTINCT FROM OLD.tags) AND (jsonb_typeof(NEW.tags) <> 'array' OR jsonb_path_exists(NEW.tags, '$[*] ? (@.type() != "string")')) THEN
      RAISE EXCEPTION 'refused by objects_object_tags_are_strings' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_object_tags_are_strings', TABLE = TG_TABLE_NAME;
    END IF;
  RETURN NEW;
END $keep$;
CREATE TRIGGER objects_object_keep BEFORE INSERT OR UPDATE ON objects_object
  FOR EACH ROW EXECUTE FUNCTION objects_object_keep();

-- end of statement
CREATE FUNCTION objects_unit_keep() RETURNS trigger LANGUAGE plpgsql AS $keep$
DECLARE
  changed jsonb := '{}'::jsonb;
  moved boolean := false;
  words text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.created_at := clock_timestamp();
    NEW.updated_at := NEW.created_at;
    NEW.version := 1;
    NEW.field_versions := '{}'::jsonb;
    NEW.feed_position := pg_current_xact_id()::text::bigint;
    words := coalesce(NEW.unit_number, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
    IF (NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM objects_object o WHERE o.id = NEW.object_id AND o.deleted_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'refused by objects_unit_object_live' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_unit_object_live', TABLE = TG_TABLE_NAME;
    END IF;
    IF (trim(NEW.unit_number) = '') THEN
      RAISE EXCEPTION 'refused by objects_unit_number_blank' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_unit_number_blank', TABLE = TG_TABLE_NAME;
    END IF;
    IF (jsonb_typeof(NEW.attributes) <> 'object') THEN
      RAISE EXCEPTION 'refused by objects_unit_attributes_object' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_unit_attributes_object', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
  END IF;
  NEW.created_at := OLD.created_at;
  IF NEW.object_id IS DISTINCT FROM OLD.object_id THEN
    changed := changed || jsonb_build_object('object_id', OLD.version + 1);
  END IF;
  IF NEW.unit_number IS DISTINCT FROM OLD.unit_number THEN
    changed := changed || jsonb_build_object('unit_number', OLD.version + 1);
  END IF;
  IF NEW.floor IS DISTINCT FROM OLD.floor THEN
    changed := changed || jsonb_build_object('floor', OLD.version + 1);
  END IF;
  IF NEW.entrance IS DISTINCT FROM OLD.entrance THEN
    changed := changed || jsonb_build_object('entrance', OLD.version + 1);
  END IF;
  IF NEW.attributes IS DISTINCT FROM OLD.attributes THEN
    changed := changed || jsonb_build_object('attributes', OLD.version + 1);
  END IF;
  IF changed <> '{}'::jsonb THEN
    moved := true;
    NEW.version := OLD.version + 1;
    NEW.field_versions := OLD.field_versions || changed;
  ELSE
    moved := NEW.deleted_at IS DISTINCT FROM OLD.deleted_at OR NEW.deletion_id IS DISTINCT FROM OLD.deletion_id;
    NEW.version := OLD.version;
    NEW.field_versions := OLD.field_versions;
  END IF;
  IF moved OR NEW.feed_position = -1 THEN
    NEW.feed_position := pg_current_xact_id()::text::bigint;
  ELSE
    NEW.feed_position := OLD.feed_position;
  END IF;
  IF moved THEN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
  ELSE
    NEW.updated_at := OLD.updated_at;
  END IF;
  IF NEW.unit_number IS DISTINCT FROM OLD.unit_number OR NEW.search_text IS DISTINCT FROM OLD.search_text THEN
    words := coalesce(NEW.unit_number, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
  END IF;
    IF (NEW.object_id IS DISTINCT FROM OLD.object_id) AND (true) THEN
      RAISE EXCEPTION 'refused by objects_unit_object_stays' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_unit_object_stays', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.deleted_at IS DISTINCT FROM OLD.deleted_at) AND (NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM objects_object o WHERE o.id = NEW.object_id AND o.deleted_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'refused by objects_unit_object_live' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_unit_object_live', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.unit_number IS DISTINCT FROM OLD.unit_number) AND (trim(NEW.unit_number) = '') THEN
      RAISE EXCEPTION 'refused by objects_unit_number_blank' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_unit_number_blank', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.attributes IS DISTINCT FROM OLD.attributes) AND (jsonb_typeof(NEW.attributes) <> 'object') THEN
      RAISE EXCEPTION 'refused by objects_unit_attributes_object' USING ERRCODE = '23514',
        CONSTRAINT = 'objects_unit_attributes_object', TABLE = TG_TABLE_NAME;
    END IF;
  RETURN NEW;
END $keep$;
CREATE TRIGGER objects_unit_keep BEFORE INSERT OR UPDATE ON objects_unit
  FOR EACH ROW EXECUTE FUNCTION objects_unit_keep();

-- end of statement
CREATE FUNCTION objects_access_responsibility() RETURNS trigger LANGUAGE plpgsql AS $ledger$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.responsible_user_id IS NOT NULL THEN
    UPDATE objects_objectaccess a SET responsible = false, feed_position =
      CASE WHEN a.live_visits > 0 THEN a.feed_position ELSE pg_current_xact_id()::text::bigint END
    WHERE a.user_id = OLD.responsible_user_id AND a.object_id = OLD.id;
  END IF;
  IF NEW.responsible_user_id IS NOT NULL THEN
    INSERT INTO objects_objectaccess AS a (user_id, object_id, live_visits, responsible, feed_position)
    VALUES (NEW.responsible_user_id, NEW.id, 0, true, pg_current_xact_id()::text::bigint)
    ON CONFLICT (user_id, object_id) DO UPDATE SET responsible = true, feed_position =
      CASE WHEN a.live_visits > 0 THEN a.feed_position ELSE excluded.feed_position END;
  END IF;
  RETURN NULL;
END $ledger$;
CREATE TRIGGER objects_access_responsibility_begins AFTER INSERT ON objects_object
  FOR EACH ROW WHEN (NEW.responsible_user_id IS NOT NULL) EXECUTE FUNCTION objects_access_responsibility();
CREATE TRIGGER objects_access_responsibility_moves AFTER UPDATE OF responsible_user_id ON objects_object
  FOR EACH ROW WHEN (NEW.responsible_user_id IS DISTINCT FROM OLD.responsible_user_id)
  EXECUTE FUNCTION objects_access_responsibility();

CREATE FUNCTION objects_object_place_renamed() RETURNS trigger LANGUAGE plpgsql AS $renamed$
BEGIN
  -- In id order, as every writer of several objects: else two would wait for each other.
  IF TG_TABLE_NAME = 'territory_city' THEN
    PERFORM 1 FROM objects_object WHERE city_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
    UPDATE objects_object SET search_text = '' WHERE city_id = NEW.id;
  ELSE
    PERFORM 1 FROM objects_object WHERE district_id = NEW.id ORDER BY id FOR NO KEY UPDATE;
    UPDATE objects_object SET search_text = '' WHERE district_id = NEW.id;
  END IF;
  RETURN NULL;
END $renamed$;
CREATE TRIGGER objects_object_city_renamed AFTER UPDATE OF name ON territory_city
  FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION objects_object_place_renamed();
CREATE TRIGGER objects_object_district_renamed AFTER UPDATE OF name ON territory_district
  FOR EACH ROW WHEN (NEW.name <> OLD.name) EXECUTE FUNCTION objects_object_place_renamed();

CREATE FUNCTION objects_object_district_moved() RETURNS trigger LANGUAGE plpgsql AS $moved$
BEGIN
  IF EXISTS (SELECT 1 FROM objects_object o WHERE o.district_id = NEW.id) THEN
    RAISE EXCEPTION 'refused by territory_district_city_stays' USING ERRCODE = '23514',
      CONSTRAINT = 'territory_district_city_stays', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $moved$;
CREATE TRIGGER objects_object_district_moved AFTER UPDATE OF city_id ON territory_district
  FOR EACH ROW WHEN (NEW.city_id <> OLD.city_id) EXECUTE FUNCTION objects_object_district_moved();
CREATE FUNCTION objects_unit_not_orphaned() RETURNS trigger LANGUAGE plpgsql AS $orphans$
BEGIN
  IF EXISTS (SELECT 1 FROM objects_unit c WHERE c.object_id = NEW.id AND c.deleted_at IS NULL) THEN
    RAISE EXCEPTION 'refused by objects_unit_not_orphaned' USING ERRCODE = '23514', CONSTRAINT = 'objects_unit_not_orphaned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $orphans$;
CREATE TRIGGER objects_unit_not_orphaned AFTER UPDATE OF deleted_at ON objects_object
  FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION objects_unit_not_orphaned();
