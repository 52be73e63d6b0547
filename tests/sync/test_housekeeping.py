"""`manage.py sync_cleanup`: how long receipts and refused items are kept."""

from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from objects.models import Object
from sync.batch import read_batch
from sync.push import push as push_service
from sync.receipts import Receipt
from sync.refused import RefusedItem
from tests.cast import Cast
from tests.sync.pushing import item

pytestmark = pytest.mark.django_db

NOW = timezone.now()


def pushed(cast: Cast, moment: datetime, *items: dict[str, Any]) -> list[str]:
    """Pushed at that moment (behind the door: tokens end before their time here)."""
    with time_machine.travel(moment, tick=False):
        answer = push_service(actor=cast.ivan, batch=read_batch({"items": list(items)}))
    return [str(outcome.status) for _item, outcome in answer.results]


def clean(moment: datetime) -> None:
    with time_machine.travel(moment, tick=False):
        call_command("sync_cleanup", verbosity=0)


def test_receipts_live_thirty_days(cast: Cast) -> None:
    house = item("objects", address="ул. Ёлочная, д. 1")
    assert pushed(cast, NOW, house) == ["created"]
    clean(NOW + timedelta(days=30, seconds=-1))
    assert Receipt.objects.count() == 1
    clean(NOW + timedelta(days=30, seconds=1))
    assert not Receipt.objects.exists()
    # The same item, from a phone that never got its answer: the record is there, nothing happens twice.
    assert pushed(cast, NOW + timedelta(days=31), house) == ["updated"]
    assert Object.objects.get().version == 1


def test_refused_items_live_thirty_days_from_when_they_were_last_refused(cast: Cast) -> None:
    """Nothing that somebody typed goes while a phone is still trying."""
    once, again = (item("objects", address="x", contact_name=name) for name in ("Анна", "Мария"))
    assert pushed(cast, NOW, once, again) == ["error", "error"]
    assert pushed(cast, NOW + timedelta(days=20), again) == ["error"]
    clean(NOW + timedelta(days=30, seconds=-1))
    assert RefusedItem.objects.count() == 2
    clean(NOW + timedelta(days=30, seconds=1))
    kept = RefusedItem.objects.get()
    assert kept.item["payload"] == {"address": "x", "contact_name": "Мария"}
    assert (kept.refused_at - kept.created_at).days == 20
    clean(NOW + timedelta(days=50, seconds=1))
    assert not RefusedItem.objects.exists()
