"""Epochs: the lives of a database. A cursor of another life is refused.

The name of a life is made of a random name and counter stored in the database, and on PostgreSQL of what the
cluster says of itself: a dump restored elsewhere, a database copied, a recovery to a point in time differ in
that, and are noticed without anybody remembering. What no engine notices (a file or a snapshot put back)
`manage.py sync_new_epoch` tells.
"""

from dataclasses import dataclass
from hashlib import sha256
from uuid import uuid4

from django.db import DatabaseError, connection, transaction
from django.utils.translation import gettext as _

from crm.db.positions import horizon_sql, identity_of, writing_position_sql
from crm.errors import Unavailable
from objects.access import ObjectAccess
from objects.models import Object
from sync.entities import ENTITIES
from sync.losses import Loss
from sync.state import FeedState


@dataclass(frozen=True, slots=True)
class Epoch:
    """This life's name, and the position below which deletions are forgotten."""

    name: str
    purged_position: int


def identity() -> str:
    """What the database says of itself now."""
    return identity_of(connection, table=Object._meta.db_table)


def first_life(now: str) -> dict[str, str]:
    """What a new installation writes down of itself."""
    return {"name": uuid4().hex, "identity": now}


def current_epoch() -> Epoch:
    """The epoch of this pull. A new life is begun when the database is not the one that it was.

    Raises Unavailable while somebody else is beginning it.
    """
    now = identity()
    state = FeedState.objects.filter(pk=1).first()
    if state is None:
        state, _created = FeedState.objects.get_or_create(pk=1, defaults=first_life(now))
    if state.identity != now:
        state = begin_epoch(unless=now)
    parts = f"{state.name}:{state.counter}:{state.identity}"
    return Epoch(sha256(parts.encode()).hexdigest()[:16], state.purged_position)


def begin_epoch(*, unless: str | None = None) -> FeedState:
    """Begin a new life: every cursor is void from now on. `unless`: not when it began with this identity.

    Positions that came along from another cluster and lie ahead of this one's are stamped anew, or the feed
    would hold these rows back until its transactions had counted as far. Raises Unavailable.
    """
    with transaction.atomic():
        FeedState.objects.get_or_create(pk=1, defaults=first_life(identity()))
        try:
            with transaction.atomic():
                state = FeedState.objects.select_for_update(nowait=True).get(pk=1)
        except DatabaseError as error:
            raise Unavailable(
                _("The database has been restored; the feed is being prepared.")
            ) from error
        if state.identity == unless:
            return state
        send_rows_ahead_again()
        Loss.objects.but_for_last_moves().delete()
        state.identity = identity()
        state.counter += 1
        state.purged_position = 0
        state.save()
    return state


def send_rows_ahead_again() -> None:
    """Stamp anew what bears a position of a future that is none here."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {horizon_sql(connection)}")
        (horizon,) = cursor.fetchone()
        for entity in ENTITIES:
            entity.model.objects.filter(feed_position__gte=horizon).send_again()
        here = writing_position_sql(connection)
        for table, column in (
            (ObjectAccess._meta.db_table, "feed_position"),
            (Loss._meta.db_table, "position"),
        ):
            cursor.execute(
                f"UPDATE {table} SET {column} = {here} WHERE {column} >= %s",  # noqa: S608
                [horizon],
            )
