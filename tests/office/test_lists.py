"""Lists: few queries whatever their length, filters that mean what they say, and an honest count."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.api import listing
from objects.models import Object
from sync.refused import RefusedItem
from tests.cast import Cast
from tests.office.desk import desk
from visits.models import Visit

pytestmark = pytest.mark.django_db

MOST = 15
PAGES = (
    "",
    "objects/object/",
    "objects/unit/",
    "clients/customer/",
    "visits/visit/",
    "users/user/",
    "territory/city/",
    "territory/district/",
    "audit/auditentry/",
    "sync/refuseditem/",
)


def peopled(cast: Cast, number: int) -> None:
    for place in range(number):
        home = cast.object(
            responsible_user=cast.ivan if place % 2 else None, created_by=cast.sergei
        )
        unit = cast.unit(home)
        customer = cast.customer(home, unit=unit)
        cast.visit(home, cast.ivan, unit=unit, customer=customer, next_action_due_at=timezone.now())
        now = timezone.now()
        RefusedItem.objects.create(
            user=cast.ivan,
            fingerprint=str(home.pk),
            table="objects",
            record_id=home.pk,
            status="error",
            item={"payload": {}},
            error_code="DUPLICATE",
            city=cast.moscow,
            created_at=now,
            refused_at=now,
        )
        api = cast.api(cast.sergei)
        api.patch(
            f"/api/v1/objects/{home.pk}", {"status": "DONE", "district_id": str(cast.north.pk)}
        )


def queries(client: Client, path: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(path)
    assert answer.status_code == 200, path
    return [query["sql"] for query in captured.captured_queries]


def test_few_queries_whatever_the_length(cast: Cast) -> None:
    peopled(cast, 2)
    clients = {user: desk(user) for user in (cast.anna, cast.sergei)}
    rows = [("objects/object", Object.objects.first()), ("visits/visit", Visit.objects.first())]
    pages = [
        *PAGES,
        *(
            f"{name}/{row.pk}/{page}/"
            for name, row in rows
            for page in ("change", "history", "delete")
        ),
    ]
    few = {
        (user, page): len(queries(client, f"/admin/{page}"))
        for user, client in clients.items()
        for page in pages
    }
    peopled(cast, 6)
    for (user, page), before in few.items():
        asked = queries(clients[user], f"/admin/{page}")
        assert len(asked) <= min(before, MOST), (user, page, asked)


def names(client: Client, query: str) -> set[str]:
    """The addresses in the list of objects under that query."""
    text = client.get(f"/admin/objects/object/?{query}").content.decode()
    return {one.address for one in Object.objects.all() if one.address in text}


def test_filters_of_objects(cast: Cast) -> None:
    now = timezone.now()
    first = cast.object(
        address="Первая улица", status="DONE", responsible_user=cast.ivan, gps_lat=1, gps_lng=1
    )
    second = cast.object(address="Вторая улица", district=cast.north, type="CAFE")
    third = cast.object(address="Третья улица", city=cast.kazan)
    Visit.objects.create(
        object=first,
        engineer=cast.ivan,
        status="DONE",
        outcome_text="Да",
        started_at=now - timedelta(days=40),
        finished_at=now - timedelta(days=40),
    )
    Visit.objects.create(
        object=second,
        engineer=cast.ivan,
        status="DONE",
        outcome_text="Да",
        started_at=now - timedelta(days=3),
        finished_at=now - timedelta(days=3),
    )
    anna = desk(cast.anna)
    a, b, c = first.address, second.address, third.address
    for query, found in {
        "": {a, b, c},
        f"city={cast.kazan.pk}": {c},
        f"district={cast.north.pk}": {b},
        "status=DONE": {a},
        "status=NEW&type=CAFE": {b},
        f"responsible={cast.ivan.pk}": {a},
        "responsible=none": {b, c},
        "unvisited=30": {a, c},
        "unvisited=never": {c},
        "located=yes": {a},
        "located=no": {b, c},
        "q=втор": {b},
        "q=казань": {c},
        "status=NONSENSE": set(),
        "city=nonsense": set(),
        "unvisited=1000": set(),
    }.items():
        assert names(anna, query) == found, query
    assert anna.get("/admin/objects/object/?nonsense=1").status_code == 400


def test_filters_of_visits(cast: Cast) -> None:
    now = timezone.localtime().replace(hour=12)
    home = cast.object()
    today, tomorrow, past = (
        cast.visit(home, cast.ivan, scheduled_at=now + timedelta(days=days)) for days in (0, 1, -2)
    )
    Visit.objects.filter(pk=past.pk).update(next_action_due_at=now - timedelta(days=1))
    sergei = desk(cast.sergei)

    def found(query: str) -> set[Any]:
        text = sergei.get(f"/admin/visits/visit/?{query}").content.decode()
        return {one.pk for one in (today, tomorrow, past) if f"visit/{one.pk}/" in text}

    day = now.date().isoformat()
    for query, expected in {
        "when=today": {today},
        "when=tomorrow": {tomorrow},
        "when=week": {today, tomorrow},
        "when=missed": {past},
        f"day_from={day}": {today, tomorrow},
        f"day_from={day}&day_to={day}": {today},
        "callback=overdue": {past},
        "callback=coming": set(),
        "day_from=nonsense": set(),
        "day_to=2030-99-99": set(),
        f"engineer={cast.pyotr.pk}": set(),
        f"object={home.pk}": {today, tomorrow, past},
    }.items():
        assert found(query) == {one.pk for one in expected}, query


def test_search_as_in_the_api(cast: Cast) -> None:
    home = cast.object(address="ул. Ёлочная, д. 5")
    cast.customer(home, full_name="Семён", phone="+79991234567")
    sergei = desk(cast.sergei)
    for name, query in (
        ("objects/object", "елочная 5"),
        ("objects/object", "ЁЛОЧН"),
        ("clients/customer", "8 (999) 123-45"),
        ("clients/customer", "семен елочная"),
        ("objects/unit", ""),
        ("users/user", "центров"),
    ):
        text = sergei.get(f"/admin/{name}/", {"q": query}).content.decode()
        assert "data-row" in text or name == "objects/unit", (name, query)


def test_the_next_call_back_is_told(cast: Cast) -> None:
    home = cast.object()
    late = timezone.now() - timedelta(days=2, hours=1)
    cast.visit(home, cast.ivan, next_action_due_at=late)
    cast.visit(home, cast.ivan, next_action_due_at=timezone.now() + timedelta(days=9))
    text = desk(cast.sergei).get("/admin/objects/object/").content.decode()
    assert "2 days overdue" in text


def test_the_city_is_no_column_for_those_who_have_one(cast: Cast) -> None:
    cast.object()
    assert "column-city" not in desk(cast.sergei).get("/admin/objects/object/").content.decode()
    assert "column-city" in desk(cast.anna).get("/admin/objects/object/").content.decode()


@pytest.mark.postgresql_only
def test_beyond_so_many_rows_the_count_is_an_estimate(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "EXACT_TOTAL", 5)
    for _place in range(8):
        cast.object()
    text = desk(cast.sergei).get("/admin/objects/object/").content.decode()
    assert "≈" in text
    assert "about" in text


def test_nothing_can_be_sorted_by_that_has_no_index(cast: Cast) -> None:
    """Each column that offers to sort by it stands first in an index of its table."""
    from django.contrib import admin

    for model, pages in admin.site._registry.items():
        leading = {index.fields[0] for index in model._meta.indexes if index.fields}
        for name in pages.sortable_by or ():
            shown = getattr(pages, name, None)
            column = getattr(shown, "admin_order_field", None) or name
            assert column in leading, (model, name)
        assert pages.sortable_by is not None, model
