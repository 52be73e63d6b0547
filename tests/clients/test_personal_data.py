"""No byte of any answer to an engineer holds a phone or an e-mail address."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clients.models import Customer
from objects.models import Object
from tests.cast import Cast
from tests.contracts.envelope import invalid, refused

pytestmark = pytest.mark.django_db

CUSTOMER, CONTACT, FOREIGN = "+79991234567", "+79167654321", "+4915112345678"
MASKED, CONTACT_MASKED, FOREIGN_MASKED = (
    "+7 (***) ***-**67",
    "+7 (***) ***-**21",
    "+** (***) ***-**78",
)


@pytest.fixture
def scene(cast: Cast) -> dict[str, Any]:
    """An object with a contact, a unit, two customers and a visit, all with phones."""
    parent = cast.object(
        contact_phone=CONTACT,
        contact_name="Вахтёр",
        responsible_user=cast.ivan,
        created_by=cast.ivan,
    )
    unit = cast.unit(parent)
    customer = cast.customer(parent, phone=CUSTOMER, unit=unit)
    abroad = cast.customer(parent, phone=FOREIGN)
    visit = cast.visit(parent, cast.ivan, customer=customer, unit=unit)
    return {"object": parent, "unit": unit, "customer": customer, "abroad": abroad, "visit": visit}


def secrets(cast: Cast) -> list[str]:
    """Every raw value, in the spellings in which it could slip out."""
    people = [(user.phone or "", user.email) for user in cast.everyone]
    phones = [CUSTOMER, CONTACT, FOREIGN, *(phone for phone, _ in people)]
    return [phone[2:] for phone in phones] + [email for _, email in people]


@pytest.fixture
def leaks(cast: Cast) -> Iterator[Callable[[Any], Any]]:
    """Checks an answer's bytes, and at the end that it was used at all."""
    checked = 0

    def check(answer: Any) -> Any:
        nonlocal checked
        checked += 1
        text = answer.content.decode() + str(dict(answer.items()))
        assert not [secret for secret in secrets(cast) if secret in text]
        return answer

    yield check
    assert checked


def test_the_scan_finds_a_leak_where_there_is_one(cast: Cast, scene: dict[str, Any]) -> None:
    text = cast.api(cast.sergei).get(f"/api/v1/customers/{scene['customer'].pk}").content.decode()
    assert CUSTOMER in text
    assert [secret for secret in secrets(cast) if secret in text] == [CUSTOMER[2:]]


def test_lists_details_and_nested(
    cast: Cast, scene: dict[str, Any], leaks: Callable[[Any], Any]
) -> None:
    api = cast.api(cast.ivan)
    for kind, name in (
        ("objects", "object"),
        ("units", "unit"),
        ("customers", "customer"),
        ("visits", "visit"),
    ):
        assert leaks(api.get(f"/api/v1/{kind}")).json()["total"] >= 1
        assert leaks(api.get(f"/api/v1/{kind}?cursor=&size=1")).json()["items"]
        assert leaks(api.get(f"/api/v1/{kind}/{scene[name].pk}")).status_code == 200
    for path in (
        "objects/my-tasks", "visits/reminders", "users/me", "users/supervisors", "analytics/summary",
        "analytics/engineers", "users", "objects?q=Вахтёр", "customers?q=Мария",
    ):  # fmt: skip
        leaks(api.get(f"/api/v1/{path}"))
    visit = api.get(f"/api/v1/visits/{scene['visit'].pk}").json()
    assert visit["customer"]["phone"] == MASKED
    assert (
        api.get(f"/api/v1/objects/{scene['object'].pk}").json()["contact_phone"] == CONTACT_MASKED
    )
    assert api.get(f"/api/v1/customers/{scene['abroad'].pk}").json()["phone"] == FOREIGN_MASKED


def test_writes_and_moves(cast: Cast, scene: dict[str, Any], leaks: Callable[[Any], Any]) -> None:
    api = cast.api(cast.ivan)
    customer, record, visit = scene["customer"], scene["object"], scene["visit"]
    base = {"object_id": str(record.pk)}
    assert leaks(api.patch(f"/api/v1/customers/{customer.pk}", {"notes": "x"})).status_code == 200
    assert leaks(api.patch(f"/api/v1/objects/{record.pk}", {"tags": ["x"]})).status_code == 200
    new = leaks(api.post("/api/v1/customers", {**base, "phone": "+7 999 000-11-22"}))
    assert new.json()["phone"] == "+7 (***) ***-**22"
    planned = leaks(api.post("/api/v1/visits", {**base, "customer_id": str(customer.pk)}))
    assert planned.json()["customer"]["phone"] == MASKED
    assert leaks(api.post(f"/api/v1/visits/{visit.pk}/start", {})).status_code == 200
    body = {"version": 2, "outcome_text": "Готово"}
    assert leaks(api.post(f"/api/v1/visits/{visit.pk}/complete", body)).status_code == 200
    stale = leaks(
        api.post(f"/api/v1/visits/{planned.json()['id']}/complete", {**body, "version": 9})
    )
    assert refused(stale, 409)["diff"]["server_data"]["customer"]["phone"] == MASKED


def test_both_sides_of_a_conflict(
    cast: Cast, scene: dict[str, Any], leaks: Callable[[Any], Any]
) -> None:
    api = cast.api(cast.ivan)
    for path, field, stored, mask in (
        (f"/api/v1/customers/{scene['customer'].pk}", "phone", "+79990001122", "+7 (***) ***-**22"),
        (
            f"/api/v1/objects/{scene['object'].pk}",
            "contact_phone",
            "+79990001133",
            "+7 (***) ***-**33",
        ),
    ):
        edit = {field: stored, "version": 1}
        assert cast.api(cast.sergei).patch(path, edit).status_code == 200
        sent = {field: "8 999 555-44-77", "version": 1}
        answer = api.patch(path, sent)
        diff = refused(leaks(answer), 409)["diff"]
        assert stored[2:] not in answer.content.decode()
        assert "9995554477" not in answer.content.decode()
        assert diff["server_data"][field] == mask
        assert diff["client_data"][field] == "+7 (***) ***-**77"
        assert diff["diff"][field] == {"server": mask, "client": "+7 (***) ***-**77"}
        assert diff["conflicting_fields"] == [field]
        whole = refused(cast.api(cast.sergei).patch(path, sent), 409)["diff"]["diff"][field]
        assert whole == {"server": stored, "client": "+79995554477"}


def test_a_masked_value_sent_back_is_unchanged_and_never_saved(
    cast: Cast, scene: dict[str, Any], leaks: Callable[[Any], Any]
) -> None:
    for user in (cast.ivan, cast.sergei):
        api = cast.api(user)
        path = f"/api/v1/customers/{scene['customer'].pk}"
        shown = api.get(path).json()
        version = shown["version"]
        body = leaks_free = api.patch(path, {"phone": MASKED, "version": version})
        assert leaks_free.json()["version"] == version, body.json()
        with_more = api.patch(path, {"phone": MASKED, "notes": user.full_name, "version": version})
        assert with_more.json()["version"] == version + 1
        for other in (
            CONTACT_MASKED,
            FOREIGN_MASKED,
            "***",
            "*",
            "+7999123456*",
            "+7 (***) ***-**6７",
        ):
            invalid(api.patch(path, {"phone": other}), "phone")
            invalid(api.patch(path, {"phone": other, "force": True, "version": 1}), "phone")
        object_path = f"/api/v1/objects/{scene['object'].pk}"
        invalid(api.patch(object_path, {"contact_phone": MASKED}), "contact_phone")
        assert api.patch(object_path, {"contact_phone": CONTACT_MASKED}).json()["version"] == 1
    for kind, field in (("objects", "contact_phone"), ("customers", "phone")):
        base = {"object_id": str(scene["object"].pk), "type": "MKD", "address": "ул. Новая, 1"}
        invalid(leaks(cast.api(cast.ivan).post(f"/api/v1/{kind}", {**base, field: MASKED})), field)
    assert Customer.objects.get(pk=scene["customer"].pk).phone == CUSTOMER
    assert Object.objects.get(pk=scene["object"].pk).contact_phone == CONTACT


def test_an_old_mask_on_a_stale_edit_is_a_conflict(cast: Cast, scene: dict[str, Any]) -> None:
    path = f"/api/v1/customers/{scene['customer'].pk}"
    assert cast.api(cast.sergei).patch(path, {"phone": "+79990001122"}).status_code == 200
    api = cast.api(cast.ivan)
    diff = refused(api.patch(path, {"phone": MASKED, "version": 1}), 409)["diff"]
    assert diff["conflicting_fields"] == ["phone"]
    assert diff["diff"]["phone"] == {"server": "+7 (***) ***-**22", "client": MASKED}
    # The mask of what is stored now stands for it, also on a stale edit of something else.
    diff = refused(
        api.patch(path, {"phone": "+7 (***) ***-**22", "notes": "x", "version": 1}), 409
    )["diff"]
    assert list(diff["diff"]) == ["notes"]
    assert diff["resolution_hints"]["code"] == "STALE_VERSION"
    invalid(api.patch(path, {"phone": MASKED, "version": 2}), "phone")


def test_refusals_do_not_repeat_a_phone(
    cast: Cast, scene: dict[str, Any], leaks: Callable[[Any], Any]
) -> None:
    api = cast.api(cast.ivan)
    base = {"object_id": str(scene["object"].pk)}
    answer = leaks(api.post("/api/v1/customers", {**base, "phone": CUSTOMER}))
    assert refused(answer, 409, "DUPLICATE")["existing_id"] == str(scene["customer"].pk)
    clash = leaks(api.patch(f"/api/v1/customers/{scene['abroad'].pk}", {"phone": CUSTOMER}))
    assert refused(clash, 409, "DUPLICATE")["field"] == "phone"
    invalid(leaks(api.post("/api/v1/customers", {**base, "phone": CUSTOMER + "00"})), "phone")
    leaks(api.get("/api/v1/customers", {"phone": CUSTOMER + "00"}))
    leaks(api.get("/api/v1/customers", {"rating_min": CUSTOMER[1:], "phone": CUSTOMER}))


def test_an_engineer_finds_by_a_whole_phone_only(cast: Cast, scene: dict[str, Any]) -> None:
    ivan, sergei, pyotr = (cast.api(user) for user in (cast.ivan, cast.sergei, cast.pyotr))

    def count(api: Any, **query: str) -> int:
        total: int = api.get("/api/v1/customers", query).json()["total"]
        return total

    for whole in (CUSTOMER, "8 (999) 123-45-67", "9991234567", "79991234567"):
        for name in ("q", "phone", "search"):
            assert (count(ivan, **{name: whole}), count(pyotr, **{name: whole})) == (1, 0), (
                name,
                whole,
            )
    for length in range(2, len(CUSTOMER) - 1):
        for start in (CUSTOMER[:length], "8" + CUSTOMER[2 : length + 2], CUSTOMER[2 : length + 2]):
            if start in (CUSTOMER[2:], "8" + CUSTOMER[2:]):
                continue
            assert count(ivan, q=start) == 0, start
    assert count(sergei, q=CUSTOMER[:8]) == 1
    for part in ("1234567", "Мария 79991", "#79991234567", "#7", "7 999 123 45 6"):
        assert count(ivan, q=part) == 0, part
    for kind in ("visits", "objects"):
        for q in (CUSTOMER, CUSTOMER[2:], CONTACT, CONTACT[2:]):
            assert ivan.get(f"/api/v1/{kind}", {"q": q}).json()["total"] == 0


def test_an_engineer_cannot_sort_or_filter_by_what_is_masked(
    cast: Cast, scene: dict[str, Any]
) -> None:
    ivan, sergei = cast.api(cast.ivan), cast.api(cast.sergei)
    for kind, field in (("customers", "phone"), ("objects", "contact_phone")):
        for sort in (field, f"-{field}", f"updated_at,-{field}"):
            text = invalid(ivan.get(f"/api/v1/{kind}", {"sort": sort}), "sort")
            assert field not in text.partition("Known")[2]
            invalid(ivan.get(f"/api/v1/{kind}", {"sort": sort, "cursor": ""}), "sort")
            assert sergei.get(f"/api/v1/{kind}", {"sort": sort}).status_code == 200
        step = sergei.get(f"/api/v1/{kind}", {"sort": field, "cursor": "", "size": "1"}).json()
        if step["next_cursor"]:
            invalid(
                ivan.get(f"/api/v1/{kind}", {"sort": field, "cursor": step["next_cursor"]}), "sort"
            )
    for query in ("phone_min=1", "contact_phone=1", "phone__startswith=1", "filters[phone__gte]=1"):
        assert ivan.get(f"/api/v1/customers?{query}").status_code == 422
        assert ivan.get(f"/api/v1/objects?{query}").status_code == 422


def test_supervisors_and_administrators_see_whole(cast: Cast, scene: dict[str, Any]) -> None:
    for user in (cast.sergei, cast.anna):
        api = cast.api(user)
        assert api.get(f"/api/v1/customers/{scene['customer'].pk}").json()["phone"] == CUSTOMER
        assert (
            api.get(f"/api/v1/visits/{scene['visit'].pk}").json()["customer"]["phone"] == CUSTOMER
        )
        assert api.get(f"/api/v1/objects/{scene['object'].pk}").json()["contact_phone"] == CONTACT
