"""The import of customers: what becomes of rows, who may import what, and what a second run finds."""

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from django.utils.translation import override

from audit.models import AuditEntry
from clients.importing import importer
from clients.models import Customer
from crm.changes import Change, forget, listen
from crm.errors import Forbidden
from crm.importing import service
from crm.importing.basis import Basis
from crm.importing.outcomes import Outcome, RowResult
from crm.importing.service import Report, check, guess, open_upload, plan, run
from crm.importing.table import BrokenFileError
from crm.users.models import User
from crm.users.roles import Role
from objects.models import Object, Unit
from tests.cast import Cast

pytestmark = pytest.mark.django_db

HEAD = "ФИО;Телефон;Адрес;Кв"


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.fixture
def house(cast: Cast) -> Object:
    return cast.object(address="ул. Мира, д. 5")


def planned(text: str, user: User) -> list[RowResult]:
    sheet = open_upload(io.BytesIO(text.encode()))
    return list(plan("customers", sheet, guess("customers", sheet), user=user))


def imported(
    text: str, user: User, basis: Basis | None = None, **options: Any
) -> tuple[list[RowResult], Report]:
    rows: list[RowResult] = []
    sheet = open_upload(io.BytesIO(text.encode()))
    mapping = guess("customers", sheet)
    report = run("customers", sheet, mapping, user=user, basis=basis, on_row=rows.append, **options)
    return rows, report


def checked(text: str, user: User) -> Basis:
    sheet = open_upload(io.BytesIO(text.encode()))
    return check("customers", sheet, guess("customers", sheet), user=user).basis


def both(text: str, user: User) -> list[RowResult]:
    """Plan and run, which must tell the same."""
    before = planned(text, user)
    after, report = imported(text, user)
    told = [
        (row.line, row.outcome, row.title, row.changes, row.sentences, row.new_units)
        for row in before
    ]
    assert told == [
        (row.line, row.outcome, row.title, row.changes, row.sentences, row.new_units)
        for row in after
    ]
    assert report.totals.rows == len(after)
    return after


def outcomes(rows: Sequence[RowResult]) -> str:
    return " ".join(row.outcome.value for row in rows)


FULL = (
    "Город;Адрес;Квартира;ФИО;Телефон;Интересы;Провайдер;Оценка;Доволен;Когда звонить;Цена;Согласие;Портрет;"
    "Примечание\n"
    "Москва;Мира ул., 5;кв. 12;Иванова Мария;8 (912) 345-67-89;инет, Видеоняня;МТС;4 из 5;нет;18.30;"
    '1 200,50 ₽;да;строгая;"звонить\nвечером"\n'
)


def test_a_row_becomes_a_customer(cast: Cast, house: Object) -> None:
    (row,) = both(FULL, cast.sergei)
    assert (row.outcome, row.new_units) == (Outcome.CREATE, 1)
    made = Customer.objects.get()
    assert (made.object, made.unit.unit_number, made.pk) == (house, "12", row.record_id)
    assert (made.full_name, made.phone) == ("Иванова Мария", "+79123456789")
    assert (made.interests, made.current_provider, made.provider_rating) == (
        ["INTERNET", "BABY_MONITOR"], "МТС", 4,
    )  # fmt: skip
    assert (made.satisfied, made.preferred_call_time, str(made.desired_price), made.gdpr_consent) == (
        False, "18:30", "1200.50", True,
    )  # fmt: skip
    assert (made.portrait_text, made.notes) == ("строгая", "звонить\nвечером")


def test_planning_writes_and_locks_nothing(cast: Cast, house: Object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importer, "write", None)
        rows = planned(FULL, cast.sergei)
    assert rows[0].record_id is None
    assert not Customer.objects.exists()
    assert not Unit.objects.exists()


def test_every_change_has_its_entry(cast: Cast, house: Object) -> None:
    imported(FULL, cast.sergei)
    imported(FULL.replace("МТС", "Билайн"), cast.sergei)
    entries = AuditEntry.objects.filter(actor=cast.sergei)
    assert sorted((each.action, each.entity_type) for each in entries) == [
        ("create", "customer"), ("create", "unit"), ("update", "customer"),
    ]  # fmt: skip
    assert {each.city_id for each in entries} == {cast.moscow.pk}


def test_the_same_again_changes_nothing(cast: Cast, house: Object) -> None:
    text = f"{FULL}Москва;Мира 5;13;Петров И.;;;;;;;;;;\nМосква;Мира 5;;Сидоров;;;;;;;;;;\n"
    imported(text, cast.sergei)
    before, entries = list(Customer.objects.values()), AuditEntry.objects.count()
    assert outcomes(both(text, cast.sergei)) == "unchanged unchanged unchanged"
    assert list(Customer.objects.values()) == before
    assert AuditEntry.objects.count() == entries


def test_differences_are_told_field_by_field(cast: Cast, house: Object) -> None:
    imported(FULL, cast.sergei)
    text = "Адрес;Кв;Телефон;Интересы;Оценка\nМира 5;14;+7 912 345-67-89;тв;\n"
    (row,) = both(text, cast.sergei)
    assert [str(change) for change in row.changes] == [
        "interests: internet, baby monitor → television", "unit: 12 → 14",
    ]  # fmt: skip
    made = Customer.objects.get()
    assert (made.unit.unit_number, made.interests, made.version) == ("14", ["TV"], 2)
    assert made.provider_rating == 4


def test_interests_in_another_order_are_the_same(cast: Cast, house: Object) -> None:
    cast.customer(house, phone="+79123456789", interests=["TV", "INTERNET"], full_name="А")
    (row,) = both(f"{HEAD};Интересы\nА;89123456789;Мира 5;;интернет|тв\n", cast.sergei)
    assert row.outcome == Outcome.UNCHANGED


# --- who is meant ---------------------------------------------------------------------------------


def test_the_phone_tells_before_the_name(cast: Cast, house: Object) -> None:
    known = cast.customer(house, full_name="Старое имя", phone="+79123456789")
    (row,) = both(f"{HEAD}\nНовое имя;8-912-345-67-89;Мира 5;\n", cast.sergei)
    assert (row.outcome, row.record_id) == (Outcome.UPDATE, known.pk)
    known.refresh_from_db()
    assert known.full_name == "Новое имя"


def test_a_new_phone_goes_to_the_namesake_without_one(cast: Cast, house: Object) -> None:
    flat = cast.unit(house, unit_number="12")
    known = cast.customer(house, unit=flat, full_name="Пётр Алёхин", phone=None)
    with_phone = cast.customer(house, unit=flat, full_name="Мария Алехина", phone="+79990001122")
    rows = both(
        f"{HEAD}\nПЕТР АЛЕХИН;89123456789;Мира 5;12\nМария Алёхина;89123456780;Мира 5;12\n",
        cast.sergei,
    )
    assert outcomes(rows) == "update create"
    assert rows[0].record_id == known.pk
    with_phone.refresh_from_db()
    assert with_phone.phone == "+79990001122"


def test_without_a_phone_the_name_in_the_flat_tells(cast: Cast, house: Object) -> None:
    flats = [cast.unit(house, unit_number=str(n)) for n in (12, 13)]
    known = [cast.customer(house, unit=flat, full_name="Иванов И. И.") for flat in flats]
    text = f"{HEAD};Оценка\nиванов и.и.;;Мира 5;13;5\n"
    (row,) = both(text, cast.sergei)
    assert row.record_id == known[1].pk
    (row,) = both(f"{HEAD};Оценка\nИванов И И;;Мира 5;;5\n", cast.sergei)
    assert row.outcome == Outcome.PROBLEM
    assert "Several customers" in str(row.sentences[0])


def test_a_row_must_tell_who(cast: Cast, house: Object) -> None:
    (row,) = both(f"{HEAD}\n;;Мира 5;3\n", cast.sergei)
    assert row.sentences == ["The row gives neither a name nor a phone."]
    assert not Unit.objects.exists()


def test_nobody_is_moved_to_another_object(cast: Cast, house: Object) -> None:
    other = cast.object(address="ул. Ленина, 1")
    cast.customer(other, phone="+79123456789")
    (row,) = both(f"{HEAD}\nИван;89123456789;Мира 5;77\n", cast.sergei)
    assert row.outcome == Outcome.PROBLEM
    assert "ул. Ленина, 1" in str(row.sentences[0])
    assert not Unit.objects.exists()


def test_a_deleted_customer_lets_the_phone_go(cast: Cast, house: Object) -> None:
    gone = cast.customer(house, phone="+79123456789")
    Customer.objects.filter(pk=gone.pk).update(deleted_at=timezone.now())
    (row,) = both(f"{HEAD}\nИван;89123456789;Мира 5;\n", cast.sergei)
    assert row.outcome == Outcome.CREATE


# --- where ----------------------------------------------------------------------------------------


def test_flats_in_columns_and_in_addresses(cast: Cast, house: Object) -> None:
    exact = cast.unit(house, unit_number="12А")
    rows = both(
        f"{HEAD}\nИван;;Мира 5;12а\nАнна;;Мира 5;кв.7\nЯн;;Мира 5;8.0\n"
        "Ева;;ул. Мира, д. 5, кв. 9;\nЗоя;;Мира 5 кв.9;\nОля;;Мира 5;оф. 3\n",
        cast.sergei,
    )
    assert outcomes(rows) == "create " * 5 + "create"
    assert [row.new_units for row in rows] == [0, 1, 1, 1, 0, 1]
    assert Customer.objects.get(full_name="Иван").unit == exact
    numbers = Unit.objects.order_by("unit_number").values_list("unit_number", flat=True)
    assert sorted(numbers) == ["12А", "7", "8", "9", "оф. 3"]


def test_an_object_that_is_an_office_by_itself(cast: Cast, house: Object) -> None:
    office = cast.object(address="ул. Мира, д. 5, офис 3")
    both(f"{HEAD}\nИван;;Мира, 5, офис 3;\n", cast.sergei)
    assert Customer.objects.get().object == office
    assert Customer.objects.get().unit is None


def test_new_flats_are_counted_once_across_batches(
    cast: Cast, house: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    text = f"{HEAD}\n" + "".join(f"Ж{'абвгд'[n]};;Мира 5;12\n" for n in range(5))
    rows = both(text, cast.sergei)
    assert sum(row.new_units for row in rows) == 1
    assert Unit.objects.count() == 1


def test_unknown_addresses_and_cities(cast: Cast, house: Object) -> None:
    rows = both(
        "Город;Адрес;Имя\nМосква;Мира 55;А\nАтлантида;Мира 5;А\n;г. Казань, Мира 5;А\nМосква;Мир;А\n",
        cast.sergei,
    )
    said = [str(row.sentences[0]) for row in rows]
    assert outcomes(rows) == "problem " * 3 + "problem"
    assert "There is no object with the address “Мира 55” in Москва." in said
    assert not Object.objects.exclude(pk=house.pk).exists()


BAD = [
    ("Телефон", "12", "phone number"),
    ("Телефон", "7,91235E+10", "rounded"),
    ("Телефон", "89123456789, 89123456780", "several phones"),
    ("Телефон", "+7 (***) ***-**89", "masked"),
    ("Оценка", "6", "1 to 5"),
    ("Оценка", "0", "1 to 5"),
    ("Доволен", "может быть", "neither yes nor no"),
    ("Согласие", "x", "neither yes nor no"),
    ("Интересы", "интернет, рыбалка", "рыбалка"),
    ("Когда звонить", "25:00", "time of day"),
    ("Цена", "дорого", "not a price"),
    ("Цена", "-5", "not a price"),
    ("Цена", "1.005", "not a price"),
    ("Цена", "99999999999", "not a price"),
    ("Провайдер", "п" * 201, "200 characters"),
    ("Примечание", "п" * 10_001, "10000 characters"),
    ("Кв", "к" * 33, "32 characters"),
]


@pytest.mark.parametrize(("column", "value", "match"), BAD)
def test_a_bad_cell_is_told_at_its_row(
    cast: Cast, house: Object, column: str, value: str, match: str
) -> None:
    text = f'Имя;Адрес;{column}\nХороший;Мира 5;\nПлохой;Мира 5;"{value}"\n'
    rows = both(text, cast.sergei)
    assert outcomes(rows) == "create problem"
    assert (rows[1].line, rows[1].title) == (3, "Плохой")
    assert match in " ".join(map(str, rows[1].sentences))
    assert Customer.objects.count() == 1


def test_everything_wrong_with_a_row_is_said_at_once(cast: Cast, house: Object) -> None:
    (row,) = both("Имя;Адрес;Телефон;Оценка;Цена\nА;Мира 5;1;9;x\n", cast.sergei)
    assert len(row.sentences) == 3


def test_repeats_in_the_file(cast: Cast, house: Object) -> None:
    rows = both(
        f"{HEAD}\n"
        "Иван;89123456789;Мира 5;1\n"  # 2
        "Иван;+79123456789;ул. Мира 5;1\n"  # 3: the same
        "Иван;89123456789;Мира 5;2\n"  # 4: another flat
        "Иван;;Мира 5;1\n"  # 5: the one of line 2, who has a phone
        "Анна;;Мира 5;1\n"  # 6
        "АННА;89123456780;Мира 5;1\n"  # 7: the one of line 6
        "Иван;89123456781;Мира 5;1\n",  # 8: a namesake with another phone
        cast.sergei,
    )
    assert outcomes(rows) == "create repeat problem problem create problem create"
    assert "line 2" in str(rows[2].sentences[0])
    assert Customer.objects.count() == 3


def test_two_lines_that_mean_one_record_in_two_ways(cast: Cast, house: Object) -> None:
    flat = cast.unit(house, unit_number="5")
    cast.customer(house, unit=flat, full_name="Иван", phone="+79123456789")
    text = f"{HEAD};Оценка\n;89123456789;Мира 5;;4\nИван;;Мира 5;5;3\n"
    rows = both(text, cast.sergei)
    assert outcomes(rows) == "update problem"
    assert Customer.objects.get().provider_rating == 4


# --- who may --------------------------------------------------------------------------------------


def test_a_supervisor_touches_and_learns_nothing_outside(cast: Cast, house: Object) -> None:
    foreign = cast.object(city=cast.kazan, address="ул. Баумана, 1")
    hidden = cast.customer(foreign, phone="+79123456789", full_name="Тайный Агент")
    text = (
        "Город;Адрес;Имя;Телефон\nКазань;Баумана 1;Х;89990000001\nМосква;Мира 5;Иван;89123456789\n"
    )
    rows = both(text, cast.sergei)
    assert outcomes(rows) == "problem problem"
    said = " ".join(str(sentence) for row in rows for sentence in row.sentences)
    assert "There is no object with the address “Баумана 1” in Казань." in said
    assert "A customer with this phone already exists." in said
    for secret in (str(hidden.pk), "Агент", "ул. Баумана, 1"):
        assert secret not in repr(rows)
    assert all(row.record_id is None for row in rows)
    assert outcomes(both(text, cast.anna)) == "create problem"
    assert "Баумана" in repr(planned(text, cast.anna))


def test_an_engineer_sees_masks_and_sends_them_back(cast: Cast, house: Object) -> None:
    cast.customer(house, phone="+79123456789", full_name="Иван")
    cast.object(address="ул. Северная, 1", district=cast.north)
    text = (
        f"{HEAD}\nИван;+7 (***) ***-**89;Мира 5;\nИван;+7 (***) ***-**88;Мира 5;\n"
        "Ян;89990000001;Северная 1;\nАнна;89990000002;Мира 5;\n"
    )
    rows = both(text, cast.ivan)
    assert outcomes(rows) == "unchanged problem problem create"
    assert "79990000002" not in repr(rows[3].changes)
    assert Customer.objects.get(full_name="Иван").phone == "+79123456789"


def test_a_person_who_loses_the_role_loses_it_at_the_next_batch(
    cast: Cast, house: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 1)
    text = f"{HEAD}\nА;;Мира 5;\nБ;;Мира 5;\nВ;;Мира 5;\n"

    def deactivate(done: int) -> None:
        User.objects.filter(pk=cast.sergei.pk).update(is_active=done < 2)

    with pytest.raises(Forbidden):
        imported(text, cast.sergei, on_progress=deactivate)
    assert Customer.objects.count() == 2

    def move(_done: int) -> None:
        User.objects.filter(pk=cast.anna.pk).update(role=Role.SUPERVISOR, city=cast.kazan)

    text = text.replace("Мира", "Москва, Мира")
    rows, _report = imported(text, cast.anna, on_progress=move)
    assert outcomes(rows) == "unchanged problem problem"


# --- running --------------------------------------------------------------------------------------


def test_a_run_can_be_ended_and_taken_up_again(
    cast: Cast, house: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    text = f"{HEAD}\n" + "".join(f"Ж{letter};;Мира 5;{letter}1\n" for letter in "абвгд")
    basis = checked(text, cast.sergei)
    rows, report = imported(text, cast.sergei, basis=basis, on_progress=lambda done: done < 4)
    assert (report.stopped, len(rows), Customer.objects.count()) == (True, 4, 4)
    rows, report = imported(text, cast.sergei, basis=basis)
    assert (report.stopped, outcomes(rows)) == (False, "unchanged " * 4 + "create")


def test_a_run_that_is_broken_off_keeps_whole_batches(
    cast: Cast, house: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    text = f"{HEAD}\n" + "".join(f"Ж{letter};;Мира 5;{letter}1\n" for letter in "абвгд")

    def refuse(changes: Sequence[Change]) -> None:
        if any(change.after and change.after.get("full_name") == "Жг" for change in changes):
            raise RuntimeError("power cut")

    listen(refuse)
    try:
        with pytest.raises(RuntimeError):
            imported(text, cast.sergei)
    finally:
        forget(refuse)
    assert [each.full_name for each in Customer.objects.order_by("full_name")] == ["Жа", "Жб"]
    assert Unit.objects.count() == 2


def test_what_others_changed_since_the_check_is_told_not_overwritten(
    cast: Cast, house: Object
) -> None:
    known = [cast.customer(house, phone=f"+7912345678{n}", full_name=f"Имя {n}") for n in range(3)]
    text = "Адрес;Телефон;Оценка\n" + "".join(f"Мира 5;8912345678{n};5\n" for n in range(4))
    basis = checked(text, cast.sergei)
    Customer.objects.filter(pk=known[0].pk).update(provider_rating=1)
    Customer.objects.filter(pk=known[1].pk).update(notes="другое поле")
    Customer.objects.filter(pk=known[2].pk).update(deleted_at=timezone.now())
    cast.customer(house, phone="+79123456783", full_name="Новый", provider_rating=2)
    rows, _ = imported(text, cast.sergei, basis=basis)
    assert outcomes(rows) == "problem update problem problem"
    assert "provider rating" in str(rows[0].sentences[0])
    assert "gone" in str(rows[2].sentences[0])
    rows, _ = imported(text, cast.sergei, basis=basis)
    assert outcomes(rows) == "problem unchanged problem problem"


def test_what_the_database_refuses_stops_one_row_alone(
    cast: Cast, house: Object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody takes a phone between our look and our write."""
    text = f"{HEAD}\nА;89123456781;Мира 5;1\nБ;89123456782;Мира 5;1\nВ;;Мира 5;2\n"
    write = importer.write
    raced: list[int] = []

    def slow(decisions: Any, *, actor: User | None) -> None:
        if not raced:
            raced.append(1)
            # As if committed by another connection: it stays when our savepoint rolls back.
            monkeypatch.setattr(importer.Surroundings, "holder", lambda *_: None)
            monkeypatch.setattr(importer.Surroundings, "taken", lambda *_: False)
        write(decisions, actor=actor)

    monkeypatch.setattr(importer, "write", slow)
    cast.customer(house, phone="+79123456782", full_name="Быстрый")
    monkeypatch.setattr(importer.Surroundings, "holder", lambda *_: None)
    rows, _ = imported(text, cast.sergei)
    assert outcomes(rows) == "create problem create"
    assert rows[1].sentences == ["A customer with this phone already exists."]
    assert Customer.objects.count() == 3
    assert Unit.objects.count() == 2


def test_a_damaged_file_changes_nothing(cast: Cast, house: Object) -> None:
    text = f"{HEAD}\n" + "А;;Мира 5;\n" * 300 + '"Б;;Мира 5;\n'
    with pytest.raises(BrokenFileError):
        imported(text, cast.sergei)
    assert not Customer.objects.exists()


def test_a_hundred_rows_cost_as_many_queries_as_ten(
    cast: Cast, house: Object, django_assert_max_num_queries: Any
) -> None:
    text = f"{HEAD};Оценка\n" + "".join(f"Ж{n};8912345{n:04d};Мира 5;{n};5\n" for n in range(200))
    with django_assert_max_num_queries(30):
        imported(text, cast.sergei)
    with django_assert_max_num_queries(30):
        rows, _ = imported(text.replace(";5\n", ";4\n"), cast.sergei)
    assert {row.outcome for row in rows} == {Outcome.UPDATE}


# --- the command ----------------------------------------------------------------------------------


def test_the_command(cast: Cast, house: Object, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("Имя;Адрес;Кв;Тел\nИван;Мира 5;1;\nАнна;Мир;2;\n", encoding="cp1251")
    out = io.StringIO()
    call_command("import_customers", file, city="Москва", dry_run=True, stdout=out)
    assert not Customer.objects.exists()
    call_command("import_customers", file, city="Москва", map="phone=Тел", stdout=out)
    assert Customer.objects.get().full_name == "Иван"
    errors = tmp_path / "people.csv.errors.csv"
    assert "Анна" in errors.read_text(encoding="utf-8-sig")
    assert out.getvalue().count("Created: 1") == 2
    assert AuditEntry.objects.filter(actor=None, entity_type="customer").count() == 1


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"\x1f\x8b\x08\x00broken", {}),
        ("Имя;Улица\nИван;Мира\n".encode(), {}),
        ("Адрес;Улица\nМира 5;Мира\n".encode(), {}),
        ("Имя;Адрес\nИван;Мира 5\n".encode(), {"city": "Атлантида"}),
        ("Имя;Адрес\nИван;Мира 5\n".encode(), {"map": "colour=RED"}),
        ('Имя;Адрес\nИван;Мира 5\n"Анна;Мира 5\n'.encode(), {}),
    ],
)
def test_a_broken_file_changes_nothing_and_says_why(
    cast: Cast, house: Object, tmp_path: Path, content: bytes, options: dict[str, str]
) -> None:
    file = tmp_path / "people.csv"
    file.write_bytes(content)
    with pytest.raises(CommandError):
        call_command("import_customers", file, **{"city": "Москва"} | options)
    assert not Customer.objects.exists()
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_each_customer_once(
    cast: Cast,
    house: Object,
    run_together: Callable[..., list[Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(service, "BATCH", 5)
    lines = [f"Ж{'абвгдежзиклмнопрстуф'[n]};8912345{n:04d};Мира 5;{n % 7}" for n in range(20)]
    lines += [f"Б{'абвгдежзиклмнопрстуф'[n]};;Мира 5;{n % 7}" for n in range(20)]
    forth, back = ("\n".join([HEAD, *part, ""]) for part in (lines, lines[::-1]))
    done = run_together(
        lambda: imported(forth, cast.sergei)[0],
        lambda: imported(back, User.objects.get(pk=cast.sergei.pk))[0],
    )
    assert (Customer.objects.count(), Unit.objects.count()) == (40, 7)
    assert {row.outcome for rows in done for row in rows} <= {Outcome.CREATE, Outcome.UNCHANGED}
