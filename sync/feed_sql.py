"""The one statement of a pull.

Per table the feed is a union of indexed ways, each in the feed's order and cut to the page's length:

- by territory: rows whose object lies in the reader's territory, at the row's own position;
- by ledger, for an engineer: rows beyond the territory whose object the ledger shows, at the later of the
  row's and the ledger's position (found through either). What stood as it stands when the phone began comes
  at the ledger's position alone: a first sync walks along the ledger, and never looks through whole tables
  for rows that are younger than it;
- lost: rows that the reader could have seen until a loss, and does not see now, at the loss's position.

Of a deleted row in sight the first two tell as a deletion, unless it was deleted before it came into sight.
The page's keys are chosen first; only then the rows are looked up and become JSON.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper

from crm.db.json_text import beside_sql, id_sql, moment_sql, place_sql
from crm.db.positions import horizon_sql, id_parameter
from crm.territory.sight import Territory
from crm.users.models import User
from sync.cursors import Cursor
from sync.entities import Entity

LEDGER = "objects_objectaccess"
GIVES_SIGHT = "(a.live_visits > 0 OR a.responsible)"
HORIZON = "(SELECT h FROM bound)"
NOTHING = "CAST(NULL AS timestamptz)"
KEYS = "pos, t, id, place, gone, at"


@dataclass(frozen=True)
class PageStatement:
    """Builds the statement for one reader and one cursor. `deletions`: whether any can be due."""

    connection: BaseDatabaseWrapper
    user: User
    cursor: Cursor
    entities: Sequence[Entity]
    limit: int
    deletions: bool

    @property
    def territory(self) -> Territory:
        """The reader's part of the map."""
        return self.user.territory

    @property
    def parameters(self) -> dict[str, Any]:
        """The statement's named parameters."""
        return {
            "user": id_parameter(self.connection, self.user.pk),
            "city": id_parameter(self.connection, self.territory.city_id),
            "district": id_parameter(self.connection, self.territory.district_id),
            "position": self.cursor.position,
            "row": id_parameter(self.connection, self.cursor.id),
            # No row has this id, and none a smaller one.
            "nil": id_parameter(self.connection, UUID(int=0)),
            "start": self.cursor.start,
        }

    # --- conditions ---

    @property
    def place(self) -> str:
        """The column that decides on territory, and its value; empty without a territory."""
        if self.territory.district_id is not None:
            return "district_id = %(district)s"
        return "city_id = %(city)s" if self.territory.city_id is not None else ""

    @property
    def inside(self) -> str:
        """The object (alias o) lies in the territory."""
        if self.territory.everything:
            return "1 = 1"
        return f"o.{self.place}" if self.place else "1 = 0"

    @property
    def outside(self) -> str:
        """The object lies beyond the territory."""
        if not self.place:
            return "1 = 1"
        column = self.place.partition(" ")[0]
        return f"(o.{self.place.replace('=', '<>')} OR o.{column} IS NULL)"

    @property
    def by_ledger(self) -> bool:
        """Whether the reader's sight reaches beyond the territory."""
        return self.user.is_engineer

    def own(self, entity: Entity) -> str:
        """The row is one of those that the reader gets of this kind."""
        return "(r.engineer_id = %(user)s)" if entity.own and self.by_ledger else "(1 = 1)"

    def after(self, position: str, entity: Entity) -> str:
        """The key with that position lies beyond the cursor and below the horizon.

        Pairs, since PostgreSQL takes `position > 5 AND position < h` for a handful of rows whatever they are,
        reads all of them and sorts; of a pair it knows the beginning and guesses a third.
        """
        return f"{self.beyond(position, entity)} AND ({position}, r.id) < ({HORIZON}, %(nil)s)"

    def beyond(self, position: str, entity: Entity) -> str:
        """The key with that position lies beyond the cursor."""
        if self.cursor.id is None or entity.number < self.cursor.table:
            return f"{position} > %(position)s"
        if entity.number > self.cursor.table:
            return f"{position} >= %(position)s"
        return f"({position}, r.id) > (%(position)s, %(row)s)"

    def not_seen(self, entity: Entity) -> str:
        """The reader does not see the row (r, of object o) now."""
        beyond = self.outside
        if self.by_ledger:
            beyond += (
                f" AND NOT EXISTS (SELECT 1 FROM {LEDGER} a WHERE a.user_id = %(user)s"
                f" AND a.object_id = o.id AND {GIVES_SIGHT})"
            )
        gone = f"r.deleted_at IS NOT NULL AND NOT ({self.told_as_tombstone(entity)})"
        return f"({gone} OR {beyond} OR NOT {self.own(entity)})"

    @staticmethod
    def moved_since(entity: Entity) -> str:
        """The object came to where it lies after the row was written."""
        return (
            "EXISTS (SELECT 1 FROM sync_loss m"
            f" WHERE m.object_id = {'r.object_id' if entity.hangs else 'r.id'}"
            " AND m.user_id IS NULL AND m.visit_id IS NULL AND m.position >= r.feed_position)"
        )

    def told_as_tombstone(self, entity: Entity) -> str:
        """The way by territory or by ledger tells of the deleted row; a loss need not tell of it again."""
        moved = self.moved_since(entity)
        told = f"NOT {self.outside} AND NOT {moved}"
        if self.by_ledger:
            told += (
                f" OR ({self.outside} OR {moved}) AND EXISTS (SELECT 1 FROM {LEDGER} a"
                f" WHERE a.user_id = %(user)s AND a.object_id = o.id AND {GIVES_SIGHT}"
                " AND r.feed_position > a.feed_position)"
            )
        return f"{self.own(entity)} AND r.feed_position >= %(start)s AND ({told})"

    @staticmethod
    def joined(entity: Entity) -> str:
        """The row with its object; of an object, the row itself twice."""
        return f"{entity.table} r JOIN objects_object o ON o.id = " + (
            "r.object_id" if entity.hangs else "r.id"
        )

    def source(self, entity: Entity, *, filtering: bool) -> str:
        """The row, with its object where a condition asks for that."""
        if filtering and entity.hangs:
            return f"{entity.table} r JOIN objects_object o ON o.id = r.object_id"
        return f"{entity.table} r"

    def way(self, entity: Entity, position: str, source: str, *conditions: str) -> str:
        """One way to the rows, in the feed's order, as long as a page."""
        return (
            f"SELECT * FROM (SELECT {position} AS pos, {entity.number} AS t, r.id AS id, {self.row_place},"
            f" CASE WHEN r.deleted_at IS NULL THEN 0 ELSE 1 END AS gone, {NOTHING} AS at"
            f" FROM {source} WHERE {' AND '.join(conditions)}"
            f" ORDER BY {position}, r.id LIMIT {self.limit}) w"
        )

    @property
    def row_place(self) -> str:
        """Where the row lies, so that it is found again without its index."""
        return f"{place_sql(self.connection, 'r')} AS place"

    # --- ways ---

    def ways(self) -> Iterator[str]:
        """Every way that this reader's rows may come."""
        for entity in self.entities:
            if self.territory.everything or self.place:
                yield self.by_territory(entity)
            if self.by_ledger:
                yield from self.through_ledger(entity)
        if self.deletions and not self.territory.everything:
            losses = [loss for entity in self.entities for loss in self.losses(entity)]
            yield (
                f"SELECT * FROM (SELECT pos, t, id, place, 1 AS gone, max(at) AS at"
                f" FROM ({' UNION ALL '.join(losses)}) l GROUP BY pos, t, id, place"
                f" ORDER BY pos, t, id LIMIT {self.limit}) w"
            )

    def by_territory(self, entity: Entity) -> str:
        """Rows of the territory. A tombstone from before its object came there was never seen there."""
        fate = "r.deleted_at IS NULL"
        if self.deletions:
            fate += " OR r.feed_position >= %(start)s"
            if not self.territory.everything:
                fate += f" AND NOT {self.moved_since(entity)}"
        filtering = not self.territory.everything
        source = self.source(entity, filtering=filtering)
        inside = self.inside if entity.hangs else self.inside.replace("o.", "r.")
        conditions = [self.after("r.feed_position", entity), f"({fate})", inside, self.own(entity)]
        return self.way(entity, "r.feed_position", source, *conditions)

    def through_ledger(self, entity: Entity) -> Iterator[str]:
        """Rows beyond the territory that the ledger shows: those that moved since, and those it brought.

        `began`: where the phone began, empty. Without deletions that is here.
        """
        source = f"{self.joined(entity)} JOIN {LEDGER} a ON a.object_id = o.id"
        claim = (f"a.user_id = %(user)s AND {GIVES_SIGHT}", self.own(entity))
        live = f"r.deleted_at IS NULL AND {self.outside}"
        began = "%(start)s" if self.deletions else HORIZON
        if self.deletions:
            # What was deleted before its object came into the territory is not told of by territory.
            there = f"({self.outside} OR {self.moved_since(entity)})"
            yield self.way(
                entity,
                "r.feed_position",
                source,
                self.after("r.feed_position", entity),
                f"r.feed_position >= {began}",
                "r.feed_position > a.feed_position",
                f"({live} OR r.deleted_at IS NOT NULL AND {there})",
                *claim,
            )
        yield self.way(
            entity,
            "a.feed_position",
            source,
            self.after("a.feed_position", entity),
            f"(r.feed_position <= a.feed_position OR r.feed_position < {began})",
            live,
            *claim,
        )

    def losses(self, entity: Entity) -> Iterator[str]:
        """Rows that the reader could have seen until a loss, and does not see now."""
        link = "r.object_id = l.object_id" if entity.hangs else "r.id = l.object_id"
        existed = "(r.deleted_at IS NULL OR r.feed_position > l.began)"
        if entity.hangs:
            # Not "<": SQLite counts milliseconds, and what came in the same one may have been pulled.
            existed += " AND r.created_at <= l.at"
        if self.by_ledger:
            mine = "l.user_id = %(user)s AND l.visit_id IS NULL"
            yield self.loss(entity, link, mine, existed, self.own(entity))
        if self.place:
            there = f"l.{self.place} AND l.user_id IS NULL"
            yield self.loss(entity, link, there, existed, self.own(entity))
        if entity.own:
            whose = "l.user_id = %(user)s" if self.by_ledger else f"l.{self.place}"
            yield self.loss(entity, "r.id = l.visit_id", whose, "l.visit_id IS NOT NULL")

    def loss(self, entity: Entity, link: str, *conditions: str) -> str:
        """One kind of loss, in the feed's order, as long as a page."""
        everything = (
            self.after("l.position", entity),
            "l.position >= %(start)s",
            *conditions,
            self.not_seen(entity),
        )
        return (
            f"SELECT * FROM (SELECT l.position AS pos, {entity.number} AS t, r.id AS id, {self.row_place},"
            " max(l.at) AS at"
            f" FROM sync_loss l JOIN {entity.table} r ON {link} JOIN objects_object o"
            f" ON o.id = {'r.object_id' if entity.hangs else 'r.id'}"
            f" WHERE {' AND '.join(everything)}"
            f" GROUP BY l.position, r.id, place ORDER BY l.position, r.id LIMIT {self.limit}) w"
        )

    # --- rows ---

    def item(self, entity: Entity) -> str:
        """The feed's item of the row whose key is p, as JSON text."""
        members = entity.members(self.connection, row="r", masked=not self.user.sees_personal_data)
        row, beside = beside_sql(self.connection, members)
        moment = (
            "CASE WHEN r.deleted_at IS NULL AND p.at IS NOT NULL THEN p.at ELSE r.updated_at END"
        )
        return (
            f"""(SELECT '{{"id":"' || {id_sql(self.connection, "r.id")} || '","table_name":"{entity.name}","""
            """"action":"' || CASE WHEN p.gone = 1 THEN 'delete' WHEN r.version = 1 THEN 'create'"""
            """ ELSE 'update' END || '","data":' || CASE WHEN p.gone = 1 THEN 'null' ELSE """
            f"""{row} END || ',"updated_at":"' || {moment_sql(self.connection, f"({moment})")}"""
            """ || '","version":' || r.version || ',"reason":' || CASE WHEN p.gone = 0 THEN 'null'"""
            """ WHEN r.deleted_at IS NULL THEN '"out_of_scope"' ELSE '"deleted"' END || '}'"""
            f" FROM {entity.table} r{beside} WHERE {place_sql(self.connection, 'r')} = p.place)"
        )

    def sql(self) -> str:
        """Rows of (horizon, position, table number, id, item); one with nulls when there are none."""
        ways = list(self.ways())
        keys = " UNION ALL ".join(ways)
        items = " ".join(f"WHEN {each.number} THEN {self.item(each)}" for each in self.entities)
        return (
            f"WITH bound AS (SELECT {horizon_sql(self.connection)} AS h)"
            f" SELECT b.h, p.pos, p.t, p.id, CASE p.t {items} END FROM bound b LEFT JOIN"
            f" (SELECT {KEYS} FROM ({keys}) q ORDER BY pos, t, id LIMIT {self.limit}) p ON 1 = 1"
        )
