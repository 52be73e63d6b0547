"""What the database keeps of objects and units, and the ledger's share in responsibility."""

from pathlib import Path

from crm.db import postgresql
from crm.db.triggers.conditions import (
    ALWAYS,
    hangs_on_deleted_object,
    joined,
    missing,
    not_e164,
    not_json,
    not_strings,
    refuse_orphans,
)
from crm.db.triggers.freezing import Freeze, dropped_while_in_use, made_while_in_use
from crm.db.triggers.postgresql import POSITION
from crm.db.triggers.spec import Dialects, Guard, KeptTable
from crm.db.triggers.sqlite import POSITION as SQLITE_POSITION
from crm.db.triggers.sqlite import STATEMENT_END
from objects.models import MIN_ADDRESS, Object, Unit

# The ledger after a change of the responsible person. On SQLite the position is the row's own tick.
SQLITE_BEGIN_RESPONSIBILITY = (
    "INSERT INTO objects_objectaccess (user_id, object_id, live_visits, responsible, feed_position)"
    f" SELECT NEW.responsible_user_id, NEW.id, 0, 1, {SQLITE_POSITION}"
    " WHERE {when} AND NEW.responsible_user_id IS NOT NULL"
    " ON CONFLICT (user_id, object_id) DO UPDATE SET responsible = 1, feed_position ="
    " CASE WHEN live_visits > 0 THEN feed_position ELSE excluded.feed_position END;"
)
SQLITE_END_RESPONSIBILITY = (
    "UPDATE objects_objectaccess SET responsible = 0, feed_position ="
    f" CASE WHEN live_visits > 0 THEN feed_position ELSE {SQLITE_POSITION} END"
    " WHERE NEW.responsible_user_id IS NOT OLD.responsible_user_id"
    " AND user_id = OLD.responsible_user_id AND object_id = OLD.id;"
)

OBJECT = KeptTable(
    table="objects_object",
    versioned=Object.versioned_columns(),
    kept=Object.kept_columns(),
    derived=Object.DERIVED,
    json_columns=("tags",),
    search=(
        "NEW.address",
        "(SELECT name FROM territory_city WHERE id = NEW.city_id)",
        "(SELECT name FROM territory_district WHERE id = NEW.district_id)",
        "NEW.contact_name",
    ),
    search_columns=("address", "city_id", "district_id", "contact_name"),
    guards=(
        Guard(
            "objects_object_address_too_short",
            f"length(trim(NEW.address)) < {MIN_ADDRESS}",
            columns=("address",),
        ),
        Guard(
            "objects_object_district_in_city",
            "NEW.district_id IS NOT NULL AND "
            + missing("territory_district", "t.id = NEW.district_id AND t.city_id = NEW.city_id"),
            columns=("city_id", "district_id"),
        ),
        Guard(
            "objects_object_responsible_active",
            "NEW.responsible_user_id IS NOT NULL AND "
            + missing("users_user", "t.id = NEW.responsible_user_id AND t.is_active"),
            columns=("responsible_user_id",),
        ),
        Guard(
            "objects_object_contact_phone_e164",
            not_e164("NEW.contact_phone"),
            columns=("contact_phone",),
        ),
        Guard("objects_object_tags_are_strings", not_strings("NEW.tags"), columns=("tags",)),
    ),
    sqlite_after_insert=(SQLITE_BEGIN_RESPONSIBILITY.format(when="1"),),
    sqlite_after_update=(
        SQLITE_END_RESPONSIBILITY,
        SQLITE_BEGIN_RESPONSIBILITY.format(
            when="NEW.responsible_user_id IS NOT OLD.responsible_user_id"
        ),
    ),
)

UNIT = KeptTable(
    table="objects_unit",
    versioned=Unit.versioned_columns(),
    kept=Unit.kept_columns(),
    json_columns=("attributes",),
    search=("NEW.unit_number",),
    search_columns=("unit_number",),
    guards=(
        Guard("objects_unit_object_stays", ALWAYS, columns=("object_id",), on=("UPDATE",)),
        Guard("objects_unit_object_live", hangs_on_deleted_object(), columns=("deleted_at",)),
        Guard("objects_unit_number_blank", "trim(NEW.unit_number) = ''", columns=("unit_number",)),
        Guard(
            "objects_unit_attributes_object",
            not_json("NEW.attributes", "object"),
            columns=("attributes",),
        ),
    ),
)

# A renamed city or district is found under its new name at once; a district of objects stays in its city.
ALSO = Dialects(
    postgresql=f"""
CREATE FUNCTION objects_access_responsibility() RETURNS trigger LANGUAGE plpgsql AS $ledger$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.responsible_user_id IS NOT NULL THEN
    UPDATE objects_objectaccess a SET responsible = false, feed_position =
      CASE WHEN a.live_visits > 0 THEN a.feed_position ELSE {POSITION} END
    WHERE a.user_id = OLD.responsible_user_id AND a.object_id = OLD.id;
  END IF;
  IF NEW.responsible_user_id IS NOT NULL THEN
    INSERT INTO objects_objectaccess AS a (user_id, object_id, live_visits, responsible, feed_position)
    VALUES (NEW.responsible_user_id, NEW.id, 0, true, {POSITION})
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
""",
    sqlite=STATEMENT_END.join(
        (
            """CREATE TRIGGER objects_object_city_renamed AFTER UPDATE OF name ON territory_city
WHEN NEW.name <> OLD.name
BEGIN UPDATE objects_object SET search_text = '' WHERE city_id = NEW.id; END;""",
            """CREATE TRIGGER objects_object_district_renamed AFTER UPDATE OF name ON territory_district
WHEN NEW.name <> OLD.name
BEGIN UPDATE objects_object SET search_text = '' WHERE district_id = NEW.id; END;""",
            """CREATE TRIGGER objects_object_district_moved BEFORE UPDATE OF city_id ON territory_district
WHEN NEW.city_id <> OLD.city_id AND EXISTS (SELECT 1 FROM objects_object o WHERE o.district_id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'guard: territory_district_city_stays'); END;""",
        )
    ),
)
ALSO_DOWN = Dialects(
    postgresql="""
DROP TRIGGER objects_object_district_moved ON territory_district;
DROP TRIGGER objects_object_district_renamed ON territory_district;
DROP TRIGGER objects_object_city_renamed ON territory_city;
DROP TRIGGER objects_access_responsibility_moves ON objects_object;
DROP TRIGGER objects_access_responsibility_begins ON objects_object;
DROP FUNCTION objects_object_district_moved();
DROP FUNCTION objects_object_place_renamed();
DROP FUNCTION objects_access_responsibility();
""",
    sqlite=STATEMENT_END.join(
        (
            "DROP TRIGGER objects_object_district_moved;",
            "DROP TRIGGER objects_object_district_renamed;",
            "DROP TRIGGER objects_object_city_renamed;",
        )
    ),
)

# Planners take any box of geometry for a thousandth of a table, and neighbours of zero could break it: the
# index of the map is in its place.
POINT_INDEX = (
    "CREATE INDEX objects_object_point ON objects_object USING gist (point(gps_lng, gps_lat));"
)
INDEXES = Dialects(
    postgresql="\n".join(
        (
            POINT_INDEX,
            postgresql.gin_search_index_sql(
                "objects_object", "search_text", "objects_object_search"
            ),
            "CREATE INDEX objects_object_tags ON objects_object USING gin (tags jsonb_path_ops);",
        )
    ),
    sqlite="",
)
INDEXES_DOWN = Dialects(
    postgresql="DROP INDEX objects_object_tags;\nDROP INDEX objects_object_search;"
    "\nDROP INDEX objects_object_point;",
    sqlite="",
)

NO_POINTS = Dialects(postgresql=dropped_while_in_use("objects_object_point"), sqlite="")
NO_POINTS_DOWN = Dialects(postgresql=made_while_in_use(POINT_INDEX), sqlite="")
UNIT_WORDS = Dialects(
    postgresql=made_while_in_use(
        postgresql.gin_search_index_sql("objects_unit", "search_text", "objects_unit_search")
    ),
    sqlite="",
)
UNIT_WORDS_DOWN = Dialects(postgresql=dropped_while_in_use("objects_unit_search"), sqlite="")

NO_ORPHANS, NO_ORPHANS_DOWN = refuse_orphans("objects_unit")

FOLDER = Path(__file__).parent / "migrations"
FROZEN = [
    Freeze(
        FOLDER,
        "0002_kept",
        (OBJECT, UNIT),
        joined(ALSO, NO_ORPHANS),
        joined(NO_ORPHANS_DOWN, ALSO_DOWN),
    ),
    Freeze(FOLDER, "0003_search_and_map_indexes", (), INDEXES, INDEXES_DOWN),
    Freeze(FOLDER, "0008_no_points", (), NO_POINTS, NO_POINTS_DOWN),
    Freeze(FOLDER, "0009_unit_words", (), UNIT_WORDS, UNIT_WORDS_DOWN),
]
