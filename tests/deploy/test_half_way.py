"""A migration that was stopped while it made an index is simply run again."""

import pytest
from django.db import connection
from django.db.migrations.loader import MigrationLoader

pytestmark = [pytest.mark.postgresql_only, pytest.mark.django_db(transaction=True)]

INDEXES = [
    ("objects", "0005_map_index", "objects_object_map"),
    ("objects", "0006_home_indexes", "objects_object_counted"),
    ("objects", "0008_points", "objects_object_place"),
    ("objects", "0009_unit_words", "objects_unit_search"),
    ("clients", "0006_answers_index", "clients_customer_answers"),
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
