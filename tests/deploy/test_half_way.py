"""A migration that was stopped while it made an index is simply run again."""

from typing import Any

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

pytestmark = [pytest.mark.postgresql_only, pytest.mark.django_db(transaction=True)]

INDEXES = [
    ("objects", "0005_map_index", "objects_object_map"),
    ("objects", "0006_home_indexes", "objects_object_counted"),
    ("objects", "0009_unit_words", "objects_unit_search"),
    ("clients", "0006_answers_index", "clients_customer_answers"),
    ("objects", "0004_counting_indexes", "objects_object_city"),
    ("visits", "0007_sorting_indexes", "visits_visit_next_action"),
    ("visits", "0005_home_indexes", "visits_visit_promised"),
]


def is_valid(index: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT indisvalid FROM pg_index WHERE indexrelid = %s::regclass", [index])
        return bool(cursor.fetchone()[0])


@pytest.mark.parametrize(("app", "name", "index"), INDEXES)
def test_an_index_that_was_not_finished_is_made_anew(app: str, name: str, index: str) -> None:
    loader = MigrationLoader(connection)
    migration = loader.get_migration(app, name)
    state = loader.project_state((app, name), at_end=False)
    with connection.cursor() as cursor:
        # What CREATE INDEX CONCURRENTLY leaves behind when its connection goes.
        cursor.execute(
            "UPDATE pg_index SET indisvalid = false WHERE indexrelid = %s::regclass", [index]
        )
    assert not is_valid(index)
    with connection.schema_editor(atomic=False) as editor:
        migration.apply(state, editor)
    assert is_valid(index)


@pytest.mark.parametrize("statement", range(4))
def test_an_exchange_may_stop_anywhere(statement: int, monkeypatch: pytest.MonkeyPatch) -> None:
    app, name, index = "visits", "0007_sorting_indexes", "visits_visit_next_action"
    loader = MigrationLoader(connection)
    before, after = (loader.project_state((app, name), at_end=end) for end in (False, True))
    operation = loader.get_migration(app, name).operations[-1]
    with connection.schema_editor(atomic=False) as editor:
        left = [editor.execute] * statement

        def execute(*given: Any, **named: Any) -> None:
            left.pop()(*given, **named)

        monkeypatch.setattr(editor, "execute", execute)
        with pytest.raises(IndexError):
            operation.database_forwards(app, editor, before, after)
        assert not left
    with connection.schema_editor(atomic=False) as editor:
        operation.database_forwards(app, editor, before, after)
    assert is_valid(index)
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{index}_new"])
        assert cursor.fetchone() == (None,)
