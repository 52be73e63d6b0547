"""What the documents name exists: pages, files, commands, endpoints, dependencies. Nothing is forgotten."""

import re
import tomllib
from pathlib import Path

import orjson
import pytest
from django.core.management import get_commands

from crm.api.schema_generation import schema_json
from crm.demo import ACCOUNTS

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", ROOT / "README.ru.md", *(ROOT / "docs").rglob("*.md")])
TOP = {path.name for path in ROOT.iterdir()}
METHODS = ("get", "post", "patch", "delete", "put")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.fixture(params=PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def page(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    return path


def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    local = [link.partition("#")[0] for link in links if "://" not in link]
    assert [link for link in local if link and not (page.parent / link).exists()] == []


def test_named_files_exist(page: Path) -> None:
    """In back quotes, from the root of the repository: `crm/merge.py`, `tests/contracts`."""
    named = re.findall(r"`([\w.-]+(?:/[\w.-]+)+)/?`", page.read_text(encoding="utf-8"))
    ours = {name for name in named if name.split("/")[0] in TOP - {"data"}}
    # `objects/my-tasks` is an address, said without its method.
    addresses = {path.removeprefix("/api/v1/") for path in schema()}
    assert sorted(n for n in ours - addresses if not (ROOT / n).exists()) == []


def test_named_make_targets_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = re.findall(r"^make ([a-z-]+)", text, re.MULTILINE) + re.findall(
        r"`make ([a-z-]+)", text
    )
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    assert set(named) <= targets


def test_named_commands_exist(page: Path) -> None:
    named = re.findall(r"manage\.py ([a-z_]+)", page.read_text(encoding="utf-8"))
    assert set(named) <= set(get_commands())


@pytest.mark.parametrize("name", ["README.md", "README.ru.md"])
def test_readme_tells_the_accounts_and_commands(name: str) -> None:
    text = read(name)
    assert all(f"`{email}` | `{password}`" in text for email, password, _ in ACCOUNTS)
    listed = re.findall(r"^\| `([a-z_]+)[ `]", text, re.MULTILINE)
    assert set(listed) <= set(get_commands())
    assert {"seed_dictionaries", "seed_demo", "create_admin", "import_objects"} <= set(listed)


def schema() -> dict[str, set[str]]:
    """Path → methods, as the product itself tells them."""
    paths = orjson.loads(schema_json())["paths"]
    return {path: {m for m in METHODS if m in operations} for path, operations in paths.items()}


def test_api_page_lists_every_endpoint() -> None:
    listed = re.findall(
        r"^\| `(GET|POST|PATCH|DELETE|PUT) (/\S+)` \|", read("docs/api.md"), re.MULTILINE
    )
    real = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, methods in schema().items()
        for method in methods
    }
    assert set(listed) == real
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize("name", ["README.md", "README.ru.md"])
def test_readme_calls_exist(name: str) -> None:
    calls = re.findall(r"^\| `([A-Z]+) (/api/v1/[^`?]+)[^`]*` \|", read(name), re.MULTILINE)
    assert len(calls) == 10
    known = schema()
    assert [(m, p) for m, p in calls if m.lower() not in known.get(p, set())] == []


def test_api_page_names_every_filter() -> None:
    """Beside each list the page names its filters, or says them in general."""
    text = read("docs/api.md")
    unnamed = [
        f"{path} {parameter['name']}"
        for path, operations in orjson.loads(schema_json())["paths"].items()
        for parameter in operations.get("get", {}).get("parameters", [])
        if parameter["in"] == "query" and f"`{parameter['name']}" not in text
    ]
    assert unnamed == []


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    real = {re.split(r"[^\w-]", each)[0].lower() for each in project["dependencies"]}
    rows = re.findall(r"^\| ([\w-]+)", read("docs/decisions/dependencies.md"), re.MULTILINE)
    assert {row.lower() for row in rows} - {"dependency", "---"} == real


def test_every_decision_is_listed() -> None:
    folder = ROOT / "docs" / "decisions"
    pages = {path.name for path in folder.glob("*.md")} - {"README.md"}
    assert set(re.findall(r"\(([\w-]+\.md)\)", read("docs/decisions/README.md"))) == pages


def test_both_readmes_have_the_same_parts() -> None:
    def parts(name: str) -> list[int]:
        sections = re.split(r"^## ", read(name), flags=re.MULTILINE)
        return [section.count("\n| ") for section in sections]

    assert parts("README.md") == parts("README.ru.md")
