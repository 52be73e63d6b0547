"""seed_dictionaries and seed_demo: complete, repeatable, and by the same rules as every other write."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from clients.models import Customer
from crm import changes
from crm.changes import Action, Change
from crm.db.bulk import copy_rows
from crm.territory.dictionary_data import CITIES
from crm.territory.models import City, District
from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object, ObjectAccess, Unit
from tests.demo.towns import BASE_DAY
from visits.demo import writer
from visits.demo.accounts import ACCOUNTS, DemoAccount
from visits.models import Visit
from visits.transitions import VisitStatus

pytestmark = pytest.mark.django_db

OBJECTS = 40
RECORDS = (Object, Unit, Customer, Visit)


def seed(objects: int = OBJECTS, **options: Any) -> str:
    """Run the command; what it said."""
    out = StringIO()
    call_command("seed_demo", objects=objects, stdout=out, **options)
    return out.getvalue()


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the four kinds and of the staff, with the columns that the database keeps."""
    kept = ("id", "version", "updated_at", "feed_position", "deleted_at")
    rows: dict[str, list[tuple[Any, ...]]] = {
        model.__name__: list(model.objects.order_by("id").values_list(*kept)) for model in RECORDS
    }
    return rows | {
        "User": list(User.objects.order_by("id").values_list("id", "password", "updated_at"))
    }


# --- dictionaries ----------------------------------------------------------------------------------


def test_dictionaries_are_seeded_once() -> None:
    call_command("seed_dictionaries", stdout=StringIO())
    before = list(
        District.objects.order_by("id").values_list("id", "name", "city__name", "updated_at")
    )
    call_command("seed_dictionaries", stdout=StringIO())
    assert (
        list(District.objects.order_by("id").values_list("id", "name", "city__name", "updated_at"))
        == before
    )
    assert set(City.objects.values_list("name", "time_zone")) == {
        (c.name, c.time_zone) for c in CITIES
    }
    assert len(before) == sum(len(city.districts) for city in CITIES)


def test_a_renamed_city_and_one_made_by_hand_are_not_made_twice() -> None:
    kazan = City.objects.create(name="Казань")
    District.objects.create(name="Вахитовский", city=kazan)
    call_command("seed_dictionaries", stdout=StringIO())
    City.objects.filter(name="Москва").update(name="Москва-столица")
    District.objects.filter(name="Северный").update(name="САО")
    call_command("seed_dictionaries", stdout=StringIO())
    assert City.objects.count() == len(CITIES)
    assert District.objects.count() == sum(len(city.districts) for city in CITIES)
    assert kazan.districts.count() == 7
    seed(5)
    assert User.objects.get(email="engineer2@example.com").district.name == "САО"


# --- accounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.email)
def test_a_demo_account_can_log_in_and_has_its_territory(account: DemoAccount) -> None:
    seed(0)
    user = User.objects.get(email=account.email)
    assert account.password
    assert user.check_password(account.password)
    assert user.role == account.role
    assert (user.city.name if user.city else None) == account.city
    assert (user.district.name if user.district else None) == account.district


def test_only_the_demo_accounts_have_a_password() -> None:
    seed(0)
    usable = {user.email for user in User.objects.all() if user.has_usable_password()}
    assert usable == {account.email for account in ACCOUNTS}


def test_a_changed_password_is_not_reset() -> None:
    seed(0)
    admin = User.objects.get(email="admin@example.com")
    admin.set_password("something-better")
    admin.save()
    said = seed(0)
    assert User.objects.get(email="admin@example.com").check_password("something-better")
    assert "admin123" not in said


@pytest.mark.parametrize("objects", [12, OBJECTS])
def test_engineer1_sees_at_least_ten_objects_and_the_street_of_the_quickstart(objects: int) -> None:
    seed(objects)
    engineer = User.objects.get(email="engineer1@example.com")
    seen = Object.objects.visible_to(engineer)
    assert seen.count() >= 10
    assert seen.filter(address__contains="Ёлочная", district__name="Центральный").count() >= 4
    assert Visit.objects.visible_to(engineer).exists()


def test_the_accounts_of_kazan_see_kazan_only() -> None:
    seed()
    supervisor = User.objects.get(email="supervisor.kazan@example.com")
    assert set(Object.objects.visible_to(supervisor).values_list("city__name", flat=True)) == {
        "Казань"
    }
    engineer = User.objects.get(email="engineer.kazan@example.com")
    assert Object.objects.visible_to(engineer).filter(district__name="Вахитовский").count() >= 6


def test_what_is_made_once_is_reported_once() -> None:
    """Whoever keeps a trail hears of each city, district and account."""
    heard: list[Change] = []
    changes.listen(heard.extend)
    try:
        seed(0)
        seed(0)
    finally:
        changes.forget(heard.extend)
    assert {change.action for change in heard} == {Action.CREATE}
    ids = [change.entity_id for change in heard]
    made = [
        pk for model in (City, District, User) for pk in model.objects.values_list("pk", flat=True)
    ]
    assert sorted(map(str, ids)) == sorted(map(str, made))
    assert all(change.after and "password" not in change.after for change in heard)


# --- rows ------------------------------------------------------------------------------------------


def test_every_row_passes_the_models_own_validation() -> None:
    seed()
    for model in (*RECORDS, User):
        for row in model._default_manager.all():
            row.full_clean(exclude=["password"])


def test_rows_come_out_as_if_typed_in() -> None:
    seed()
    for model in RECORDS:
        rows = model.objects.all()
        assert rows.count() >= OBJECTS
        assert set(rows.values_list("version", flat=True)) == {1}
        assert all(row.field_versions == {} and row.feed_position > 0 for row in rows)
        assert all(timezone.now() >= row.created_at for row in rows)
    assert Object.objects.filter(search_text__contains=" елочная д 12 корп 2 ").exists()


def test_counters_follow_from_the_visits() -> None:
    seed()
    done = Q(visits__status=VisitStatus.DONE)
    objects = Object.objects.annotate(
        n=Count("visits", filter=done), last=Max("visits__finished_at", filter=done)
    )
    assert objects.filter(visits_count__gt=0).exists()
    for one in objects:
        assert (one.visits_count, one.last_visit_at) == (one.n, one.last)
    assert Customer.objects.filter(last_interaction_at__isnull=False).exists()


def test_the_ledger_follows_from_visits_and_responsibility() -> None:
    seed()
    expected: dict[tuple[UUID, UUID], tuple[int, bool]] = {}
    for user, one in Object.objects.exclude(responsible_user=None).values_list(
        "responsible_user_id", "id"
    ):
        expected[user, one] = (0, True)
    live = Visit.objects.exclude(status=VisitStatus.CANCELLED).values_list(
        "engineer_id", "object_id"
    )
    for user, one in live:
        count, responsible = expected.get((user, one), (0, False))
        expected[user, one] = (count + 1, responsible)
    ledger = ObjectAccess.objects.giving_sight()
    assert {(r.user_id, r.object_id): (r.live_visits, r.responsible) for r in ledger} == expected


def test_the_same_seed_gives_the_same_rows_again() -> None:
    seed(base_date=BASE_DAY)
    columns = [f.attname for f in Visit._meta.concrete_fields if f.editable or f.primary_key]
    before = list(Visit.objects.order_by("id").values_list(*columns))
    for model in (Visit, Customer, Unit, ObjectAccess, Object):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    seed(base_date=BASE_DAY)
    assert list(Visit.objects.order_by("id").values_list(*columns)) == before


# --- repeated --------------------------------------------------------------------------------------


def test_a_second_run_changes_nothing_and_says_so() -> None:
    seed()
    before = everything()
    said = seed()
    assert everything() == before
    assert str(OBJECTS) in said


def test_a_bigger_run_adds_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "BATCH", 7)
    seed(10)
    before = everything()
    seed(OBJECTS)
    assert Object.objects.count() == OBJECTS
    after = everything()
    for name, rows in before.items():
        assert set(rows) <= set(after[name])


def test_a_deleted_house_stays_deleted() -> None:
    seed(5)
    moment = timezone.now()
    gone = Object.objects.earliest("pk")
    stamp = {"deleted_at": moment, "deletion_id": uuid4()}
    for model in (Visit, Customer, Unit):
        model.objects.filter(object=gone).update(**stamp)
    Object.objects.filter(pk=gone.pk).update(**stamp)
    seed(5)
    assert Object.objects.count() == 5
    assert Object.objects.live().count() == 4


def test_another_seed_stands_beside_the_first() -> None:
    seed(seed=1)
    seed(seed=2)
    assert Object.objects.count() == 2 * OBJECTS
    assert User.objects.count() == len(ACCOUNTS) + sum(len(c.districts) for c in CITIES) - 3


def test_a_phone_that_somebody_has_is_left_out() -> None:
    seed(5)
    taken = Customer.objects.exclude(phone=None).earliest("pk")
    phone, pk = taken.phone, taken.pk
    for model in (Visit, Customer, Unit, ObjectAccess, Object):
        with connection.cursor() as cursor:
            cursor.execute(f"DELETE FROM {model._meta.db_table}")
    home = Object.objects.create(
        type="MKD", address="ул. Ничья, д. 1", city=City.objects.earliest("pk")
    )
    Customer.objects.create(object=home, full_name="Кто-то другой", phone=phone)
    seed(5)
    assert Customer.objects.get(pk=pk).phone is None
    assert Customer.objects.filter(phone=phone).count() == 1


@pytest.mark.parametrize("options", [["--objects=-1"], ["--seed=x"], ["--base-date=tomorrow"]])
def test_nonsense_is_refused_with_a_sentence(options: list[str]) -> None:
    with pytest.raises(CommandError, match="is not a"):
        call_command("seed_demo", *options)


# --- copy_rows -------------------------------------------------------------------------------------


def test_copied_values_are_stored_as_django_stores_them() -> None:
    seed(1)
    customer = Customer.objects.earliest("pk")
    moment = datetime(2026, 3, 10, 9, 30, 15, 250_000, tzinfo=UTC)
    shared = {
        "object_id": customer.object_id,
        "engineer_id": User.objects.filter(role=Role.ENGINEER).earliest("pk").pk,
    }
    values = {
        "scheduled_at": moment,
        "interests": ["TV", "INTERNET"],
        "status": "PLANNED",
        "outcome_text": "a\tb\\N\n«ц»",
    }
    typed = Visit.objects.create(**shared, **values)
    copied = uuid4()
    row = {"id": copied} | shared | values
    with transaction.atomic():
        copy_rows(connection, Visit._meta.db_table, list(row), [list(row.values())])
    raw = f"SELECT {', '.join(row)} FROM {Visit._meta.db_table} WHERE id = %s"
    adapt: Callable[[UUID], Any] = lambda pk: Visit._meta.pk.get_db_prep_value(pk, connection)  # noqa: E731
    with connection.cursor() as cursor:
        stored = []
        for pk in (typed.pk, copied):
            cursor.execute(raw, [adapt(pk)])
            stored.append(cursor.fetchone()[1:])
    assert stored[0] == stored[1]
    assert Visit.objects.get(pk=copied).scheduled_at == moment
    assert json.dumps(Visit.objects.get(pk=copied).interests) == json.dumps(["TV", "INTERNET"])


def test_a_bad_row_stores_none_of_them() -> None:
    seed(1)
    unit = Unit.objects.earliest("pk")
    rows = [
        (uuid4(), unit.object_id, "1000", "{}"),
        (uuid4(), unit.object_id, unit.unit_number, "{}"),
    ]
    before = Unit.objects.count()
    with pytest.raises(IntegrityError), transaction.atomic():
        copy_rows(
            connection, "objects_unit", ["id", "object_id", "unit_number", "attributes"], rows
        )
    assert Unit.objects.count() == before
