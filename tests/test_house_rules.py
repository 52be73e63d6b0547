"""Rules of the house that no linter knows."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = {".venv", "data", "tests", ".ci"}


def product_files() -> Iterator[Path]:
    """Every Python file of the product, relative to the repository."""
    for path in ROOT.rglob("*.py"):
        relative = path.relative_to(ROOT)
        if relative.parts[0] not in OUTSIDE:
            yield relative


def pyproject() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_only_crm_db_asks_for_the_engine() -> None:
    """Migrations may ask too: theirs is the schema editor's connection."""
    asking = [
        str(path)
        for path in product_files()
        if path.parts[:2] != ("crm", "db")
        and "migrations" not in path.parts
        and re.search(r"\.vendor\b", (ROOT / path).read_text(encoding="utf-8"))
    ]
    assert asking == []


def test_import_linter_knows_every_app() -> None:
    """Layers of apps to come are optional there, so one that came would otherwise go unwatched."""
    apps = {path.parts[0] for path in product_files() if path.name == "apps.py"}
    assert apps == set(pyproject()["tool"]["importlinter"]["root_packages"])


def test_no_other_package_on_the_top_level() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - OUTSIDE
    assert packages <= {"crm", "objects", "visits", "clients", "reports", "sync", "audit"}


def test_env_example_documents_every_setting() -> None:
    settings = (ROOT / "crm" / "settings.py").read_text(encoding="utf-8")
    read = set(re.findall(r'(?:env\.\w+|listed|secrets?)\(\s*"([A-Z0-9_]+)"', settings))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    documented = set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", example, flags=re.MULTILINE))
    # The last one is for the tests alone.
    assert documented == read - {"SQLITE_TEST_NAME"}


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_lock_files_name_no_place_to_download_from(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "--hash=sha256:" in text
    assert not re.search(r"://|--(extra-)?index-url|--find-links", text)


@pytest.mark.django_db
def test_no_migration_is_missing() -> None:
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
