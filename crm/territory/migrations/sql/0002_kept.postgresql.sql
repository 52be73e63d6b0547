CREATE FUNCTION territory_city_keep() RETURNS trigger LANGUAGE plpgsql AS $keep$
DECLARE
  changed jsonb := '{}'::jsonb;
  moved boolean := false;
  words text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.created_at := clock_timestamp();
    NEW.updated_at := NEW.created_at;
    RETURN NEW;
  END IF;
  NEW.created_at := OLD.created_at;
  moved := NEW.name IS DISTINCT FROM OLD.name OR NEW.time_zone IS DISTINCT FROM OLD.time_zone;
  IF moved THEN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
  ELSE
    NEW.updated_at := OLD.updated_at;
  END IF;
  RETURN NEW;
END $keep$;
CREATE TRIGGER territory_city_keep BEFORE INSERT OR UPDATE ON territory_city
  FOR EACH ROW EXECUTE FUNCTION territory_city_keep();

-- end of statement
CREATE FUNCTION territory_district_keep() RETURNS trigger LANGUAGE plpgsql AS $keep$
DECLARE
  changed jsonb := '{}'::jsonb;
  moved boolean := false;
  words text;
BEGIN
  IF TG_OP = 'INSERT' THEN
    NEW.created_at := clock_timestamp();
    NEW.updated_at := NEW.created_at;
    RETURN NEW;
  END IF;
  NEW.created_at := OLD.created_at;
  moved := NEW.name IS DISTINCT FROM OLD.name OR NEW.city_id IS DISTINCT FROM OLD.city_id;
  IF moved THEN
    NEW.updated_at := greatest(clock_timestamp(), OLD.updated_at + interval '1 microsecond');
  ELSE
    NEW.updated_at := OLD.updated_at;
  END IF;
    IF (NEW.city_id IS DISTINCT FROM OLD.city_id) AND (EXISTS (SELECT 1 FROM users_user u WHERE u.district_id = NEW.id)) THEN
      RAISE EXCEPTION 'refused by territory_district_city_stays' USING ERRCODE = '23514',
        CONSTRAINT = 'territory_district_city_stays', TABLE = TG_TABLE_NAME;
    END IF;
  RETURN NEW;
END $keep$;
CREATE TRIGGER territory_district_keep BEFORE INSERT OR UPDATE ON territory_district
  FOR EACH ROW EXECUTE FUNCTION territory_district_keep();
