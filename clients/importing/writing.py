"""The writes of a batch of customers."""

from collections.abc import Sequence
from typing import Any

from django.db import connections
from django.utils.translation import gettext as _

from clients.importing.deciding import Decision
from clients.models import Customer
from crm.changes import Action, Change, report, snapshot
from crm.db.bulk import copy_rows, update_rows
from crm.editing import change_of
from crm.importing.basis import ChangedSince
from crm.records import TRIGGER_KEPT, Record
from crm.users.models import User


def write(decisions: Sequence[Decision], *, actor: User | None) -> None:
    """Write new flats, new customers and edits, and report them, inside the caller's transaction.

    Raises IntegrityError for what the database refuses, and ChangedSince when somebody changed a customer
    without holding its object's lock.
    """
    told = _inserted([each.unit for each in decisions if each.unit is not None])
    told += _inserted([each.record for each in decisions if each.before is None])
    told += _updated([each for each in decisions if each.before is not None and each.changes])
    report(told, actor=actor)


def _inserted(records: Sequence[Record]) -> list[Change]:
    if not records:
        return []
    model = type(records[0])
    skipped = {*TRIGGER_KEPT, *model.DERIVED, "deleted_at", "deletion_id"}
    names = [f.attname for f in model._meta.concrete_fields if f.attname not in skipped]
    rows = [[getattr(record, name) for name in names] for record in records]
    copy_rows(connections[model.objects.db], model._meta.db_table, names, rows)
    model.read_back(records, using=model.objects.db)
    return [change_of(Action.CREATE, record, after=snapshot(record)) for record in records]


def _updated(decisions: Sequence[Decision]) -> list[Change]:
    if not decisions:
        return []
    columns = sorted({column for each in decisions for column in each.changes})
    records = [each.record for each in decisions]
    rows: list[list[Any]] = [
        [record.pk, record.version, *(getattr(record, column) for column in columns)]
        for record in records
    ]
    database = Customer.objects.db
    written = update_rows(connections[database], Customer, ["id", "version"], columns, rows)
    if written != len(rows):
        raise ChangedSince(_("Somebody changed this record at the same moment. Import it again."))
    Customer.read_back(records, using=database)
    return [
        change_of(
            Action.UPDATE, each.record, before=snapshot(each.before), after=snapshot(each.record)
        )
        for each in decisions
        if each.before is not None
    ]
