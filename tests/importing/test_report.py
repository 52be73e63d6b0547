"""The rows as a file that a person opens, and what a dry run leaves for the run."""

import csv
import io
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st

from crm.importing.basis import Basis, ChangedSince
from crm.importing.outcomes import FieldChange, Outcome, RowResult, Totals
from crm.importing.report import ReportFile


def result(line: int, outcome: Outcome = Outcome.UPDATE, **facts: object) -> RowResult:
    return RowResult(line, outcome, "title", ["=1+1", "Мира 5"], **facts)


def test_a_report_is_readable_and_harmless() -> None:
    out = io.StringIO(newline="")
    with override("en"):
        report = ReportFile(out, ["name", "address"], only=[Outcome.UPDATE, Outcome.PROBLEM])
        report.add(result(2, changes=[FieldChange("phone", "phone", "", "+79123456789")]))
        report.add(result(3, Outcome.UNCHANGED))
        report.add(result(4, Outcome.PROBLEM, sentences=["One.", "Two."]))
    assert out.getvalue().startswith("\ufeff")
    rows = list(csv.reader(io.StringIO(out.getvalue().lstrip("\ufeff")), delimiter=";"))
    assert rows == [
        ["line", "result", "changes", "problem", "name", "address"],
        ["2", "changed", "phone: — → +79123456789", "", "'=1+1", "Мира 5"],
        ["4", "not imported", "", "One. Two.", "'=1+1", "Мира 5"],
    ]


def test_totals_as_json() -> None:
    totals = Totals()
    totals.note(result(1, Outcome.CREATE, new_units=2))
    totals.note(result(2, Outcome.PROBLEM))
    assert totals.as_json() == {
        "create": 1, "update": 0, "unchanged": 0, "repeat": 0, "problem": 1, "rows": 2, "new_units": 2,
    }  # fmt: skip


def record(pk: UUID, version: int, **changed: int) -> SimpleNamespace:
    field = SimpleNamespace(attname="notes", verbose_name="notes")
    meta = SimpleNamespace(concrete_fields=[field])
    return SimpleNamespace(pk=pk, version=version, field_versions=changed, notes="now", _meta=meta)


def test_a_basis_tells_what_moved() -> None:
    known, basis = uuid4(), Basis()
    basis.note(result(2, record_id=known, version=3))
    basis.note(result(5, Outcome.PROBLEM))
    basis.note(result(7, Outcome.CREATE))
    basis = Basis.from_bytes(basis.to_bytes())
    assert len(basis) == 2
    basis.refuse_changed(2, record(known, 3), {"notes": "new"})
    # Another field moved, or nothing is left to do.
    basis.refuse_changed(2, record(known, 5, full_name=5), {"notes": "new"})
    basis.refuse_changed(2, record(known, 4, notes=4), {"notes": "now"})
    basis.refuse_changed(2, record(known, 4, notes=4), {})
    for line, pk, version in ((2, known, 4), (2, uuid4(), 3), (5, known, 3), (7, known, 1)):
        with pytest.raises(ChangedSince, match="notes"):
            basis.refuse_changed(line, record(pk, version, notes=version), {"notes": "new"})
    basis.refuse_new(7)
    basis.refuse_new(5)
    with pytest.raises(ChangedSince):
        basis.refuse_new(2)


@given(st.binary(max_size=60))
def test_a_basis_from_any_bytes(stored: bytes) -> None:
    try:
        basis = Basis.from_bytes(stored)
    except ValueError:
        return
    assert basis.to_bytes() == stored
