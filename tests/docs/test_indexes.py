"""docs/indexes.md names every index of our tables, and none that there is not."""

import re
import tomllib
from pathlib import Path

import pytest
from django.apps import apps
from django.db import models

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "indexes.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
STATEMENT = re.compile(
    r"(CREATE|DROP) (?:UNIQUE )?INDEX (?:CONCURRENTLY )?(?:IF (?:NOT )?EXISTS )?(\w+)"
)
PACKAGES: list[str] = PROJECT["tool"]["importlinter"]["root_packages"]


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.split(".")[0] in PACKAGES]


def named() -> set[str]:
    """Indexes and unique constraints with a name of their own, of the models and of the frozen SQL."""
    found = set()
    for model in our_models():
        found |= {index.name for index in model._meta.indexes}
        constraints = model._meta.constraints
        found |= {c.name for c in constraints if isinstance(c, models.UniqueConstraint)}
    # In the order of the migrations: a later one may put another index in an earlier one's place.
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("migrations/sql/*.postgresql.sql")):
            for verb, index in STATEMENT.findall(path.read_text(encoding="utf-8")):
                (found.add if verb == "CREATE" else found.discard)(index)
    return found


def unnamed() -> list[tuple[str, str, str]]:
    """Columns that Django indexes by itself: (table, column, what for)."""
    return [
        (model._meta.db_table, str(field.column), "unique" if field.unique else "foreign key")
        for model in our_models()
        for field in model._meta.concrete_fields
        if not field.primary_key and (field.unique or field.db_index)
    ]


def test_every_named_index_is_explained() -> None:
    explained = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    assert named() == explained


@pytest.mark.parametrize(("table", "column", "kind"), unnamed())
def test_every_unnamed_index_is_explained(table: str, column: str, kind: str) -> None:
    section = re.search(rf"^## {table}\b.*?(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    own = section is not None and f"| {kind} `{column}` |" in section[0]
    assert own or f"| {kind} `{table}.{column}` |" in PAGE
