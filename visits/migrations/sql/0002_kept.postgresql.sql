CREATE FUNCTION visits_visit_keep() RETURNS trigger LANGUAGE plpgsql AS $keep$
DECLARE
  changed jsonb := '{}'::jsonb;
  moved boolean := false;
  words text;
BEGIN
  NEW.finished_at := CASE WHEN NEW.status = 'DONE' THEN coalesce(NEW.finished_at, clock_timestamp()) ELSE NEW.finished_at END;
  NEW.started_at := CASE WHEN NEW.status = 'DONE' THEN coalesce(NEW.started_at, NEW.finished_at, clock_timestamp()) ELSE NEW.started_at END;
  IF TG_OP = 'INSERT' THEN
    NEW.created_at := clock_timestamp();
    NEW.updated_at := NEW.created_at;
    NEW.version := 1;
    NEW.field_versions := '{}'::jsonb;
    NEW.feed_position := pg_current_xact_id()::text::bigint;
    words := coalesce((SELECT address FROM objects_object WHERE id = NEW.object_id), '') || ' ' || coalesce((SELECT full_name FROM users_user WHERE id = NEW.engineer_id), '') || ' ' || coalesce((SELECT full_name FROM clients_customer WHERE id = NEW.customer_id AND deleted_at IS NULL), '') || ' ' || coalesce(NEW.outcome_text, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
    IF (NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM objects_object o WHERE o.id = NEW.object_id AND o.deleted_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'refused by visits_visit_object_live' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_object_live', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.unit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM objects_unit t WHERE t.id = NEW.unit_id AND t.object_id = NEW.object_id)) THEN
      RAISE EXCEPTION 'refused by visits_visit_unit_of_object' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_unit_of_object', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.customer_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM clients_customer t WHERE t.id = NEW.customer_id AND t.object_id = NEW.object_id)) THEN
      RAISE EXCEPTION 'refused by visits_visit_customer_of_object' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_customer_of_object', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NOT EXISTS (SELECT 1 FROM users_user t WHERE t.id = NEW.engineer_id AND t.is_active)) THEN
      RAISE EXCEPTION 'refused by visits_visit_engineer_active' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_engineer_active', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.status = 'DONE' AND trim(coalesce(NEW.outcome_text, '')) = '') THEN
      RAISE EXCEPTION 'refused by visits_visit_outcome_blank' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_outcome_blank', TABLE = TG_TABLE_NAME;
    END IF;
    IF (jsonb_typeof(NEW.interests) <> 'array' OR NOT (NEW.interests <@ '["INTERNET", "TV", "CCTV", "BABY_MONITOR", "OTHER"]'::jsonb)) THEN
      RAISE EXCEPTION 'refused by visits_visit_interests_known' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_interests_known', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.started_at > NEW.finished_at) THEN
      RAISE EXCEPTION 'refused by visits_visit_started_before_finished' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_started_before_finished', TABLE = TG_TABLE_NAME;
    END IF;
    RETURN NEW;
  END IF;
  NEW.created_at := OLD.created_at;
  IF NEW.object_id IS DISTINCT FROM OLD.object_id THEN
    changed := changed || jsonb_build_object('object_id', OLD.version + 1);
  END IF;
  IF NEW.unit_id IS DISTINCT FROM OLD.unit_id THEN
    changed := changed || jsonb_build_object('unit_id', OLD.version + 1);
  END IF;
  IF NEW.customer_id IS DISTINCT FROM OLD.customer_id THEN
    changed := changed || jsonb_build_object('customer_id', OLD.version + 1);
  END IF;
  IF NEW.engineer_id IS DISTINCT FROM OLD.engineer_id THEN
    changed := changed || jsonb_build_object('engineer_id', OLD.version + 1);
  END IF;
  IF NEW.scheduled_at IS DISTINCT FROM OLD.scheduled_at THEN
    changed := changed || jsonb_build_object('scheduled_at', OLD.version + 1);
  END IF;
  IF NEW.started_at IS DISTINCT FROM OLD.started_at THEN
    changed := changed || jsonb_build_object('started_at', OLD.version + 1);
  END IF;
  IF NEW.finished_at IS DISTINCT FROM OLD.finished_at THEN
    changed := changed || jsonb_build_object('finished_at', OLD.version + 1);
  END IF;
  IF NEW.status IS DISTINCT FROM OLD.status THEN
    changed := changed || jsonb_build_object('status', OLD.version + 1);
  END IF;
  IF NEW.interests IS DISTINCT FROM OLD.interests THEN
    changed := changed || jsonb_build_object('interests', OLD.version + 1);
  END IF;
  IF NEW.outcome_text IS DISTINCT FROM OLD.outcome_text THEN
    changed := changed || jsonb_build_object('outcome_text', OLD.version + 1);
  END IF;
  IF NEW.next_action_due_at IS DISTINCT FROM OLD.next_action_due_at THEN
    changed := changed || jsonb_build_object('next_action_due_at', OLD.version + 1);
  END IF;
  IF NEW.geo_captured_lat IS DISTINCT FROM OLD.geo_captured_lat THEN
    changed := changed || jsonb_build_object('geo_captured_lat', OLD.version + 1);
  END IF;
  IF NEW.geo_captured_lng IS DISTINCT FROM OLD.geo_captured_lng THEN
    changed := changed || jsonb_build_object('geo_captured_lng', OLD.version + 1);
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
  IF NEW.object_id IS DISTINCT FROM OLD.object_id OR NEW.engineer_id IS DISTINCT FROM OLD.engineer_id OR NEW.customer_id IS DISTINCT FROM OLD.customer_id OR NEW.outcome_text IS DISTINCT FROM OLD.outcome_text OR NEW.search_text IS DISTINCT FROM OLD.search_text THEN
    words := coalesce((SELECT address FROM objects_object WHERE id = NEW.object_id), '') || ' ' || coalesce((SELECT full_name FROM users_user WHERE id = NEW.engineer_id), '') || ' ' || coalesce((SELECT full_name FROM clients_customer WHERE id = NEW.customer_id AND deleted_at IS NULL), '') || ' ' || coalesce(NEW.outcome_text, '');
    NEW.search_text := replace(replace(replace(('' || ' ' || (CASE WHEN (coalesce((words)::text, '')) COLLATE "C" ~ E'\u005b\u005e 0\u002d9A\u002dZa\u002dzА\u002dЯа\u002dяЁё\u002c\u005c\u002e\u005c\u002d\u002f\u005c\u0028\u005c\u0029\u0022\u2116\u003a\u003b\u0021\u005c\u003f\u005c\u002b\u00ab\u00bb\u2013\u2014\u005c\u000a\u005d' THEN translate(replace(replace(replace(translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁёЂЃЄЅІЇЈЉЊЋЌЍЎЏҐҒҔҖҘҚҠҢҤҪҮҰҲҶҺӀӐӒӖӘӜӞӢӤӦӨӮӰӲӴӸÀÁÂÃÄÅÇÈÉÊËÌÍÎÏÑÒÓÔÕÖÙÚÛÜÝŸàáâãäåçèéêëìíîïñòóôõöùúûüýÿÆÐØÞ\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a\u0023\u0024\u0025\u0026\u0027\u002a\u003c\u003d\u003e\u0040\u005b\u005c\u005d\u005e\u005f\u0060\u007b\u007c\u007d\u007e\u0009\u000b\u000c\u000d\u0085\u00a0\u00a1\u00a2\u00a3\u00a4\u00a5\u00a6\u00a7\u00a8\u00a9\u00ac\u00ae\u00af\u00b0\u00b1\u00b4\u00b6\u00b7\u00b8\u00bf\u00d7\u00f7\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u200b\u2028\u2029\u202f\u205f\u3000\u2010\u2011\u2012\u2015\u2212\u2018\u2019\u201a\u201b\u201c\u201d\u201e\u201f\u2020\u2021\u2022\u2024\u2025\u2026\u2030\u2032\u2033\u2039\u203a\u203c\u2044\u20bd\u20ac\u2122', E'абвгдежзийклмнопрстуфхцчшщъыьэюяееђѓєѕіїјљњћќѝўџґғҕҗҙқҡңҥҫүұҳҷһӏӑӓӗәӝӟӣӥӧөӯӱӳӵӹaaaaaaceeeeiiiinooooouuuuyyaaaaaaceeeeiiiinooooouuuuyyæðøþ                                                                                                               '), E'и\u0306', E'й'), E'у\u0306', E'ў'), E'і\u0308', E'ї'), E'\u0300\u0301\u0306\u0308\u00ad\u200c\u200d\u2060\ufeff', E'') ELSE translate(lower((coalesce((words)::text, '')) COLLATE "C"), E'АБВГДЕЖЗИЙКЛМНОПРСТУФХЦЧШЩЪЫЬЭЮЯЁё\u002c\u002e\u002d\u002f\u0028\u0029\u0022\u2116\u003a\u003b\u0021\u003f\u002b\u00ab\u00bb\u2013\u2014\u000a', E'абвгдежзийклмнопрстуфхцчшщъыьэюяее                  ') END) || ' ' || '') COLLATE "C", ' ', '<>'), '><', ''), '<>', ' ');
  END IF;
    IF (NEW.status IS DISTINCT FROM OLD.status) AND (NOT (OLD.status = 'PLANNED' AND NEW.status = 'IN_PROGRESS' OR OLD.status = 'PLANNED' AND NEW.status = 'DONE' OR OLD.status = 'PLANNED' AND NEW.status = 'CANCELLED' OR OLD.status = 'IN_PROGRESS' AND NEW.status = 'DONE' OR OLD.status = 'IN_PROGRESS' AND NEW.status = 'CANCELLED' OR OLD.status = 'DONE' AND NEW.status = 'PLANNED' OR OLD.status = 'CANCELLED' AND NEW.status = 'PLANNED')) THEN
      RAISE EXCEPTION 'refused by visits_visit_status_move' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_status_move', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.object_id IS DISTINCT FROM OLD.object_id) AND (OLD.status <> 'PLANNED' OR NEW.status <> 'PLANNED') THEN
      RAISE EXCEPTION 'refused by visits_visit_object_stays' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_object_stays', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.deleted_at IS DISTINCT FROM OLD.deleted_at OR NEW.object_id IS DISTINCT FROM OLD.object_id) AND (NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM objects_object o WHERE o.id = NEW.object_id AND o.deleted_at IS NOT NULL)) THEN
      RAISE EXCEPTION 'refused by visits_visit_object_live' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_object_live', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.unit_id IS DISTINCT FROM OLD.unit_id OR NEW.object_id IS DISTINCT FROM OLD.object_id) AND (NEW.unit_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM objects_unit t WHERE t.id = NEW.unit_id AND t.object_id = NEW.object_id)) THEN
      RAISE EXCEPTION 'refused by visits_visit_unit_of_object' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_unit_of_object', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.customer_id IS DISTINCT FROM OLD.customer_id OR NEW.object_id IS DISTINCT FROM OLD.object_id) AND (NEW.customer_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM clients_customer t WHERE t.id = NEW.customer_id AND t.object_id = NEW.object_id)) THEN
      RAISE EXCEPTION 'refused by visits_visit_customer_of_object' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_customer_of_object', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.engineer_id IS DISTINCT FROM OLD.engineer_id) AND (NOT EXISTS (SELECT 1 FROM users_user t WHERE t.id = NEW.engineer_id AND t.is_active)) THEN
      RAISE EXCEPTION 'refused by visits_visit_engineer_active' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_engineer_active', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.status = 'DONE' AND trim(coalesce(NEW.outcome_text, '')) = '') THEN
      RAISE EXCEPTION 'refused by visits_visit_outcome_blank' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_outcome_blank', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.interests IS DISTINCT FROM OLD.interests) AND (jsonb_typeof(NEW.interests) <> 'array' OR NOT (NEW.interests <@ '["INTERNET", "TV", "CCTV", "BABY_MONITOR", "OTHER"]'::jsonb)) THEN
      RAISE EXCEPTION 'refused by visits_visit_interests_known' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_interests_known', TABLE = TG_TABLE_NAME;
    END IF;
    IF (NEW.started_at IS DISTINCT FROM OLD.started_at OR NEW.finished_at IS DISTINCT FROM OLD.finished_at) AND (NEW.started_at > NEW.finished_at) THEN
      RAISE EXCEPTION 'refused by visits_visit_started_before_finished' USING ERRCODE = '23514',
        CONSTRAINT = 'visits_visit_started_before_finished', TABLE = TG_TABLE_NAME;
    END IF;
  RETURN NEW;
END $keep$;
CREATE TRIGGER visits_visit_keep BEFORE INSERT OR UPDATE ON visits_visit
  FOR EACH ROW EXECUTE FUNCTION visits_visit_keep();

-- end of statement
CREATE FUNCTION visits_recount(objects uuid[], customers uuid[]) RETURNS void LANGUAGE plpgsql AS $recount$
BEGIN
  -- Lock first, count afterwards: each statement here sees what was committed before it began, so of two
  -- concurrent completions the second counts the first.
  PERFORM 1 FROM objects_object WHERE id = ANY(objects) ORDER BY id FOR NO KEY UPDATE;
  -- Lateral, so that each object's few visits are looked up whatever the planner believes of the table.
  UPDATE objects_object o SET visits_count = c.n, last_visit_at = c.latest
  FROM unnest(objects) AS i(id), LATERAL (
    SELECT i.id, count(*) AS n, max(v.finished_at) AS latest FROM visits_visit v
    WHERE v.object_id = i.id AND v.status || '' = 'DONE' AND v.deleted_at IS NULL
  ) c
  WHERE o.id = c.id AND (o.visits_count, o.last_visit_at) IS DISTINCT FROM (c.n, c.latest);
  IF cardinality(customers) > 0 THEN
    PERFORM 1 FROM clients_customer WHERE id = ANY(customers) ORDER BY id FOR NO KEY UPDATE;
    UPDATE clients_customer o SET last_interaction_at = c.latest
    FROM unnest(customers) AS i(id), LATERAL (
      SELECT i.id, max(v.finished_at) AS latest FROM visits_visit v
      WHERE v.customer_id = i.id AND v.status || '' = 'DONE' AND v.deleted_at IS NULL
    ) c
    WHERE o.id = c.id AND o.last_interaction_at IS DISTINCT FROM c.latest;
  END IF;
END $recount$;

CREATE FUNCTION visits_visit_inserted() RETURNS trigger LANGUAGE plpgsql AS $inserted$
DECLARE
  objects uuid[];
  customers uuid[];
BEGIN
  SELECT array_agg(DISTINCT object_id), coalesce(array_agg(DISTINCT customer_id)
      FILTER (WHERE customer_id IS NOT NULL), '{}')
    INTO objects, customers FROM new_rows WHERE status = 'DONE' AND deleted_at IS NULL;
  IF objects IS NOT NULL THEN
    PERFORM visits_recount(objects, customers);
  END IF;
  INSERT INTO objects_objectaccess AS a (user_id, object_id, live_visits, responsible, feed_position)
  SELECT engineer_id, object_id, count(*), false, pg_current_xact_id()::text::bigint FROM new_rows
  WHERE deleted_at IS NULL AND status <> 'CANCELLED'
  GROUP BY engineer_id, object_id ORDER BY engineer_id, object_id
  ON CONFLICT (user_id, object_id) DO UPDATE SET live_visits = a.live_visits + excluded.live_visits,
    feed_position = CASE WHEN a.live_visits = 0 AND NOT a.responsible
      THEN excluded.feed_position ELSE a.feed_position END;
  RETURN NULL;
END $inserted$;
CREATE TRIGGER visits_visit_inserted AFTER INSERT ON visits_visit
  REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION visits_visit_inserted();

CREATE FUNCTION visits_visit_moved() RETURNS trigger LANGUAGE plpgsql AS $moved$
DECLARE
  was boolean := false;
  is_now boolean := false;
  counted boolean := false;
BEGIN
  IF TG_OP <> 'INSERT' THEN
    was := OLD.deleted_at IS NULL AND OLD.status <> 'CANCELLED';
    counted := OLD.status = 'DONE';
  END IF;
  IF TG_OP = 'UPDATE' THEN
    is_now := NEW.deleted_at IS NULL AND NEW.status <> 'CANCELLED';
    counted := counted OR NEW.status = 'DONE';
    IF was AND is_now AND OLD.engineer_id = NEW.engineer_id AND OLD.object_id = NEW.object_id THEN
      was := false;
      is_now := false;
    END IF;
  END IF;
  IF counted AND TG_OP = 'UPDATE' THEN
    PERFORM visits_recount(ARRAY(SELECT DISTINCT i FROM unnest(ARRAY[OLD.object_id, NEW.object_id]) i),
      ARRAY(SELECT DISTINCT i FROM unnest(ARRAY[OLD.customer_id, NEW.customer_id]) i WHERE i IS NOT NULL));
  ELSIF counted THEN
    PERFORM visits_recount(ARRAY[OLD.object_id], array_remove(ARRAY[OLD.customer_id], NULL));
  END IF;
  IF was THEN
    UPDATE objects_objectaccess a SET live_visits = a.live_visits - 1, feed_position =
      CASE WHEN a.live_visits = 1 AND NOT a.responsible THEN pg_current_xact_id()::text::bigint ELSE a.feed_position END
    WHERE a.user_id = OLD.engineer_id AND a.object_id = OLD.object_id;
  END IF;
  IF is_now THEN
    INSERT INTO objects_objectaccess AS a (user_id, object_id, live_visits, responsible, feed_position)
    VALUES (NEW.engineer_id, NEW.object_id, 1, false, pg_current_xact_id()::text::bigint)
    ON CONFLICT (user_id, object_id) DO UPDATE SET live_visits = a.live_visits + 1, feed_position =
      CASE WHEN a.live_visits = 0 AND NOT a.responsible THEN excluded.feed_position ELSE a.feed_position END;
  END IF;
  RETURN NULL;
END $moved$;
CREATE TRIGGER visits_visit_moved AFTER UPDATE ON visits_visit
  FOR EACH ROW WHEN (OLD.status <> NEW.status OR OLD.deleted_at IS DISTINCT FROM NEW.deleted_at
    OR OLD.engineer_id <> NEW.engineer_id OR OLD.object_id <> NEW.object_id
    OR OLD.customer_id IS DISTINCT FROM NEW.customer_id
    OR OLD.finished_at IS DISTINCT FROM NEW.finished_at)
  EXECUTE FUNCTION visits_visit_moved();
CREATE TRIGGER visits_visit_removed AFTER DELETE ON visits_visit
  FOR EACH ROW EXECUTE FUNCTION visits_visit_moved();

CREATE FUNCTION visits_visit_name_changed() RETURNS trigger LANGUAGE plpgsql AS $name$
BEGIN
  IF TG_TABLE_NAME = 'objects_object' THEN
    UPDATE visits_visit SET search_text = '' WHERE object_id = NEW.id;
  ELSIF TG_TABLE_NAME = 'users_user' THEN
    -- Objects first, in id order, as every writer of visits does: else two would wait for each other.
    PERFORM 1 FROM objects_object
    WHERE id IN (SELECT object_id FROM visits_visit WHERE engineer_id = NEW.id)
    ORDER BY id FOR NO KEY UPDATE;
    UPDATE visits_visit SET search_text = '' WHERE engineer_id = NEW.id;
  ELSE
    UPDATE visits_visit SET search_text = '' WHERE customer_id = NEW.id;
  END IF;
  RETURN NULL;
END $name$;
CREATE TRIGGER visits_visit_address_changed AFTER UPDATE OF address ON objects_object
  FOR EACH ROW WHEN (NEW.address <> OLD.address) EXECUTE FUNCTION visits_visit_name_changed();
CREATE TRIGGER visits_visit_engineer_renamed AFTER UPDATE OF full_name ON users_user
  FOR EACH ROW WHEN (NEW.full_name <> OLD.full_name) EXECUTE FUNCTION visits_visit_name_changed();
CREATE TRIGGER visits_visit_customer_renamed AFTER UPDATE OF full_name, deleted_at ON clients_customer
  FOR EACH ROW WHEN (NEW.full_name IS DISTINCT FROM OLD.full_name
    OR NEW.deleted_at IS DISTINCT FROM OLD.deleted_at)
  EXECUTE FUNCTION visits_visit_name_changed();
CREATE FUNCTION visits_visit_not_orphaned() RETURNS trigger LANGUAGE plpgsql AS $orphans$
BEGIN
  IF EXISTS (SELECT 1 FROM visits_visit c WHERE c.object_id = NEW.id AND c.deleted_at IS NULL) THEN
    RAISE EXCEPTION 'refused by visits_visit_not_orphaned' USING ERRCODE = '23514', CONSTRAINT = 'visits_visit_not_orphaned', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $orphans$;
CREATE TRIGGER visits_visit_not_orphaned AFTER UPDATE OF deleted_at ON objects_object
  FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL) EXECUTE FUNCTION visits_visit_not_orphaned();
