"""What the database writes down of rows that leave somebody's sight, and how a move sends rows again."""

from pathlib import Path

from crm.db.triggers.freezing import Freeze
from crm.db.triggers.postgresql import POSITION
from crm.db.triggers.spec import Dialects
from crm.db.triggers.sqlite import NOW as SQLITE_NOW
from crm.db.triggers.sqlite import POSITION as SQLITE_POSITION
from crm.db.triggers.sqlite import STATEMENT_END

# What hangs on an object; in the order in which everybody locks them.
HANGING = ("objects_unit", "clients_customer", "visits_visit")

# Since when the object lies where it lies: its last move, or ever.
HERE_SINCE = (
    "coalesce((SELECT max(l.position) FROM sync_loss l WHERE l.object_id = OLD.{object}"
    " AND l.user_id IS NULL AND l.visit_id IS NULL), 0)"
)
COLUMNS = "object_id, visit_id, user_id, city_id, district_id, began, position, at"
# A visit that leaves its object also leaves all who saw both before the object itself moved.
EARLIER_PLACES = (
    "SELECT DISTINCT l.city_id, l.district_id FROM sync_loss l"
    " WHERE l.object_id = OLD.object_id AND l.user_id IS NULL AND l.visit_id IS NULL"
    " AND l.at > OLD.created_at AND NEW.object_id <> OLD.object_id"
)


def visit_leaves(position: str, moment: str) -> str:
    """The statement that notes whom a visit leaves: its engineer, and the places of its object."""
    return (
        f"INSERT INTO sync_loss ({COLUMNS})"
        f" SELECT OLD.object_id, OLD.id, OLD.engineer_id, o.city_id, o.district_id, 0, {position}, {moment}"
        " FROM objects_object o WHERE o.id = OLD.object_id"
        f" UNION ALL SELECT OLD.object_id, OLD.id, OLD.engineer_id, e.city_id, e.district_id, 0,"
        f" {position}, {moment} FROM ({EARLIER_PLACES}) e;"
    )


POSTGRESQL_STAMPS = "\n".join(
    f"  UPDATE {table} r SET feed_position = -1 FROM (SELECT id FROM {table}"
    " WHERE object_id = NEW.id AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE) s WHERE r.id = s.id;"
    for table in HANGING
)
SQLITE_STAMPS = "\n  ".join(
    f"UPDATE {table} SET feed_position = -1 WHERE object_id = NEW.id AND deleted_at IS NULL;"
    for table in HANGING
)

ALSO = Dialects(
    postgresql=f"""
CREATE FUNCTION sync_object_moved() RETURNS trigger LANGUAGE plpgsql AS $moved$
BEGIN
  -- Waits for whoever is hanging something on the object right now, and makes later ones wait: their row
  -- would else be neither stamped here nor stamped late enough by themselves.
  PERFORM 1 FROM objects_object WHERE id = NEW.id FOR UPDATE;
  INSERT INTO sync_loss ({COLUMNS})
  VALUES (OLD.id, NULL, NULL, OLD.city_id, OLD.district_id, {HERE_SINCE.format(object="id")},
    {POSITION}, clock_timestamp());
{POSTGRESQL_STAMPS}
  RETURN NULL;
END $moved$;
CREATE TRIGGER sync_object_moved AFTER UPDATE OF city_id, district_id ON objects_object
  FOR EACH ROW WHEN (NEW.city_id <> OLD.city_id OR NEW.district_id IS DISTINCT FROM OLD.district_id)
  EXECUTE FUNCTION sync_object_moved();

CREATE FUNCTION sync_access_ended() RETURNS trigger LANGUAGE plpgsql AS $ended$
BEGIN
  INSERT INTO sync_loss ({COLUMNS})
  VALUES (OLD.object_id, NULL, OLD.user_id, NULL, NULL, OLD.feed_position, NEW.feed_position,
    clock_timestamp());
  RETURN NULL;
END $ended$;
CREATE TRIGGER sync_access_ended AFTER UPDATE ON objects_objectaccess
  FOR EACH ROW WHEN ((OLD.live_visits > 0 OR OLD.responsible)
    AND NOT (NEW.live_visits > 0 OR NEW.responsible))
  EXECUTE FUNCTION sync_access_ended();

CREATE FUNCTION sync_visit_left() RETURNS trigger LANGUAGE plpgsql AS $left$
BEGIN
  {visit_leaves(POSITION, "clock_timestamp()")}
  RETURN NULL;
END $left$;
CREATE TRIGGER sync_visit_left AFTER UPDATE OF engineer_id, object_id ON visits_visit
  FOR EACH ROW WHEN (NEW.engineer_id <> OLD.engineer_id OR NEW.object_id <> OLD.object_id)
  EXECUTE FUNCTION sync_visit_left();

-- Others hang rows on the object until this transaction ends, and their readers see them until then: so the
-- moment is that of the commit, not that of the statement.
CREATE FUNCTION sync_loss_committed() RETURNS trigger LANGUAGE plpgsql AS $committed$
BEGIN
  UPDATE sync_loss SET at = clock_timestamp() WHERE id = NEW.id;
  RETURN NULL;
END $committed$;
CREATE CONSTRAINT TRIGGER sync_loss_committed AFTER INSERT ON sync_loss DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION sync_loss_committed();
""",
    sqlite=STATEMENT_END.join(
        (
            f"""CREATE TRIGGER sync_object_moved AFTER UPDATE OF city_id, district_id ON objects_object
WHEN NEW.city_id IS NOT OLD.city_id OR NEW.district_id IS NOT OLD.district_id
BEGIN
  UPDATE crm_feed_clock SET value = value + 1 WHERE id = 1;
  INSERT INTO sync_loss ({COLUMNS})
  SELECT OLD.id, NULL, NULL, OLD.city_id, OLD.district_id, {HERE_SINCE.format(object="id")},
    {SQLITE_POSITION}, {SQLITE_NOW};
  {SQLITE_STAMPS}
END;""",
            f"""CREATE TRIGGER sync_access_ended AFTER UPDATE ON objects_objectaccess
WHEN (OLD.live_visits > 0 OR OLD.responsible) AND NOT (NEW.live_visits > 0 OR NEW.responsible)
BEGIN
  INSERT INTO sync_loss ({COLUMNS})
  SELECT OLD.object_id, NULL, OLD.user_id, NULL, NULL, OLD.feed_position, NEW.feed_position, {SQLITE_NOW};
END;""",
            f"""CREATE TRIGGER sync_visit_left AFTER UPDATE OF engineer_id, object_id ON visits_visit
WHEN NEW.engineer_id IS NOT OLD.engineer_id OR NEW.object_id IS NOT OLD.object_id
BEGIN
  UPDATE crm_feed_clock SET value = value + 1 WHERE id = 1;
  {visit_leaves(SQLITE_POSITION, SQLITE_NOW)}
END;""",
        )
    ),
)
ALSO_DOWN = Dialects(
    postgresql="""
DROP TRIGGER sync_loss_committed ON sync_loss;
DROP FUNCTION sync_loss_committed();
DROP TRIGGER sync_visit_left ON visits_visit;
DROP FUNCTION sync_visit_left();
DROP TRIGGER sync_access_ended ON objects_objectaccess;
DROP FUNCTION sync_access_ended();
DROP TRIGGER sync_object_moved ON objects_object;
DROP FUNCTION sync_object_moved();
""",
    sqlite=STATEMENT_END.join(
        (
            "DROP TRIGGER sync_visit_left;",
            "DROP TRIGGER sync_access_ended;",
            "DROP TRIGGER sync_object_moved;",
        )
    ),
)

FOLDER = Path(__file__).parent / "migrations"
FROZEN = [Freeze(FOLDER, "0002_leaving_sight", (), ALSO, ALSO_DOWN)]
