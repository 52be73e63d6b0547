"""What every test gets."""

import os
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connections
from django.utils import translation

from crm import tally
from tests.concurrency import run_together as run_callables_together
from tests.servers import ENGINE

pytest_plugins = ["tests.cast", "tests.emptying", "tests.files", "tests.leaks"]


@pytest.fixture(scope="session")
def django_db_modify_db_settings(pytestconfig: pytest.Config) -> None:
    """Name the test database after this process: several runs may share one PostgreSQL server."""
    if pytestconfig.stash[ENGINE] == "postgresql":
        connections["default"].settings_dict["TEST"]["NAME"] = f"test_crm_{os.getpid()}"


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    """Cached answers, rate limits, counts and queued jobs (one Redis database) end with their test."""
    cache.clear()
    tally.forget()


@pytest.fixture(autouse=True)
def _usual_language() -> None:
    """The language of a request stays with its thread until the next one: not into the next test."""
    translation.deactivate()


@pytest.fixture
def run_together() -> Callable[..., list[Any]]:
    """See tests.concurrency.run_together."""
    return run_callables_together
