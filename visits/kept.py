"""What the database keeps of visits: their times, the status rules, the counters and the ledger's share."""

from pathlib import Path

from clients.models import Interest
from crm.db import postgresql
from crm.db.triggers.conditions import (
    hangs_on_deleted_object,
    joined,
    missing,
    not_among,
    refuse_orphans,
)
from crm.db.triggers.freezing import Freeze
from crm.db.triggers.postgresql import POSITION
from crm.db.triggers.spec import Dialects, Guard, KeptTable
from crm.db.triggers.sqlite import NOW as SQLITE_NOW
from crm.db.triggers.sqlite import POSITION as SQLITE_POSITION
from crm.db.triggers.sqlite import STATEMENT_END
from visits.models import Visit
from visits.transitions import VisitStatus, allowed_moves

# Every move that somebody may make; who may reopen is the service's question.
MOVES = " OR ".join(
    f"OLD.status = '{status}' AND NEW.status = '{target}'"
    for status in VisitStatus
    for target in allowed_moves(status, may_reopen=True)
)
FINISHED_NOW = Dialects("clock_timestamp()", SQLITE_NOW)


def filled(column: str, *sources: str) -> Dialects:
    """A DONE visit has both its times: what was written, or the other one, or now."""
    return Dialects(
        *(
            f"CASE WHEN NEW.status = 'DONE' THEN coalesce({', '.join([f'NEW.{column}', *sources, now])})"
            f" ELSE NEW.{column} END"
            for now in (FINISHED_NOW.postgresql, FINISHED_NOW.sqlite)
        )
    )


SQLITE_LIVE = "{row}.deleted_at IS NULL AND {row}.status <> 'CANCELLED'"
SQLITE_LOSE = (
    "UPDATE objects_objectaccess SET live_visits = live_visits - 1, feed_position ="
    f" CASE WHEN live_visits = 1 AND NOT responsible THEN {SQLITE_POSITION} ELSE feed_position END"
    " WHERE {when} AND user_id = OLD.engineer_id AND object_id = OLD.object_id;"
)
SQLITE_GAIN = (
    "INSERT INTO objects_objectaccess (user_id, object_id, live_visits, responsible, feed_position)"
    f" SELECT NEW.engineer_id, NEW.object_id, 1, 0, {SQLITE_POSITION} WHERE {{when}}"
    " ON CONFLICT (user_id, object_id) DO UPDATE SET live_visits = live_visits + 1, feed_position ="
    " CASE WHEN live_visits = 0 AND NOT responsible THEN excluded.feed_position ELSE feed_position END;"
)
SQLITE_DERIVE = "UPDATE crm_feed_clock SET deriving = 1 WHERE id = 1;"
SQLITE_DERIVED = "UPDATE crm_feed_clock SET deriving = 0 WHERE id = 1;"


def sqlite_recount(row: str) -> tuple[str, str]:
    """Set the counters of the object and the customer of NEW or OLD to what their finished visits say."""
    # The plus keeps SQLite from the index on the status alone, which would read every finished visit.
    done = "+v.status = 'DONE' AND v.deleted_at IS NULL"
    of_object = f"FROM visits_visit v WHERE v.object_id = {row}.object_id AND {done}"
    of_customer = f"FROM visits_visit v WHERE v.customer_id = {row}.customer_id AND {done}"
    counters = (
        f"UPDATE objects_object SET visits_count = (SELECT count(*) {of_object}),"
        f" last_visit_at = (SELECT max(v.finished_at) {of_object}) WHERE id = {row}.object_id;"
    )
    contact = (
        f"UPDATE clients_customer SET last_interaction_at = (SELECT max(v.finished_at) {of_customer})"
        f" WHERE id = {row}.customer_id;"
    )
    return counters, contact


LIVE_NEW, LIVE_OLD = SQLITE_LIVE.format(row="NEW"), SQLITE_LIVE.format(row="OLD")
PERSON_MOVED = "(NEW.engineer_id IS NOT OLD.engineer_id OR NEW.object_id IS NOT OLD.object_id)"

VISIT = KeptTable(
    table="visits_visit",
    versioned=Visit.versioned_columns(),
    kept=Visit.kept_columns(),
    fills={
        "finished_at": filled("finished_at"),
        "started_at": filled("started_at", "NEW.finished_at"),
    },
    json_columns=("interests",),
    search=(
        "(SELECT address FROM objects_object WHERE id = NEW.object_id)",
        "(SELECT full_name FROM users_user WHERE id = NEW.engineer_id)",
        "(SELECT full_name FROM clients_customer WHERE id = NEW.customer_id AND deleted_at IS NULL)",
        "NEW.outcome_text",
    ),
    search_columns=("object_id", "engineer_id", "customer_id", "outcome_text"),
    guards=(
        Guard("visits_visit_status_move", f"NOT ({MOVES})", columns=("status",), on=("UPDATE",)),
        Guard(
            "visits_visit_object_stays",
            "OLD.status <> 'PLANNED' OR NEW.status <> 'PLANNED'",
            columns=("object_id",),
            on=("UPDATE",),
        ),
        Guard(
            "visits_visit_object_live",
            hangs_on_deleted_object(),
            columns=("deleted_at", "object_id"),
        ),
        Guard(
            "visits_visit_unit_of_object",
            "NEW.unit_id IS NOT NULL AND "
            + missing("objects_unit", "t.id = NEW.unit_id AND t.object_id = NEW.object_id"),
            columns=("unit_id", "object_id"),
        ),
        Guard(
            "visits_visit_customer_of_object",
            "NEW.customer_id IS NOT NULL AND "
            + missing("clients_customer", "t.id = NEW.customer_id AND t.object_id = NEW.object_id"),
            columns=("customer_id", "object_id"),
        ),
        Guard(
            "visits_visit_engineer_active",
            missing("users_user", "t.id = NEW.engineer_id AND t.is_active"),
            columns=("engineer_id",),
        ),
        Guard(
            "visits_visit_outcome_blank",
            "NEW.status = 'DONE' AND trim(coalesce(NEW.outcome_text, '')) = ''",
        ),
        Guard(
            "visits_visit_interests_known",
            not_among("NEW.interests", Interest.values),
            columns=("interests",),
        ),
        Guard(
            "visits_visit_started_before_finished",
            "NEW.started_at > NEW.finished_at",
            columns=("started_at", "finished_at"),
        ),
    ),
    sqlite_after_insert=(
        SQLITE_DERIVE,
        *(
            s.replace(" WHERE id =", " WHERE NEW.status = 'DONE' AND id =")
            for s in sqlite_recount("NEW")
        ),
        SQLITE_DERIVED,
        SQLITE_GAIN.format(when=LIVE_NEW),
    ),
    sqlite_after_update=(
        SQLITE_DERIVE,
        *(
            s.replace(" WHERE id =", " WHERE (NEW.status = 'DONE' OR OLD.status = 'DONE') AND id =")
            for s in (*sqlite_recount("NEW"), *sqlite_recount("OLD"))
        ),
        SQLITE_DERIVED,
        SQLITE_LOSE.format(when=f"({LIVE_OLD}) AND (NOT ({LIVE_NEW}) OR {PERSON_MOVED})"),
        SQLITE_GAIN.format(when=f"({LIVE_NEW}) AND (NOT ({LIVE_OLD}) OR {PERSON_MOVED})"),
    ),
)

ALSO = Dialects(
    postgresql=f"""
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
      FILTER (WHERE customer_id IS NOT NULL), '{{}}')
    INTO objects, customers FROM new_rows WHERE status = 'DONE' AND deleted_at IS NULL;
  IF objects IS NOT NULL THEN
    PERFORM visits_recount(objects, customers);
  END IF;
  INSERT INTO objects_objectaccess AS a (user_id, object_id, live_visits, responsible, feed_position)
  SELECT engineer_id, object_id, count(*), false, {POSITION} FROM new_rows
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
      CASE WHEN a.live_visits = 1 AND NOT a.responsible THEN {POSITION} ELSE a.feed_position END
    WHERE a.user_id = OLD.engineer_id AND a.object_id = OLD.object_id;
  END IF;
  IF is_now THEN
    INSERT INTO objects_objectaccess AS a (user_id, object_id, live_visits, responsible, feed_position)
    VALUES (NEW.engineer_id, NEW.object_id, 1, false, {POSITION})
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
""",
    sqlite=STATEMENT_END.join(
        (
            "CREATE TRIGGER visits_visit_removed AFTER DELETE ON visits_visit BEGIN\n  "
            + "\n  ".join(
                (
                    SQLITE_DERIVE,
                    *sqlite_recount("OLD"),
                    SQLITE_DERIVED,
                    SQLITE_LOSE.format(when=LIVE_OLD),
                )
            )
            + "\nEND;",
            """CREATE TRIGGER visits_visit_address_changed AFTER UPDATE OF address ON objects_object
WHEN NEW.address <> OLD.address
BEGIN UPDATE visits_visit SET search_text = '' WHERE object_id = NEW.id; END;""",
            """CREATE TRIGGER visits_visit_engineer_renamed AFTER UPDATE OF full_name ON users_user
WHEN NEW.full_name <> OLD.full_name
BEGIN UPDATE visits_visit SET search_text = '' WHERE engineer_id = NEW.id; END;""",
            """CREATE TRIGGER visits_visit_customer_renamed
AFTER UPDATE OF full_name, deleted_at ON clients_customer
WHEN NEW.full_name IS NOT OLD.full_name OR NEW.deleted_at IS NOT OLD.deleted_at
BEGIN UPDATE visits_visit SET search_text = '' WHERE customer_id = NEW.id; END;""",
        )
    ),
)
ALSO_DOWN = Dialects(
    postgresql="""
DROP TRIGGER visits_visit_customer_renamed ON clients_customer;
DROP TRIGGER visits_visit_engineer_renamed ON users_user;
DROP TRIGGER visits_visit_address_changed ON objects_object;
DROP FUNCTION visits_visit_name_changed();
DROP TRIGGER visits_visit_removed ON visits_visit;
DROP TRIGGER visits_visit_moved ON visits_visit;
DROP FUNCTION visits_visit_moved();
DROP TRIGGER visits_visit_inserted ON visits_visit;
DROP FUNCTION visits_visit_inserted();
DROP FUNCTION visits_recount(uuid[], uuid[]);
""",
    sqlite=STATEMENT_END.join(
        (
            "DROP TRIGGER visits_visit_customer_renamed;",
            "DROP TRIGGER visits_visit_engineer_renamed;",
            "DROP TRIGGER visits_visit_address_changed;",
            "DROP TRIGGER visits_visit_removed;",
        )
    ),
)

INDEXES = Dialects(
    postgresql=postgresql.gin_search_index_sql(
        "visits_visit", "search_text", "visits_visit_search"
    ),
    sqlite="",
)
INDEXES_DOWN = Dialects(postgresql="DROP INDEX visits_visit_search;", sqlite="")

NO_ORPHANS, NO_ORPHANS_DOWN = refuse_orphans("visits_visit")

FOLDER = Path(__file__).parent / "migrations"
FROZEN = [
    Freeze(
        FOLDER, "0002_kept", (VISIT,), joined(ALSO, NO_ORPHANS), joined(NO_ORPHANS_DOWN, ALSO_DOWN)
    ),
    Freeze(FOLDER, "0003_search_indexes", (), INDEXES, INDEXES_DOWN),
]
