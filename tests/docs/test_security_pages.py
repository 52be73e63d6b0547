"""docs/security.md names tests that exist, docs/monitoring.md every figure and every member of a line."""

import re
from pathlib import Path

import pytest
from django.test import Client

from crm import figures

ROOT = Path(__file__).resolve().parents[2]
SECURITY = ("docs/security.md", "docs/security.ru.md")
MONITORING = ("docs/monitoring.md", "docs/monitoring.ru.md")
POINTS = [f"API{n}:2023" for n in range(1, 11)]


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def named_tests(text: str) -> list[str]:
    """The tests that a text names: `tests/x/test_y.py` or `tests/x/test_y.py::test_z`."""
    return re.findall(r"`(tests/[\w/]+\.py(?:::\w+)?)`", text)


@pytest.mark.parametrize("name", SECURITY)
def test_every_point_names_tests_that_exist(name: str) -> None:
    parts = re.split(r"^### ", read(name), flags=re.MULTILINE)[1:]
    assert [part.split()[0] for part in parts] == POINTS
    for part in parts:
        point, tests = part.split()[0], named_tests(part.split("\n## ")[0])
        assert len(tests) >= 3, point
    missing = [
        test
        for test in named_tests(read(name))
        for path, _, function in [test.partition("::")]
        if not (ROOT / path).exists() or f"\ndef {function}" not in read(path)
    ]
    assert missing == []


def test_a_missing_test_would_be_noticed() -> None:
    assert named_tests("`tests/x/test_none.py::test_y`, `tests/docs/test_links.py`") == [
        "tests/x/test_none.py::test_y",
        "tests/docs/test_links.py",
    ]


def test_both_languages_name_the_same_tests() -> None:
    english, russian = (named_tests(read(name)) for name in SECURITY)
    assert english == russian


def test_both_languages_have_the_same_parts() -> None:
    for pages in (SECURITY, MONITORING):
        english, russian = (
            [
                (len(part.split("\n")[0]) > 0, part.count("\n| "), part.count("\n- "))
                for part in re.split(r"^##+ ", read(name), flags=re.MULTILINE)
            ]
            for name in pages
        )
        assert english == russian


@pytest.mark.django_db
@pytest.mark.parametrize("name", MONITORING)
def test_every_figure_is_explained(name: str) -> None:
    text = Client().get("/metrics", headers={"accept": "text/plain"}).content.decode()
    told = set(re.findall(r"^# TYPE (\w+) ", text, re.MULTILINE)) | {*figures._figures}
    rows = [line for line in read(name).splitlines() if line.startswith("| `crm_")]
    explained = {figure for row in rows for figure in re.findall(r"`(crm_\w+)`", row.split("|")[1])}
    # Known only where there is a worker or a queue to ask.
    assert explained - told <= {"crm_queue_length", "crm_workers", "crm_feed_horizon_age_seconds"}
    assert told - explained == set()
    assert all(len(row.split("|")) == 5 and row.split("|")[3].strip() for row in rows)


@pytest.mark.parametrize("name", MONITORING)
def test_every_member_of_a_line_is_explained(name: str) -> None:
    text = read(name)
    for member in ("request_id", "route", "path", "duration_ms", "queries", "user_id", "role"):
        assert re.search(rf"^\| .*`{member}`", text, re.MULTILINE), member
    for member in ("job", "kind", "attempt", "outcome", "rows"):
        assert f"`{member}`" in text, member


@pytest.mark.parametrize("name", SECURITY)
def test_every_header_is_named(name: str) -> None:
    answer = Client().get("/health")
    about = {
        h
        for h in answer.headers
        if h.startswith(("X-C", "X-F", "Content-Sec", "Ref", "Perm", "Cross"))
    }
    assert len(about) == 7
    assert [header for header in about if header not in read(name)] == []
