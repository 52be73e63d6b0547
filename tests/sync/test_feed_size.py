"""A page is streamed: what the server holds of it does not grow with its length."""

import gzip
import json
import tracemalloc

import pytest

from clients.models import Customer
from sync.entities import TABLES
from sync.feed import pull
from sync.views_changes import compressed, in_chunks
from tests.cast import Cast
from tests.sync.phone import Phone
from tests.sync.truth import visible_versions

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 3000


def many(cast: Cast) -> None:
    parent = cast.object()
    Customer.objects.bulk_create(
        Customer(object=parent, full_name=f"Имя {number}", notes="заметка " * 100)
        for number in range(ROWS)
    )


def test_a_long_page_needs_little_memory(cast: Cast) -> None:
    many(cast)
    size = 0
    tracemalloc.start()
    for chunk in in_chunks(pull(cast.anna, tables=TABLES, limit=10_000)):
        size += len(chunk)
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 5_000_000
    assert peak < 1_500_000


def test_a_phone_killed_after_each_page_resumes(cast: Cast) -> None:
    many(cast)
    phone = Phone.of(cast, cast.ivan, limit=500)
    more = True
    while more:
        cursor, rows = phone.cursor, dict(phone.rows)
        phone.pull_page()
        # Killed before it was written down: page and cursor are lost together.
        phone.cursor, phone.rows = cursor, rows
        more = phone.pull_page()["has_more"]
    assert phone.versions() == visible_versions(cast.ivan)
    assert len(phone.told) == 2 * (ROWS + 1)


def test_compressed_chunks_are_one_gzip_stream(cast: Cast) -> None:
    many(cast)
    zipped = b"".join(compressed(in_chunks(pull(cast.anna, tables=TABLES, limit=10_000))))
    assert len(json.loads(gzip.decompress(zipped))["items"]) == ROWS + 1
    assert len(zipped) < 1_000_000
