"""Refused edits of phones: both sides, who, when, why; and marking them as dealt with."""

from typing import Any

import pytest

from crm.errors import Forbidden
from crm.ids import uuid7
from sync.refused import RefusedItem, deal_with
from tests.cast import Cast
from tests.office.desk import desk

pytestmark = pytest.mark.django_db

BASE = "/admin/sync/refuseditem"


def refuse(cast: Cast) -> RefusedItem:
    """Ivan's phone pushes an edit that somebody else was faster with, as phones do."""
    home = cast.object(address="ул. Кленовая, д. 7")
    cast.api(cast.sergei).patch(f"/api/v1/objects/{home.pk}", {"contact_name": "Сергей вписал"})
    item = {
        "client_generated_id": str(home.pk),
        "table_name": "objects",
        "version": 1,
        "payload": {"contact_name": "Иван вписал", "city_id": "nonsense", "что-то": {"a": [1]}},
    }
    answer = cast.api(cast.ivan).post("/api/v1/sync/batch", {"items": [item]})
    assert answer.status_code in {200, 409}, answer.content
    return RefusedItem.objects.latest("pk")


def test_both_sides_who_when_why(cast: Cast) -> None:
    row = refuse(cast)
    sergei = desk(cast.sergei)
    text = sergei.get(f"{BASE}/?state=open").content.decode()
    assert cast.ivan.full_name in text
    page = sergei.get(f"{BASE}/{row.pk}/change/").content.decode()
    for word in (
        "Иван вписал",
        "Сергей вписал",
        cast.ivan.full_name,
        "ул. Кленовая, д. 7",
        row.message,
    ):
        assert word in page, word


def test_strange_payloads_are_shown_all_the_same(cast: Cast) -> None:
    row = refuse(cast)
    sergei = desk(cast.sergei)
    strange: tuple[Any, ...] = (
        {},
        [],
        {"payload": []},
        {"payload": {"interests": {"x": 1}, "object_id": 5}},
        {"text": "…"},
        "text",
    )
    for item in strange:
        RefusedItem.objects.filter(pk=row.pk).update(item=item, table="visits", record_id=uuid7())
        assert sergei.get(f"{BASE}/{row.pk}/change/").status_code == 200, item
        assert sergei.get(f"{BASE}/").status_code == 200
    RefusedItem.objects.filter(pk=row.pk).update(item={"payload": {"a": "b"}}, table="nonsense")
    assert sergei.get(f"{BASE}/{row.pk}/change/").status_code == 200


def test_dealing_with_it(cast: Cast) -> None:
    row = refuse(cast)
    sergei, olga = desk(cast.sergei), desk(cast.olga)
    assert olga.post(f"{BASE}/{row.pk}/deal/", {"done": "yes"}).status_code == 404
    assert sergei.get(f"{BASE}/{row.pk}/deal/").status_code == 405
    sergei.post(f"{BASE}/{row.pk}/deal/", {"done": "yes"})
    row.refresh_from_db()
    assert row.dealt_with_by_id == cast.sergei.pk
    assert f"/refuseditem/{row.pk}/" not in sergei.get(f"{BASE}/?state=open").content.decode()
    assert f"/refuseditem/{row.pk}/" in sergei.get(f"{BASE}/?state=dealt").content.decode()
    sergei.post(f"{BASE}/{row.pk}/deal/", {"done": "no"})
    row.refresh_from_db()
    assert row.dealt_with_at is None
    chosen = {"action": "mark_dealt_with", "_selected_action": [str(row.pk)]}
    assert sergei.post(f"{BASE}/", chosen).status_code == 302
    row.refresh_from_db()
    assert row.dealt_with_at is not None


def test_filters(cast: Cast) -> None:
    row = refuse(cast)
    sergei = desk(cast.sergei)
    mark = f"/refuseditem/{row.pk}/"
    assert (
        mark in sergei.get(f"{BASE}/?user={cast.ivan.pk}&reason={row.error_code}").content.decode()
    )
    assert mark not in sergei.get(f"{BASE}/?user={cast.pyotr.pk}").content.decode()
    assert mark not in sergei.get(f"{BASE}/?reason=FORBIDDEN").content.decode()


def test_engineers_do_not_deal_with_them(cast: Cast) -> None:
    row = refuse(cast)
    with pytest.raises(Forbidden):
        deal_with(actor=cast.ivan, ids=[row.pk])
    assert deal_with(actor=cast.olga, ids=[row.pk]) == 0
    assert deal_with(actor=cast.anna, ids=[row.pk]) == 1
    assert deal_with(actor=cast.anna, ids=[row.pk]) == 0
