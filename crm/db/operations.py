"""Migration operations whose SQL is frozen in files beside the migration, one for each engine."""

from pathlib import Path
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import AddIndex, RemoveIndex
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

STATEMENT_END = "\n-- end of statement\n"


class FrozenSQL(Operation):
    """Run `sql/<name>.<engine>.sql` beside the migration, and `sql/<name>.<engine>.down.sql` in reverse.

    Statements that hold semicolons of their own are separated by the line `-- end of statement`.
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, folder: str, name: str) -> None:
        """folder: the migrations folder (`__file__` of the migration will do). name: the files' stem."""
        self.folder = folder
        self.name = name

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (type(self).__name__, [self.folder, self.name], {})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing that Django's models know of changes."""

    def run(self, schema_editor: BaseDatabaseSchemaEditor, suffix: str) -> None:
        """Execute one file, statement by statement."""
        folder = Path(self.folder)
        folder = folder.parent if folder.suffix else folder
        path = folder / "sql" / f"{self.name}.{schema_editor.connection.vendor}{suffix}"
        for statement in path.read_text(encoding="utf-8").split(STATEMENT_END):
            if statement.strip():
                schema_editor.execute(statement, params=None)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.run(schema_editor, ".sql")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.run(schema_editor, ".down.sql")

    def describe(self) -> str:
        return f"Run the frozen SQL of {self.name}"


class _WhileInUse:
    """On PostgreSQL the table stays open to writers meanwhile; the migration needs `atomic = False`."""

    def concurrently(self, editor: BaseDatabaseSchemaEditor) -> dict[str, bool]:
        """What the schema editor's methods take for it."""
        return {"concurrently": True} if editor.connection.vendor == "postgresql" else {}

    def make(
        self, editor: BaseDatabaseSchemaEditor, model: type[models.Model], index: models.Index
    ) -> None:
        """Make an index.

        A try that stopped half-way leaves one that serves nobody and is in the next one's way: it goes first.
        """
        how = self.concurrently(editor)
        if how:
            editor.remove_index(model, index, **how)
        editor.add_index(model, index, **how)

    def build(
        self, editor: BaseDatabaseSchemaEditor, app_label: str, state: ProjectState, name: str
    ) -> None:
        """Make the index that the state knows by its name."""
        model_state = state.models[app_label, self.model_name_lower]  # type: ignore[attr-defined]
        model = state.apps.get_model(app_label, self.model_name)  # type: ignore[attr-defined]
        self.make(editor, model, model_state.get_index_by_name(name))

    def drop(
        self, editor: BaseDatabaseSchemaEditor, app_label: str, state: ProjectState, name: str
    ) -> None:
        """Drop the index that the state knows by its name."""
        model_state = state.models[app_label, self.model_name_lower]  # type: ignore[attr-defined]
        model = state.apps.get_model(app_label, self.model_name)  # type: ignore[attr-defined]
        editor.remove_index(model, model_state.get_index_by_name(name), **self.concurrently(editor))


class AddIndexWhileInUse(_WhileInUse, AddIndex):
    """AddIndex for a big table."""

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.build(schema_editor, app_label, to_state, self.index.name)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.drop(schema_editor, app_label, from_state, self.index.name)


class RemoveIndexWhileInUse(_WhileInUse, RemoveIndex):
    """RemoveIndex for a big table."""

    atomic = False

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.drop(schema_editor, app_label, from_state, self.name)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.build(schema_editor, app_label, to_state, self.name)


class ExchangeIndexWhileInUse(_WhileInUse, Operation):
    """Put an index in the place of the one that has its name: no query is without one meanwhile.

    Can be run again, wherever it was stopped.
    """

    atomic = False
    reversible = True
    reduces_to_sql = True

    def __init__(self, model_name: str, index: models.Index) -> None:
        """index: the new one."""
        self.model_name = model_name
        self.index = index

    @property
    def model_name_lower(self) -> str:
        return self.model_name.lower()

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return type(self).__name__, [], {"model_name": self.model_name, "index": self.index}

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        state.remove_index(app_label, self.model_name_lower, self.index.name)
        state.add_index(app_label, self.model_name_lower, self.index)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        name, new = self.index.name, f"{self.index.name}_new"
        model = to_state.apps.get_model(app_label, self.model_name)
        index = to_state.models[app_label, self.model_name_lower].get_index_by_name(name)
        how = self.concurrently(schema_editor)
        if not how:
            schema_editor.remove_index(model, index)
            schema_editor.add_index(model, index)
            return
        built = index.clone()
        built.name = new
        self.make(schema_editor, model, built)
        schema_editor.remove_index(model, index, **how)
        quote = schema_editor.quote_name
        schema_editor.execute(f"ALTER INDEX {quote(new)} RENAME TO {quote(name)}")

    # Each state knows its own index by that name.
    database_backwards = database_forwards

    def describe(self) -> str:
        return f"Exchange index {self.index.name} of {self.model_name}"


class StorageParameters(Operation):
    """How PostgreSQL keeps a table, and when it vacuums it; nothing on SQLite. Holds up no writer.

    https://www.postgresql.org/docs/current/sql-createtable.html#SQL-CREATETABLE-STORAGE-PARAMETERS
    """

    reversible = True
    reduces_to_sql = True

    def __init__(self, model_name: str, parameters: dict[str, float]) -> None:
        """parameters: name → value."""
        self.model_name = model_name
        self.parameters = parameters

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        return (type(self).__name__, [self.model_name, self.parameters], {})

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Nothing that Django's models know of changes."""

    def run(
        self, editor: BaseDatabaseSchemaEditor, app_label: str, state: ProjectState, change: str
    ) -> None:
        """ALTER TABLE."""
        if editor.connection.vendor == "postgresql":
            table = state.apps.get_model(app_label, self.model_name)._meta.db_table
            editor.execute(f"ALTER TABLE {editor.quote_name(table)} {change}", params=None)

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        values = ", ".join(f"{name} = {value}" for name, value in self.parameters.items())
        self.run(schema_editor, app_label, to_state, f"SET ({values})")

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        self.run(schema_editor, app_label, to_state, f"RESET ({', '.join(self.parameters)})")

    def describe(self) -> str:
        return f"Set storage parameters of {self.model_name}"
