"""Reading at one moment."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, connections, transaction

from crm.db.snapshots import one_snapshot
from crm.territory.models import City

pytestmark = pytest.mark.django_db(transaction=True)


def elsewhere(function: Callable[[], Any]) -> None:
    """Run it over a connection of its own; it must not wait for this one."""

    def run() -> None:
        function()
        connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(15)
    assert not thread.is_alive()


def test_what_others_write_meanwhile_is_not_seen() -> None:
    City.objects.create(name="Омск")
    with one_snapshot():
        assert City.objects.count() == 1
        elsewhere(lambda: City.objects.create(name="Тула"))
        assert City.objects.count() == 1
        # One block in another is the same moment, and its end is not the end of both.
        with one_snapshot():
            assert City.objects.count() == 1
        assert City.objects.count() == 1
    assert City.objects.count() == 2
    assert not connection.in_atomic_block
    City.objects.create(name="Псков")


def test_it_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), one_snapshot():
        assert 1 / City.objects.count()
    with transaction.atomic():
        City.objects.create(name="Омск")
    elsewhere(lambda: City.objects.create(name="Тула"))
    assert City.objects.count() == 2


def test_inside_a_transaction_it_is_that_ones_moment() -> None:
    with transaction.atomic():
        City.objects.create(name="Омск")
        with one_snapshot():
            assert City.objects.count() == 1
        City.objects.create(name="Тула")
    assert City.objects.count() == 2


@pytest.mark.postgresql_only
def test_nothing_can_be_written_in_it() -> None:
    with pytest.raises(DatabaseError), one_snapshot():
        City.objects.create(name="Омск")
    assert City.objects.count() == 0
