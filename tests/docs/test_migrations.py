"""The migration in docs/migrations.md runs from the document: it alters a kept table and loses no trigger."""

import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from django.db import connection, migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.utils import DatabaseError

ROOT = Path(__file__).resolve().parents[2]
WIDER = migrations.AlterField(
    "object", "contact_name", models.CharField(max_length=300, blank=True, null=True)
)


class TakeBack(Exception):
    """Ends the transaction: the next test finds the tables as they were."""


def documented_operations() -> list[Operation]:
    text = (ROOT / "docs" / "migrations.md").read_text(encoding="utf-8")
    found = re.search(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    assert found is not None
    names = {
        "__file__": str(ROOT / "objects" / "migrations" / "0004_wider.py"),
        "__name__": "wider",
    }
    exec(compile(found[1], "docs/migrations.md", "exec"), names)  # noqa: S102 - our own document
    operations: list[Operation] = names["Migration"].operations  # type: ignore[attr-defined]
    return operations


def triggers() -> list[tuple[str, ...]]:
    """Every trigger with its text."""
    sources = {
        "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY name",
        "postgresql": "SELECT tgname, pg_get_triggerdef(oid), pg_get_functiondef(tgfoid)"
        " FROM pg_trigger WHERE NOT tgisinternal ORDER BY tgname",
    }
    with connection.cursor() as cursor:
        cursor.execute(sources[connection.vendor])
        return list(cursor.fetchall())


def run(operations: list[Operation], look: Callable[[], None]) -> None:
    """Migrate `objects` forwards by the operations, look, and take it all back."""
    state = MigrationLoader(connection).project_state()
    with suppress(TakeBack), connection.schema_editor(atomic=True) as editor:
        for operation in operations:
            before, state = state, state.clone()
            operation.state_forwards("objects", state)
            operation.database_forwards("objects", editor, before, state)
        look()
        raise TakeBack


@pytest.mark.django_db(transaction=True)
def test_documented_migration_keeps_every_trigger() -> None:
    before = triggers()
    assert len(before) > 10
    widths: list[int] = []

    def look() -> None:
        assert triggers() == before
        with connection.cursor() as cursor:
            columns = connection.introspection.get_table_description(cursor, "objects_object")
        widths.extend(c.display_size for c in columns if c.name == "contact_name")

    run(documented_operations(), look)
    assert widths == [300]
    assert triggers() == before


@pytest.mark.sqlite_only
@pytest.mark.django_db(transaction=True)
def test_without_letting_go_it_fails() -> None:
    """What the page warns of. When this no longer fails, the page has to change."""
    before = triggers()
    with pytest.raises(DatabaseError, match=r"trigger|foreign key"):
        run([WIDER], lambda: None)
    assert triggers() == before
