"""Pulling: what changed for one person since a cursor, as a stream of JSON text."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import connection
from django.utils import timezone

from crm.api.fields import moment_text
from crm.db.json_text import stream
from crm.db.positions import horizon_sql
from crm.users.models import User
from sync.cursors import Cursor, ResyncRequired, check, decoded, scope_of
from sync.entities import BY_NAME, ENTITIES
from sync.epoch import Epoch, current_epoch
from sync.feed_sql import PageStatement
from sync.losses import Loss

MAX_LIMIT = 10_000
DEFAULT_LIMIT = 1000
# Of how many rows after a moment the first position is looked for.
SINCE_ROWS = 1000

Row = Sequence[bytes | None]


def pull(
    user: User,
    *,
    tables: tuple[str, ...],
    cursor: str = "",
    since: datetime | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Iterator[bytes]:
    """One page of the person's feed. tables: names in the order of ENTITIES. limit: items at most.

    The query has begun when this returns: what it raises (ResyncRequired, database errors) comes before the
    first byte. `since` is a best effort by time; a cursor is exact.
    """
    epoch = current_epoch()
    if cursor:
        after = decoded(cursor)
        check(after, user=user, epoch=epoch.name, tables=tables, purged=epoch.purged_position)
    else:
        after = Cursor(epoch.name, user.pk, scope_of(user), tables)
        if since is not None:
            after = begun_at(after, since, epoch)
    fresh = not cursor and since is None
    statement = PageStatement(
        connection,
        user,
        after,
        [BY_NAME[name] for name in tables],
        limit=limit + 1,
        # An empty phone has nothing to forget.
        deletions=not fresh,
    )
    rows = stream(connection, statement.sql(), statement.parameters)
    first = next(rows)
    horizon = int(first[0] or 0)
    if after.position >= horizon:
        rows.close()  # type: ignore[attr-defined]
        raise ResyncRequired("ahead")
    if fresh:
        after = moved(after, start=horizon)
    return page(chain((first,), rows), after, horizon, limit)


def moved(
    cursor: Cursor,
    *,
    position: int = 0,
    table: int = 0,
    row: UUID | None = None,
    start: int | None = None,
) -> Cursor:
    """The same phone's cursor at another place."""
    return Cursor(
        cursor.epoch,
        cursor.user_id,
        cursor.scope,
        cursor.tables,
        position,
        table,
        row,
        cursor.start if start is None else start,
    )


def begun_at(cursor: Cursor, since: datetime, epoch: Epoch) -> Cursor:
    """A cursor near that moment: below the positions of the first rows that changed after it."""
    # SQLite knows moments to the millisecond, cut off: what comes twice does no harm, what is missing does.
    since = since.replace(microsecond=since.microsecond // 1000 * 1000)
    positions = []
    for entity in ENTITIES:
        rows = entity.model._base_manager.filter(updated_at__gte=since).order_by("updated_at", "id")
        positions += list(rows.values_list("feed_position", flat=True)[:SINCE_ROWS])
    lost = Loss.objects.filter(at__gte=since).order_by("at").values_list("position", flat=True)
    positions += list(lost[:SINCE_ROWS])
    with connection.cursor() as asking:
        asking.execute(f"SELECT {horizon_sql(connection)}")
        positions.append(asking.fetchone()[0])
    return moved(cursor, position=min(positions) - 1, start=epoch.purged_position + 1)


def at(cursor: Cursor, row: Row) -> Cursor:
    """The same phone's cursor at a row of the feed."""
    position, table, row_id = (str(part, "ascii") for part in row[1:4] if part is not None)
    return moved(cursor, position=int(position), table=int(table), row=UUID(row_id))


def page(rows: Iterator[Row], after: Cursor, horizon: int, limit: int) -> Iterator[bytes]:
    """The answer, item by item; has_more and next_cursor follow from the last."""
    yield b'{"items":['
    last: Row = ()
    count, more = 0, False
    for row in rows:
        item = row[4]
        if item is None:
            continue
        if count == limit:
            # Nothing is left but the end of the answer: leaving the query early would cost a cancellation.
            more = True
            continue
        last = row
        yield item if count == 0 else b"," + item
        count += 1
    # Below the horizon there is nothing else: what others wrote need not be looked at again.
    reached = at(after, last) if more else moved(after, position=horizon - 1)
    yield (
        f'],"has_more":{"true" if more else "false"},"next_cursor":"{reached.encoded()}",'
        f'"server_time":"{moment_text(timezone.now())}"}}'
    ).encode()
