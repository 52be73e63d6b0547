"""Deleting and bringing back many records: the same for every kind."""

from typing import Any

from django.utils.translation import gettext_lazy

from crm.backoffice.bulk import actions
from crm.backoffice.bulk.actions import Batch, BulkAction
from crm.editing import RecordServices
from crm.editing_many import Tally, delete_many
from crm.errors import CallerError, NotFound, Sentence
from crm.records import Record

# An object takes its flats, customers and visits along.
DELETED_AT_ONCE = 100
RESTORED_AT_ONCE = 20


def add(model: type[Record], services: RecordServices, *, along: Sentence = "") -> None:
    """Let many records of that kind be deleted and, by administrators, restored. along: what goes too."""
    label = model._meta.label_lower

    def remove(batch: Batch) -> Tally:
        return delete_many(model, batch.bases, actor=batch.actor)

    def bring_back(batch: Batch) -> Tally:
        return restored(model, services, batch)

    actions.add(
        BulkAction(
            name=f"{label}.delete",
            model=model,
            title=gettext_lazy("Delete"),
            button=gettext_lazy("Delete"),
            explains=along
            or gettext_lazy(
                "They disappear from every list and from the phones of engineers."
                " An administrator can bring them back."
            ),
            work=remove,
            danger=True,
            batch=DELETED_AT_ONCE,
        )
    )
    actions.add(
        BulkAction(
            name=f"{label}.restore",
            model=model,
            title=gettext_lazy("Restore"),
            button=gettext_lazy("Restore"),
            explains=gettext_lazy("They come back with exactly what went with them."),
            work=bring_back,
            allowed=lambda user: user.is_admin,
            deleted=True,
            batch=RESTORED_AT_ONCE,
        )
    )


def restored(model: type[Record], services: RecordServices, batch: Batch) -> Tally:
    """Bring back one after the other: each looks for what is in its way."""
    tally = Tally()
    rows: Any = model.objects.in_sight_of(batch.actor).filter(pk__in=list(batch.bases))
    gone = dict(rows.values_list("pk", "deleted_at"))
    for pk in batch.bases:
        try:
            if pk not in gone:
                raise NotFound
            if gone[pk] is None:
                tally.unchanged.append(pk)
                continue
            services.restore(actor=batch.actor, record_id=pk)
        except CallerError as error:
            tally.refused.append((pk, error))
        else:
            tally.done.append(pk)
    return tally
