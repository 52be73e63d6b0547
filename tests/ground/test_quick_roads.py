"""What is done a quicker way gives the same as the usual one."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import phonenumbers
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from clients.models import Customer
from crm.api import kept_plans
from crm.db.among import among
from crm.editing import drafted
from crm.phones import normalise_phone
from objects.models import Object, Unit
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Object, Unit, Customer, Visit], ids=lambda model: model.__name__)
def test_a_draft_is_what_the_constructor_makes(model: Any) -> None:
    values = {"id": uuid4(), "feed_position": 7}
    quick, usual = drafted(model, values), model(**values)
    for field in model._meta.concrete_fields:
        mine, theirs = getattr(quick, field.attname), getattr(usual, field.attname)
        assert mine == theirs or repr(mine) == repr(theirs), field.attname
    assert (quick._state.adding, quick._state.db) == (usual._state.adding, usual._state.db)
    assert quick._state is not drafted(model, values)._state


def test_drafts_share_nothing() -> None:
    one, other = drafted(Object, {}), drafted(Object, {})
    assert one.pk != other.pk
    one.tags.append("here")
    assert other.tags == []
    with pytest.raises(TypeError):
        drafted(Object, {"adress": "misspelt"})


def test_among_finds_what_in_finds(cast: Cast) -> None:
    places = [cast.object() for _ in range(4)]
    units = [Unit.objects.create(object=place, unit_number="1") for place in places]
    wanted = [place.pk for place in places[:2]] + [uuid4()]
    for path, rows in (("pk", Object.objects), ("object_id", Unit.objects)):
        found = rows.filter(among(path, wanted)).values_list("pk", flat=True)
        assert set(found) == set(
            rows.filter(**{f"{path}__in": wanted}).values_list("pk", flat=True)
        )
        assert not rows.filter(among(path, [])).exists()
    assert units


@given(st.from_regex(r"\A\+79[0-9]{9}\Z"))
def test_a_stored_mobile_number_is_read_as_the_library_reads_it(text: str) -> None:
    assert normalise_phone(text) == text
    number = phonenumbers.parse(text, "RU")
    assert phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) == text


@pytest.mark.postgresql_only
@pytest.mark.parametrize(
    "text",
    ["2024-02-29 23:59:59.5+03", "1999-12-31 00:00:00+00", "0001-01-01 00:00:00+00",
     "1850-01-01 12:00:00.000001+05:30"],
)  # fmt: skip
def test_moments_are_read_as_they_are(text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT %s::timestamptz", [text])
        (moment,) = cursor.fetchone()
    offset = text[-6:] if ":" in text[-5:-1] and text[-6] in "+-" else f"{text[-3:]}:00"
    stem = text[: len(text) - (6 if text.endswith(offset) else 3)]
    assert moment == datetime.fromisoformat(stem + offset)
    assert moment.tzinfo is UTC


def test_walking_by_id_is_planned_once(cast: Cast) -> None:
    places = {str(cast.object().pk) for _ in range(7)}
    kept_plans.forget()
    api = cast.api(cast.sergei)
    seen: list[str] = []
    cursor: str | None = ""
    steps = 0
    while cursor is not None:
        body = api.get(f"/api/v1/objects?cursor={cursor}&size=2").json()
        seen += [row["id"] for row in body["items"]]
        cursor, steps = body["next_cursor"], steps + 1
    assert seen == sorted(places)
    # The first step, and all that follow.
    assert steps == 4
    assert len(kept_plans._plans._held) == 2
    # Another order, other filters, another list: not this cursor's.
    first = api.get("/api/v1/objects?cursor=&size=2").json()["next_cursor"]
    for path in ("objects?status=NEW&", "customers?", "objects?sort=address&"):
        assert api.get(f"/api/v1/{path}cursor={first}").status_code == 422
    assert api.get("/api/v1/objects?cursor=nonsense").status_code == 422
    # Whoever else asks with it walks through what they see themselves.
    elsewhere = cast.api(cast.olga).get(f"/api/v1/objects?cursor={first}&size=2").json()
    assert elsewhere["items"] == []
