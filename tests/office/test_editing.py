"""What is saved in the back office goes through the services, and nobody is overwritten."""

from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from clients.models import Customer
from crm.users.models import User
from objects.models import Object, Unit
from objects.services import delete_object, update_object
from tests.audit.witness import ADDRESS, CLIENT, Origin, witnessed
from tests.cast import Cast
from tests.office.desk import change_form, desk, errors_of, form_data
from visits.models import Visit

pytestmark = pytest.mark.django_db


def path_of(row: Any, page: str = "change") -> str:
    opts = row._meta
    return f"/admin/{opts.app_label}/{opts.model_name}/{row.pk}/{page}/"


def save(client: Client, path: str, form: dict[str, Any], code: int = 302, **changes: Any) -> Any:
    answer = client.post(path, {**form, **changes, "_save": "Save"})
    assert answer.status_code == code, errors_of(answer.content.decode())
    return answer


def at(user: User) -> Client:
    return desk(user, REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=CLIENT)


def origin(user: User, name: str) -> Origin:
    return Origin(user, name, ADDRESS, CLIENT)


def test_each_save_has_its_entry_and_its_version(cast: Cast) -> None:
    home = cast.object(address="ул. Ёлочная, д. 5")
    client = at(cast.sergei)
    form = change_form(client, path_of(home))
    with witnessed(origin(cast.sergei, "one"), changes=1):
        answer = client.post(
            path_of(home),
            {
                **form,
                "status": "INTEREST",
                "contact_phone": "8 (999) 123-45-67",
                "tags": "а, б",
                "_save": "1",
            },
            headers={"x-request-id": "one"},
        )
        assert answer.status_code == 302
    home.refresh_from_db()
    assert (home.version, home.status, home.tags) == (2, "INTEREST", ["а", "б"])
    assert home.contact_phone == "+79991234567"
    assert home.updated_by_id == cast.sergei.pk
    entry = AuditEntry.objects.get(entity_id=home.pk)
    assert "79991234567" not in str(entry.after)
    # The same form as it is now: nothing.
    form = change_form(client, path_of(home))
    with witnessed(origin(cast.sergei, "two"), changes=0):
        client.post(path_of(home), {**form, "_save": "1"}, headers={"x-request-id": "two"})


def test_new_records_of_every_kind(cast: Cast) -> None:
    client = desk(cast.sergei)
    save(
        client,
        "/admin/objects/object/add/",
        {},
        type="MKD",
        status="NEW",
        address="ул. Новая, д. 1",
        city=cast.moscow.pk,
        district=cast.centre.pk,
        responsible_user=cast.ivan.pk,
        gps_lat="55.75",
        gps_lng="37.61",
    )
    home = Object.objects.get()
    assert (home.created_by_id, home.responsible_user_id, home.gps_lat) == (
        cast.sergei.pk,
        cast.ivan.pk,
        55.75,
    )
    save(
        client,
        "/admin/objects/unit/add/",
        {},
        object=home.pk,
        unit_number="12",
        floor="3",
        attributes='{"door": "steel"}',
    )
    unit = Unit.objects.get()
    assert unit.attributes == {"door": "steel"}
    save(
        client,
        "/admin/clients/customer/add/",
        {},
        object=home.pk,
        unit=unit.pk,
        full_name="Мария",
        phone="8 999 123 45 67",
        interests=["TV", "INTERNET"],
        preferred_call_time="18:30",
        gdpr_consent="on",
        satisfied="true",
        desired_price="350.50",
    )
    person = Customer.objects.get()
    assert (person.phone, person.interests, person.gdpr_consent, person.satisfied) == (
        "+79991234567",
        ["TV", "INTERNET"],
        True,
        True,
    )
    save(
        client,
        "/admin/visits/visit/add/",
        {},
        object=home.pk,
        unit=unit.pk,
        customer=person.pk,
        engineer=cast.ivan.pk,
        scheduled_at_0="2030-01-01",
        scheduled_at_1="10:00",
    )
    visit = Visit.objects.get()
    # Local time of the supervisor's city.
    assert visit.scheduled_at.isoformat() == "2030-01-01T07:00:00+00:00"
    for row in (home, unit, person, visit):
        assert AuditEntry.objects.get(entity_id=row.pk).action == "create"
        assert row.version == 1


def test_what_a_service_refuses_stands_beside_the_field(cast: Cast) -> None:
    home = cast.object()
    taken = cast.customer(home, phone="+79991234567")
    client = desk(cast.sergei)
    answer = save(
        client,
        "/admin/clients/customer/add/",
        {},
        200,
        object=home.pk,
        phone="8 999 123-45-67",
        full_name="Зоя",
    )
    text = answer.content.decode()
    assert "A customer with this phone already exists." in text
    # Nothing typed is lost.
    assert form_data(text)["phone"] == "8 999 123-45-67"
    assert form_data(text)["full_name"] == "Зоя"
    assert str(taken.pk) not in text
    visit = cast.visit(home, cast.ivan)
    form = change_form(client, path_of(visit))
    text = save(client, path_of(visit), form, 200, status="DONE").content.decode()
    assert "A finished visit needs the text of its outcome." in text
    form = change_form(client, path_of(home))
    text = save(client, path_of(home), form, 200, gps_lat="55.7").content.decode()
    assert "Give both coordinates or neither." in text
    text = save(client, path_of(home), form, 200, contact_phone="не телефон").content.decode()
    assert "Enter a phone number" in text
    text = save(client, path_of(home), form, 200, address="дом").content.decode()
    assert "at least 5" in text
    home.refresh_from_db()
    assert home.version == 1


def test_status_moves_as_the_rules_allow(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    client = desk(cast.sergei)
    form = change_form(client, path_of(visit))
    save(client, path_of(visit), form, status="DONE", outcome_text="Подключили", interests=["TV"])
    visit.refresh_from_db()
    assert (visit.status, visit.interests) == ("DONE", ["TV"])
    assert visit.finished_at is not None
    form = change_form(client, path_of(visit))
    text = save(client, path_of(visit), form, 200, status="IN_PROGRESS").content.decode()
    assert "A visit cannot move" in text
    save(client, path_of(visit), form, status="PLANNED")
    visit.refresh_from_db()
    assert visit.status == "PLANNED"
    assert visit.finished_at is None


# --- two people at one record ---------------------------------------------------------------------


def changed_meanwhile(cast: Cast, home: Object, **changes: Any) -> None:
    update_object(actor=cast.anna, record_id=home.pk, changes=changes)


def conflict(cast: Cast, client: Client, home: Object, theirs: dict[str, Any], **mine: Any) -> Any:
    form = change_form(client, path_of(home))
    changed_meanwhile(cast, home, **theirs)
    return save(client, path_of(home), form, 409, **mine)


def test_a_newer_change_is_never_overwritten_silently(cast: Cast) -> None:
    home = cast.object(contact_name="Было")
    client = desk(cast.sergei)
    answer = conflict(
        cast,
        client,
        home,
        {"contact_name": "Анна вписала"},
        contact_name="Сергей вписал",
        tags="моё",
    )
    text = answer.content.decode()
    for value in ("Было", "Анна вписала", "Сергей вписал", "моё", cast.anna.full_name):
        assert value in text
    home.refresh_from_db()
    assert (home.contact_name, home.version, home.tags) == ("Анна вписала", 2, [])
    assert AuditEntry.objects.filter(entity_id=home.pk).count() == 1


def test_also_when_the_fields_are_different_ones(cast: Cast) -> None:
    home = cast.object()
    client = desk(cast.sergei)
    answer = conflict(cast, client, home, {"status": "DONE"}, tags="моё")
    form = form_data(answer.content.decode())
    # Mine is chosen beforehand where nobody else changed it: one click merges.
    assert form["pick-tags"] == "mine"
    save(client, path_of(home), form)
    home.refresh_from_db()
    assert (home.status, home.tags, home.version) == ("DONE", ["моё"], 3)


@pytest.mark.parametrize(
    ("answer", "name", "tags", "version"),
    [
        ({"pick-contact_name": "mine", "pick-tags": "mine"}, "Сергей", ["моё"], 3),
        ({"pick-contact_name": "theirs", "pick-tags": "mine"}, "Анна", ["моё"], 3),
        ({"pick-contact_name": "mine", "pick-tags": "theirs"}, "Сергей", [], 3),
        ({"mine": "1"}, "Сергей", ["моё"], 3),
        ({"theirs": "1"}, "Анна", [], 2),
    ],
)
def test_the_choice(
    cast: Cast, answer: dict[str, str], name: str, tags: list[str], version: int
) -> None:
    home = cast.object(contact_name="Было")
    client = desk(cast.sergei)
    page = conflict(
        cast,
        client,
        home,
        {"contact_name": "Анна", "status": "DONE"},
        contact_name="Сергей",
        tags="моё",
    )
    form = form_data(page.content.decode())
    form.pop("pick-tags")
    save(client, path_of(home), form, **answer)
    home.refresh_from_db()
    assert (home.contact_name, home.tags, home.version) == (name, tags, version)
    # What only they changed stays, whatever was chosen.
    assert home.status == "DONE"


def test_what_was_not_decided_is_asked_again(cast: Cast) -> None:
    home = cast.object(contact_name="Было")
    client = desk(cast.sergei)
    page = conflict(cast, client, home, {"contact_name": "Анна"}, contact_name="Сергей")
    form = form_data(page.content.decode())
    again = save(client, path_of(home), form, 409).content.decode()
    assert "Сергей" in again
    home.refresh_from_db()
    assert home.contact_name == "Анна"


def test_a_third_change_while_choosing_is_shown_too(cast: Cast) -> None:
    home = cast.object(contact_name="Было")
    client = desk(cast.sergei)
    page = conflict(cast, client, home, {"contact_name": "Анна"}, contact_name="Сергей")
    form = form_data(page.content.decode())
    changed_meanwhile(cast, home, contact_name="Снова Анна")
    again = save(client, path_of(home), form, 409, **{"pick-contact_name": "mine"}).content.decode()
    assert "Снова Анна" in again
    home.refresh_from_db()
    assert (home.contact_name, home.version) == ("Снова Анна", 3)
    save(client, path_of(home), form_data(again), **{"pick-contact_name": "mine"})
    home.refresh_from_db()
    assert home.contact_name == "Сергей"


def test_fields_that_the_user_left_alone_are_no_part_of_the_edit(cast: Cast) -> None:
    """An old page does not bring old values back, even when it says that it is new."""
    home = cast.object(contact_name="Было")
    client = desk(cast.sergei)
    form = change_form(client, path_of(home))
    changed_meanwhile(cast, home, contact_name="Анна", responsible_user_id=cast.ivan.pk)
    save(client, path_of(home), form, tags="моё", version=2)
    home.refresh_from_db()
    assert (home.contact_name, home.responsible_user_id, home.tags) == (
        "Анна",
        cast.ivan.pk,
        ["моё"],
    )
    assert home.version == 3


def test_both_typed_the_same(cast: Cast) -> None:
    home = cast.object()
    client = desk(cast.sergei)
    form = change_form(client, path_of(home))
    changed_meanwhile(cast, home, contact_name="Зоя")
    save(client, path_of(home), form, 409, contact_name="Зоя")
    form = form_data(save(client, path_of(home), form, 409, contact_name="Зоя").content.decode())
    save(client, path_of(home), form, mine="1")
    home.refresh_from_db()
    assert home.version == 2


def test_what_was_typed_into_a_deleted_record_is_shown(cast: Cast) -> None:
    for user in (cast.sergei, cast.anna):
        home = cast.object()
        client = desk(user)
        form = change_form(client, path_of(home))
        delete_object(actor=cast.anna, record_id=home.pk)
        text = save(client, path_of(home), form, 409, contact_name="Долго писали").content.decode()
        assert "Долго писали" in text
        home.refresh_from_db()
        assert home.is_deleted


# --- what stands there may stay -------------------------------------------------------------------


def test_a_colleague_who_has_left_stays_where_they_are(cast: Cast) -> None:
    home = cast.object(responsible_user=cast.ivan)
    User.objects.filter(pk=cast.ivan.pk).update(is_active=False)
    other = cast.object(responsible_user=cast.anna)
    client = desk(cast.sergei)
    for row, person in ((home, cast.ivan), (other, cast.anna)):
        form = change_form(client, path_of(row))
        assert form["responsible_user"] == str(person.pk)
        save(client, path_of(row), form, tags="новое")
        row.refresh_from_db()
        assert (row.responsible_user_id, row.tags) == (person.pk, ["новое"])
    # But nobody is given to them anew.
    third = cast.object()
    form = change_form(client, path_of(third))
    save(client, path_of(third), form, 200, responsible_user=cast.ivan.pk)


# --- deleting and bringing back -------------------------------------------------------------------


def test_deleting_says_what_goes_along_and_restoring_brings_it_back(cast: Cast) -> None:
    home = cast.object()
    cast.unit(home)
    cast.customer(home)
    cast.visit(home, cast.ivan)
    sergei, anna = at(cast.sergei), at(cast.anna)
    text = sergei.get(path_of(home, "delete")).content.decode()
    assert text.count("<strong>1</strong>") == 3
    with witnessed(origin(cast.sergei, "gone"), changes=4):
        sergei.post(path_of(home, "delete"), headers={"x-request-id": "gone"})
    assert sergei.get(path_of(home)).status_code == 404
    assert str(home.pk) not in sergei.get("/admin/objects/object/?deleted=1").content.decode()
    assert str(home.pk) in anna.get("/admin/objects/object/?deleted=1").content.decode()
    assert str(home.pk) not in anna.get("/admin/objects/object/").content.decode()
    page = anna.get(path_of(home))
    assert page.status_code == 200
    assert 'name="_save"' not in page.content.decode()
    assert sergei.post(path_of(home, "restore")).status_code == 404
    with witnessed(origin(cast.anna, "back"), changes=4):
        answer = anna.post(path_of(home, "restore"), headers={"x-request-id": "back"})
    assert answer.status_code == 302
    assert sergei.get(path_of(home)).status_code == 200


def test_restoring_that_would_clash_says_so(cast: Cast) -> None:
    home = cast.object()
    old = cast.customer(home, phone="+79991234567")
    anna = desk(cast.anna)
    anna.post(path_of(old, "delete"))
    cast.customer(home, phone="+79991234567")
    answer = anna.post(path_of(old, "restore"))
    assert answer.status_code == 409
    assert "Restoring would clash" in answer.content.decode()


def test_history_is_readable(cast: Cast) -> None:
    home = cast.object(contact_phone="+79991234567")
    changed_meanwhile(
        cast, home, status="DONE", responsible_user_id=cast.ivan.pk, contact_phone="+79990000067"
    )
    for path in (path_of(home), path_of(home, "history")):
        text = desk(cast.sergei).get(path).content.decode()
        history = text[text.index("office-events") :]
        for word in ("Status", "done", cast.ivan.full_name, cast.anna.full_name):
            assert word in history, (path, word)
        assert "79990000067" not in history


def test_timestamps_follow_the_supervisors_city(cast: Cast) -> None:
    cast.moscow.time_zone = "Asia/Yekaterinburg"
    cast.moscow.save()
    moment = timezone.now().replace(
        year=2030, month=1, day=1, hour=5, minute=0, second=0, microsecond=0
    )
    visit = cast.visit(cast.object(), cast.ivan, scheduled_at=moment)
    form = change_form(desk(cast.sergei), path_of(visit))
    assert form["scheduled_at_1"] == "10:00:00"
