CREATE FUNCTION clients_customer_keep() RETURNS trigger LANGUAGE plpgsql AS $keep$
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
      NEW.last_interaction_at := NULL;
    END IF;
    words := coalesce(NEW.full_name, '') || ' ' || coalesce((SELECT address FROM objects_object WHERE id = NEW.object_id), '') || ' ' || coalesce(NEW.portrait_text, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || (CASE WHEN NEW.phone ~ '^[+]7[0-9]{10}$' THEN '#' || substr(NEW.phone, 2) || ' #8' || substr(NEW.phone, 3) || ' #' || substr(NEW.phone, 3) WHEN NEW.phone <> '' THEN '#' || ltrim(NEW.phone, '+') ELSE '' END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
    IF (NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM objects_object o WHERE o.id = NEW.object_id AND o.deleted_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'refused by clients_customer_object_live' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_object_live', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.unit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM objects_unit t WHERE t.id = NEW.unit_id AND t.object_id = NEW.object_id)) THEN
      RAISE EXCEPTION 'refused by clients_customer_unit_of_object' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_unit_of_object', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.phone IS NOT NULL AND NEW.phone !~ '^\+[1-9][0-9]{6,14}$') THEN
      RAISE EXCEPTION 'refused by clients_customer_phone_e164' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_phone_e164', TABLE = TG_TABLE_NAME;
    END IF;
    IF (jsonb_typeof(NEW.interests) <> 'array' OR NOT (NEW.interests <@ '["INTERNET", "TV", "CCTV", "BABY_MONITOR", "OTHER"]'::jsonb)) THEN
      RAISE EXCEPTION 'refused by clients_customer_interests_known' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_interests_known', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.preferred_call_time IS NOT NULL AND NEW.preferred_call_time !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$') THEN
      RAISE EXCEPTION 'refused by clients_customer_call_time' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_call_time', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
  END IF;
  NEW.created_at := OLD.created_at;
  IF pg_trigger_depth() < 2 THEN
    NEW.last_interaction_at := OLD.last_interaction_at;
  END IF;
  IF NEW.object_id IS DISTINCT FROM OLD.object_id THEN
    changed := changed || jsonb_build_object('object_id', OLD.version + 1);
  END IF;
  IF NEW.unit_id IS DISTINCT FROM OLD.unit_id THEN
    changed := changed || jsonb_build_object('unit_id', OLD.version + 1);
  END IF;
  IF NEW.full_name IS DISTINCT FROM OLD.full_name THEN
    changed := changed || jsonb_build_object('full_name', OLD.version + 1);
  END IF;
  IF NEW.phone IS DISTINCT FROM OLD.phone THEN
    changed := changed || jsonb_build_object('phone', OLD.version + 1);
  END IF;
  IF NEW.portrait_text IS DISTINCT FROM OLD.portrait_text THEN
    changed := changed || jsonb_build_object('portrait_text', OLD.version + 1);
  END IF;
  IF NEW.current_provider IS DISTINCT FROM OLD.current_provider THEN
    changed := changed || jsonb_build_object('current_provider', OLD.version + 1);
  END IF;
  IF NEW.provider_rating IS DISTINCT FROM OLD.provider_rating THEN
    changed := changed || jsonb_build_object('provider_rating', OLD.version + 1);
  END IF;
  IF NEW.satisfied IS DISTINCT FROM OLD.satisfied THEN
    changed := changed || jsonb_build_object('satisfied', OLD.version + 1);
  END IF;
  IF NEW.interests IS DISTINCT FROM OLD.interests THEN
    changed := changed || jsonb_build_object('interests', OLD.version + 1);
  END IF;
  IF NEW.preferred_call_time IS DISTINCT FROM OLD.preferred_call_time THEN
    changed := changed || jsonb_build_object('preferred_call_time', OLD.version + 1);
  END IF;
  IF NEW.desired_price IS DISTINCT FROM OLD.desired_price THEN
    changed := changed || jsonb_build_object('desired_price', OLD.version + 1);
  END IF;
  IF NEW.notes IS DISTINCT FROM OLD.notes THEN
    changed := changed || jsonb_build_object('notes', OLD.version + 1);
  END IF;
  IF NEW.gdpr_consent IS DISTINCT FROM OLD.gdpr_consent THEN
    changed := changed || jsonb_build_object('gdpr_consent', OLD.version + 1);
  END IF;
  IF changed <> '{}'::jsonb THEN
    moved := true;
    NEW.version := OLD.version + 1;
    NEW.field_versions := OLD.field_versions || changed;
  ELSE
    moved := NEW.deleted_at IS DISTINCT FROM OLD.deleted_at OR NEW.deletion_id IS DISTINCT FROM OLD.deletion_id OR NEW.last_interaction_at IS DISTINCT FROM OLD.last_interaction_at;
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
  IF NEW.full_name IS DISTINCT FROM OLD.full_name OR NEW.portrait_text IS DISTINCT FROM OLD.portrait_text OR NEW.phone IS DISTINCT FROM OLD.phone OR NEW.search_text IS DISTINCT FROM OLD.search_text THEN
    words := coalesce(NEW.full_name, '') || ' ' || coalesce((SELECT address FROM objects_object WHERE id = NEW.object_id), '') || ' ' || coalesce(NEW.portrait_text, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || (CASE WHEN NEW.phone ~ '^[+]7[0-9]{10}$' THEN '#' || substr(NEW.phone, 2) || ' #8' || substr(NEW.phone, 3) || ' #' || substr(NEW.phone, 3) WHEN NEW.phone <> '' THEN '#' || ltrim(NEW.phone, '+') ELSE '' END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
  END IF;
    IF (NEW.object_id IS DISTINCT FROM OLD.object_id) AND (true) THEN
      RAISE EXCEPTION 'refused by clients_customer_object_stays' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_object_stays', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.deleted_at IS DISTINCT FROM OLD.deleted_at) AND (NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM objects_object o WHERE o.id = NEW.object_id AND o.deleted_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'refused by clients_customer_object_live' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_object_live', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.unit_id IS DISTINCT FROM OLD.unit_id) AND (NEW.unit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM objects_unit t WHERE t.id = NEW.unit_id AND t.object_id = NEW.object_id)) THEN
      RAISE EXCEPTION 'refused by clients_customer_unit_of_object' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_unit_of_object', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.phone IS DISTINCT FROM OLD.phone) AND (NEW.phone IS NOT NULL AND NEW.phone !~ '^\+[1-9][0-9]{6,14}$') THEN
      RAISE EXCEPTION 'refused by clients_customer_phone_e164' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_phone_e164', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.interests IS DISTINCT FROM OLD.interests) AND (jsonb_typeof(NEW.interests) <> 'array' OR NOT (NEW.interests <@ '["INTERNET", "TV", "CCTV", "BABY_MONITOR", "OTHER"]'::jsonb)) THEN
      RAISE EXCEPTION 'refused by clients_customer_interests_known' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_interests_known', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.preferred_call_time IS DISTINCT FROM OLD.preferred_call_time) AND (NEW.preferred_call_time IS NOT NULL AND NEW.preferred_call_time !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$') THEN
      RAISE EXCEPTION 'refused by clients_customer_call_time' USING ERRCODE = '23514',
        CONSTRAINT = 'clients_customer_call_time', TABLE = TG_TABLE_NAME;
    END IF;
  RETURN NEW;
END $keep$;
CREATE TRIGGER clients_customer_keep BEFORE INSERT OR UPDATE ON clients_customer
  FOR EACH ROW EXECUTE FUNCTION clients_customer_keep();

-- end of statement
CREATE FUNCTION clients_customer_address_changed() RETURNS trigger LANGUAGE plpgsql AS $address$
BEGIN
  UPDATE clients_customer SET search_text = '' WHERE object_id = NEW.id;
  RETURN NULL;
END $address$;
CREATE TRIGGER clients_customer_address_changed AFTER UPDATE OF address ON objects_object
  FOR EACH ROW WHEN (NEW.address <> OLD.address) EXECUTE FUNCTION clients_customer_address_changed();
CREATE FUNCTION clients_customer_not_orphaned() RETURNS trigger LANGUAGE plpgsql AS $orphans$
BEGIN
  IF EXISTS (SELECT 1 FROM clients_customer c WHERE c.object_id = NEW.id AND c.deleted_at IS NULL) THEN
    RAISE EXCEPTION 'refused by clients_customer_not_orphaned' USING ERRCODE = '23514', CONSTRAINT = 'clients_customer_not_orphaned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $orphans$;
CREATE TRIGGER clients_customer_not_orphaned AFTER UPDATE OF deleted_at ON objects_object
  FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION clients_customer_not_orphaned();
