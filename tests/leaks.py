"""A pytest plugin: a whole phone, e-mail address, password or token in the trail or the logs fails the test.

Looked for after each test, while what it wrote is still there: after the whole suite it is rolled back.
"""

import contextlib
import logging
import re
from collections.abc import Generator, Iterator

import pytest
from django.apps import apps
from django.db import OperationalError, connection

from tests.cast import PASSWORD

# What tests and the demo log in with.
PASSWORDS = [
    PASSWORD, "a much longer phrase", "another long phrase", "a long enough phrase", "8172635485",
    "admin123", "supervisor123", "engineer123",
]  # fmt: skip
# A mask keeps the last two digits, the first two letters and the domain: none of these matches one.
SECRETS = {
    "phone": re.compile(r"(?<![\w.-])(\+|%2B)[0-9]{10,15}(?![0-9])"),
    "e-mail": re.compile(r"[\w.%-]+@[\w-]+\.[\w.-]*[a-z]", re.IGNORECASE),
    "token": re.compile(r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
    "password": re.compile("|".join([r"(?:argon2|pbkdf2_sha256)\$", *map(re.escape, PASSWORDS)])),
}


def secrets_in(text: str) -> list[str]:
    """What of all this the text holds: `kind: match`."""
    return [
        f"{kind}: {found[0]}" for kind, rule in SECRETS.items() for found in rule.finditer(text)
    ]


class Listener(logging.Handler):
    """Hears every line that any logger writes."""

    def __init__(self) -> None:
        super().__init__()
        self.leaks: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        # Django's own SQL log is for debugging and off; tests that count queries switch it on.
        if record.name == "django.db.backends":
            return
        line = self.format(record)
        self.leaks += [f"log {record.name}: {found} in {line!r}" for found in secrets_in(line)]


def stored_leaks() -> Iterator[str]:
    """Leaks in the trail, of what the test's transaction has written."""
    entries = apps.get_model("audit", "AuditEntry")
    texts = [f.attname for f in entries._meta.concrete_fields]
    for row in entries.objects.values_list(*texts):
        for column, value in zip(texts, row, strict=True):
            for found in secrets_in(str(value)):
                yield f"audit.{column}: {found}"


def uses_database(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    return bool({"db", "transactional_db"} & {*names}) or bool(item.get_closest_marker("django_db"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    listener = Listener()
    logging.getLogger().addHandler(listener)
    try:
        yield
    finally:
        logging.getLogger().removeHandler(listener)
    leaks = listener.leaks
    if uses_database(item) and not connection.needs_rollback:
        # Some tests take the database away.
        with contextlib.suppress(OperationalError):
            leaks += stored_leaks()
    if leaks and not item.get_closest_marker("leaks_on_purpose"):
        pytest.fail("leaked:\n" + "\n".join(sorted(set(leaks))), pytrace=False)
