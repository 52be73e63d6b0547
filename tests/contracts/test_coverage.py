"""Every address under /api/v1 meets a contract, or is listed here with the tests that it has instead."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.urls import URLPattern, URLResolver, get_resolver

from crm.api.viewsets import RecordViewSet
from crm.records import Record
from tests.contracts import test_records
from tests.contracts.kinds import KINDS, MODELS
from tests.contracts.test_records import RecordContract

ROOT = Path(__file__).resolve().parent.parent.parent
# Address → where it is tested, and why the contract of records is not for it.
ELSEWHERE = {
    # Moves and lists of one kind of record: the contract's rows and envelopes, rules of their own.
    "objects/my-tasks": "tests/objects/test_objects_rules.py",
    "objects/{}/delegate": "tests/objects/test_objects_rules.py",
    # Clusters, not rows; its rows are those of the list.
    "objects/clusters": "tests/objects/test_map_api.py",
    "visits/{}/start": "tests/visits/test_visits_moves.py",
    "visits/{}/complete": "tests/visits/test_visits_moves.py",
    "visits/{}/cancel": "tests/visits/test_visits_moves.py",
    "visits/{}/reopen": "tests/visits/test_visits_moves.py",
    "visits/reminders": "tests/visits/test_visits_rules.py",
    # Sessions are no records.
    "auth/token": "tests/users/test_login.py",
    "auth/logout": "tests/users/test_login.py",
    "auth/refresh": "tests/users/test_refresh.py",
    "auth/password": "tests/users/test_login.py",
    # People have no version and are not deleted; their list is a bare array.
    "users": "tests/users/test_users_api.py",
    "users/{}": "tests/users/test_users_api.py",
    "users/me": "tests/users/test_users_api.py",
    "users/supervisors": "tests/users/test_users_api.py",
    # Dictionaries have no version, and everybody reads them whole.
    "dictionaries/cities": "tests/territory/test_dictionaries.py",
    "dictionaries/cities/{}": "tests/territory/test_dictionaries.py",
    "dictionaries/districts": "tests/territory/test_dictionaries.py",
    "dictionaries/districts/{}": "tests/territory/test_dictionaries.py",
    # Figures, not rows.
    "analytics/summary": "tests/visits/test_analytics.py",
    "analytics/objects/by-city": "tests/visits/test_analytics.py",
    "analytics/engineers": "tests/visits/test_analytics.py",
    "analytics/visits/daily": "tests/visits/test_analytics.py",
    # A protocol of its own.
    "sync/batch": "tests/sync/pushing.py",
    "sync/changes": "tests/sync/phone.py",
    # Jobs and files: only their owner's, and no records.
    "reports/export": "tests/reports/test_jobs_api.py",
    "reports/preview": "tests/reports/test_jobs_api.py",
    "reports/columns": "tests/reports/test_jobs_api.py",
    "reports/jobs": "tests/reports/test_jobs_api.py",
    "reports/jobs/{}": "tests/reports/test_jobs_api.py",
    "reports/jobs/{}/download": "tests/reports/test_exporting.py",
    "reports/jobs/{}/cancel": "tests/reports/test_jobs_api.py",
    # The trail is only read.
    "audit": "tests/audit/test_audit_api.py",
    "audit/{}": "tests/audit/test_audit_api.py",
}


def routes(patterns: Any = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the API, ids as `{}`."""
    for entry in get_resolver().url_patterns if patterns is None else patterns:
        path = prefix + str(entry.pattern).strip("^$").replace("(?P<pk>[^/]+)", "{}")
        if isinstance(entry, URLResolver):
            yield from routes(entry.url_patterns, path)
        elif path.startswith("api/v1/"):
            yield path.removeprefix("api/v1/"), entry


def contracted() -> set[str]:
    """The addresses that the inherited contract covers."""
    suites = [value for value in vars(test_records).values() if isinstance(value, type)]
    kinds = {
        suite.kind.name
        for suite in suites
        if issubclass(suite, RecordContract) and suite is not RecordContract
    }
    return {f"{name}{tail}" for name in kinds for tail in ("", "/{}", "/{}/restore")}


def test_every_address_has_a_contract_or_a_reason() -> None:
    known = contracted() | ELSEWHERE.keys()
    assert sorted({path for path, _ in routes()} - known) == []
    assert sorted(known - {path for path, _ in routes()}) == []
    assert not contracted() & ELSEWHERE.keys()


def test_where_it_is_said_to_be_tested_it_is_mentioned() -> None:
    for path, file in ELSEWHERE.items():
        text = (ROOT / file).read_text(encoding="utf-8")
        last = [part for part in path.split("/") if part != "{}"][-1]
        assert last in text, path


def test_every_viewset_of_records_is_a_kind_and_every_record_has_one() -> None:
    views = {entry.callback.cls for _, entry in routes() if hasattr(entry.callback, "cls")}
    found = {view for view in views if issubclass(view, RecordViewSet)}
    assert found == {kind.viewset for kind in KINDS}
    records = {model for model in apps.get_models() if issubclass(model, Record)}
    assert records >= set(MODELS.values())
    assert {
        model for model in records if model.__module__.startswith(("objects", "clients", "visits"))
    } == set(MODELS.values())
