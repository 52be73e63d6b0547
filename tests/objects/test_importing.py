"""What an import makes of its rows, who may import what, and what a failure leaves behind."""

import csv
import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import override

from crm.changes import Change, forget, listen
from crm.importing.reading import open_table
from crm.importing.rows import RowProblem
from crm.territory.models import City, District
from crm.users.models import User
from crm.users.roles import Role
from objects.importing import service
from objects.importing.columns import parse_mapping
from objects.importing.service import ImportResult, import_objects
from objects.importing.units import UnitCount, units_of
from objects.models import Object, Unit

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def moscow() -> City:
    return City.objects.create(name="Москва")


@pytest.fixture
def centre(moscow: City) -> District:
    return District.objects.create(name="Центральный", city=moscow)


@pytest.fixture
def told() -> Iterator[list[Change]]:
    changes: list[Change] = []

    def listener(some: Sequence[Change]) -> None:
        changes.extend(some)

    listen(listener)
    yield changes
    forget(listener)


def run(
    text: str,
    *,
    city: str | None = "Москва",
    mapping: str = "",
    actor: User | None = None,
    **options: Any,
) -> tuple[ImportResult, list[RowProblem]]:
    problems: list[RowProblem] = []
    result = import_objects(
        actor=actor,
        table=open_table(io.BytesIO(text.encode())),
        mapping=parse_mapping(mapping),
        city=City.objects.get(name=city) if city else None,
        on_problem=problems.append,
        **options,
    )
    assert result.reported == len(problems)
    return result, problems


def outcome(result: ImportResult) -> tuple[int, int, int, int]:
    return result.created, result.updated, result.unchanged, result.reported


def person(role: Role, *, city: City | None = None, district: District | None = None) -> User:
    created: User = User.objects.create(
        email=f"{role.lower()}@example.com", full_name="П", role=role, city=city, district=district
    )
    return created


FULL = (
    "адрес;тип;статус;район;контакт;телефон;теги;широта;долгота\n"
    "ул. Мира, д. 5;cafe;Interest;Центральный;Иван;8 (999) 123-45-67;wifi, тв;55,75;37.6\n"
)


def test_a_row_becomes_an_object(centre: District) -> None:
    assert outcome(run(FULL)[0]) == (1, 0, 0, 0)
    made = Object.objects.get()
    assert (made.address, made.type, made.status) == ("ул. Мира, д. 5", "CAFE", "INTEREST")
    assert (made.district, made.contact_name, made.contact_phone) == (
        centre,
        "Иван",
        "+79991234567",
    )
    assert (made.tags, made.gps_lat, made.gps_lng) == (["wifi", "тв"], 55.75, 37.6)


def test_the_same_import_again_changes_nothing(centre: District, told: list[Change]) -> None:
    run(FULL)
    before = list(Object.objects.values())
    told.clear()
    assert outcome(run(FULL)[0]) == (0, 0, 1, 0)
    assert list(Object.objects.values()) == before
    assert told == []


def test_only_what_a_row_fills_in_changes(centre: District) -> None:
    run(FULL)
    result, _ = run("address;status;contact_phone\nМосква, улица Мира 5;DONE;\n")
    made = Object.objects.get()
    assert outcome(result) == (0, 1, 0, 0)
    assert (made.status, made.contact_phone, made.version) == ("DONE", "+79991234567", 2)
    assert made.address == "ул. Мира, д. 5"


def test_every_change_is_told_with_before_and_after(told: list[Change]) -> None:
    run("address,status,N\nМира 5,NEW,2\nМира 6,NEW,\n", mapping="units=N")
    assert sorted((c.action, c.entity_type) for c in told) == [
        ("create", "object"), ("create", "object"), ("create", "unit"), ("create", "unit"),
    ]  # fmt: skip
    told.clear()
    run("address,status\nМира 5,DONE\nМира 6,NEW\n")
    (change,) = told
    assert change.before is not None
    assert change.after is not None
    assert (change.before["status"], change.after["status"]) == ("NEW", "DONE")
    assert (change.before["version"], change.after["version"]) == (1, 2)
    assert change.city_id == City.objects.get().pk


BAD_ROWS = [
    (";;;;", None),
    (";55;37;;", "missing"),
    ("Мир;;;;", "5 to 500"),
    ("ул. " + "а" * 500 + ";;;;", "5 to 500"),
    ("Мира 5;55;;;", "come together"),
    ("Мира 5;91;37;;", "outside"),
    ("Мира 5;55;-180.1;;", "outside"),
    ("Мира 5;nan;37;;", "not a coordinate"),
    ("Мира 5;x;37;;", "not a coordinate"),
    ("Мира 5;;;CASTLE;", "no type"),
    ("Мира 5;;;;12", "phone number"),
    ("Мира 5;;;;+7 (***) ***-**67", "masked"),
    ("Мира 5;;;", "4 cells"),
    ("Мира 5;;;;;", "6 cells"),
    ("г. Казань, Мира 5;;;;", "outside Москва"),
]


@pytest.mark.parametrize(("line", "words"), BAD_ROWS)
def test_a_bad_row_is_reported_and_not_half_written(line: str, words: str | None) -> None:
    text = f"address;gps_lat;gps_lng;type;contact_phone\nХорошая 1;;;;\n{line}\n"
    with override("en"):
        result, problems = run(text)
    assert [each.address for each in Object.objects.all()] == ["Хорошая 1"]
    assert result.created == 1
    if words is None:
        assert problems == []
    else:
        (problem,) = problems
        assert problem.line == 3
        assert words in " ".join(problem.sentences)


def test_everything_wrong_with_a_row_is_said_at_once() -> None:
    _, (problem,) = run("address,type,gps_lat,gps_lng\nМир,CASTLE,99,1\n")
    assert len(problem.sentences) == 3


def test_a_district_must_lie_in_the_city(centre: District, moscow: City) -> None:
    kazan = City.objects.create(name="Казань")
    vakhitovsky = District.objects.create(name="Вахитовский", city=kazan)
    text = f"address,city,district_id\nМира 5,казань,{vakhitovsky.pk}\nМира 5,г. Москва,{vakhitovsky.pk}\n"
    result, problems = run(text, city=None)
    assert outcome(result) == (1, 0, 0, 1)
    assert problems[0].line == 3
    assert Object.objects.get().city == kazan


def test_without_a_city_the_address_may_name_it() -> None:
    result, problems = run('address\n"г. Москва, Мира 5"\n"Мира 6"\n', city=None)
    assert outcome(result) == (1, 0, 0, 1)
    assert problems[0].line == 3


def test_a_repeat_that_says_the_same_is_nothing_new_and_another_is_reported() -> None:
    text = 'address,type\n"ул. Мира, д. 5",CAFE\n"Мира, 5.",CAFE\nМира 5,HOTEL\n'
    for expected in ((1, 0, 1, 1), (0, 0, 2, 1)):
        result, problems = run(text)
        assert outcome(result) == expected
        assert problems[0].line == 4
    assert Object.objects.get().type == "CAFE"


def test_one_address_in_two_cities_is_two_objects() -> None:
    City.objects.create(name="Казань")
    result, _ = run("address,city\nМира 5,Москва\nМира 5,Казань\n", city=None)
    assert result.created == 2


def test_repeats_are_found_across_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    result, _ = run("address\n" + "".join(f"Мира {n % 5 + 1}\n" for n in range(11)))
    assert outcome(result) == (5, 0, 6, 0)


def test_a_deleted_object_is_not_matched() -> None:
    run("address\nМира 5\n")
    Object.objects.update(deleted_at=timezone.now())
    assert outcome(run("address\nМира 5\n")[0]) == (1, 0, 0, 0)
    assert Object.objects.live().count() == 1


def test_a_dry_run_tells_the_same_and_writes_nothing(told: list[Change]) -> None:
    run("address,status\nМира 5,NEW\n")
    told.clear()
    before = list(Object.objects.values())
    text = "address,status,N\nМира 5,DONE,3\nМира 6,,2\nМира 7,XX,\n"
    dry, _ = run(text, mapping="units=N", dry_run=True)
    assert list(Object.objects.values()) == before
    assert not Unit.objects.exists()
    assert told == []
    assert run(text, mapping="units=N")[0] == dry


def test_a_failure_in_the_middle_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)

    def refuse(changes: Sequence[Change]) -> None:
        if any(change.after and change.after["address"] == "Мира 5" for change in changes):
            raise DatabaseError("disk full")

    listen(refuse)
    try:
        with pytest.raises(DatabaseError):
            run("address\n" + "".join(f"Мира {n}\n" for n in range(1, 8)))
    finally:
        forget(refuse)
    assert not Object.objects.exists()


def test_units_come_from_the_count_and_existing_ones_stay(told: list[Change]) -> None:
    mapping = "units=FLATS,entrances=DOORS,floors=LEVELS"
    head = "address,FLATS,DOORS,LEVELS\n"
    assert run(f"{head}Мира 5,4,2,2\n", mapping=mapping)[0].units_created == 4
    Unit.objects.filter(unit_number="3").update(floor=9, attributes={"door": "red"})
    result, _ = run(f"{head}Мира 5,6,2,3\n", mapping=mapping)
    assert (outcome(result), result.units_created) == ((0, 1, 0, 0), 2)
    assert run(f"{head}Мира 5,6,2,3\n", mapping=mapping)[0].unchanged == 1
    assert Unit.objects.count() == 6
    assert Unit.objects.get(unit_number="3").attributes == {"door": "red"}


@pytest.mark.parametrize(
    "counts", ["2001,1,1", "7 075,1,1", "10,101,1", "10,1,1960", "x,1,1", "-5,1,1"]
)
def test_an_absurd_count_is_reported(counts: str) -> None:
    text = f"address,FLATS,DOORS,LEVELS\nМира 5,{counts}\n"
    result, _ = run(text, mapping="units=FLATS,entrances=DOORS,floors=LEVELS")
    assert outcome(result) == (0, 0, 0, 1)
    assert not Object.objects.exists()


@pytest.mark.parametrize(
    ("count", "entrances", "floors"),
    [(1, 1, 1), (4, 2, 2), (118, 4, 8), (7, 3, 5), (2, 5, 9), (5, None, 3)],
)
def test_units_fill_entrances_and_floors_from_below(
    count: int, entrances: int | None, floors: int
) -> None:
    any_id = City.objects.get().pk
    units = list(units_of(UnitCount(any_id, any_id, count, entrances, floors)))
    assert [unit.unit_number for unit in units] == [str(n + 1) for n in range(count)]
    places = [(unit.entrance or 0, unit.floor or 0) for unit in units]
    assert places == sorted(places)
    assert all(1 <= floor <= floors for _, floor in places)
    if entrances and entrances <= count:
        assert {entrance for entrance, _ in places} == set(range(1, entrances + 1))
    else:
        assert {unit.entrance for unit in units} == {None}


def test_a_supervisor_imports_into_their_city_only(moscow: City) -> None:
    City.objects.create(name="Казань")
    olga = person(Role.SUPERVISOR, city=City.objects.get(name="Казань"))
    run("address\nМира 5\n")
    with override("en"):
        result, problems = run("address,status\nМира 5,DONE\n", actor=olga)
    assert outcome(result) == (0, 0, 0, 1)
    assert "territory" in problems[0].sentences[0]
    assert Object.objects.get().status == "NEW"
    assert outcome(run("address\nМира 5\n", actor=olga, city="Казань")[0]) == (1, 0, 0, 0)
    assert Object.objects.get(city__name="Казань").created_by == olga


def test_an_engineer_creates_in_their_district_and_moves_nothing(
    centre: District, moscow: City
) -> None:
    north = District.objects.create(name="Северный", city=moscow)
    ivan = person(Role.ENGINEER, city=moscow, district=centre)
    assert run("address\nМира 5\n", actor=ivan)[0].created == 1
    assert Object.objects.get().district == centre
    assert run("address,район\nМира 6,Северный\n", actor=ivan)[0].reported == 1
    assert run("address,район\nМира 5,Северный\n", actor=ivan)[0].reported == 1
    assert not Object.objects.filter(district=north).exists()


def test_an_engineer_of_a_whole_city_moves_nothing_between_its_districts(
    centre: District, moscow: City
) -> None:
    ivan = person(Role.ENGINEER, city=moscow)
    assert run("address,район\nМира 5,Центральный\n", actor=ivan)[0].created == 1
    District.objects.create(name="Северный", city=moscow)
    assert run("address,район\nМира 5,Северный\n", actor=ivan)[0].reported == 1
    assert Object.objects.get().district == centre


def test_a_mask_sent_back_changes_nothing(centre: District, moscow: City) -> None:
    ivan = person(Role.ENGINEER, city=moscow, district=centre)
    run(FULL)
    masked = "address,contact_phone\nМира 5,+7 (***) ***-**67\n"
    assert outcome(run(masked, actor=ivan)[0]) == (0, 0, 1, 0)
    assert outcome(run(masked.replace("67", "68"), actor=ivan)[0]) == (0, 0, 0, 1)
    assert Object.objects.get().contact_phone == "+79991234567"


# The command.


def test_the_command_writes_and_removes_the_errors_file(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    file.write_text("address;contact_name\nМира 5;Иван\nМир;=1+1\n", encoding="cp1251")
    out = io.StringIO()
    call_command("import_objects", file, city="Москва", stdout=out)
    errors = tmp_path / "houses.csv.errors.csv"
    assert str(errors) in out.getvalue()
    assert errors.read_bytes().startswith(b"\xef\xbb\xbf")
    with errors.open(encoding="utf-8-sig", newline="") as found:
        head, row = csv.reader(found, delimiter=";")
    assert head[2:] == ["address", "contact_name"]
    assert (row[0], row[2:]) == ("3", ["Мир", "'=1+1"])
    assert sorted(tmp_path.iterdir()) == [file, errors]

    file.write_text("address\nМира 5\n")
    call_command("import_objects", file, city="Москва", stdout=out)
    assert list(tmp_path.iterdir()) == [file]


def test_a_mended_errors_file_can_be_imported(tmp_path: Path) -> None:
    file = tmp_path / "houses.csv"
    file.write_text("address;contact_phone;gps_lat;gps_lng\nМир;+79991234567;-5;-6\n")
    call_command("import_objects", file, city="Москва", stdout=io.StringIO())
    errors = tmp_path / "houses.csv.errors.csv"
    errors.write_text(
        errors.read_text(encoding="utf-8-sig").replace("Мир;", "Мира 5;"), encoding="utf-8"
    )
    call_command("import_objects", errors, city="Москва", stdout=io.StringIO())
    made = Object.objects.get()
    assert (made.contact_phone, made.gps_lat, made.gps_lng) == ("+79991234567", -5, -6)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        (b"\x1f\x8b\x08\x00broken", {}),
        (b"name\nMira\n", {}),
        (b"address\nMira 5\n", {"city": "Atlantis"}),
        (b"address\nMira 5\n", {"map": "colour=RED"}),
        (b"address\nMira 5\n", {"units_from": "ROOMS"}),
        ('address\nМира 5\n"Мира 6\n'.encode(), {}),
    ],
)
def test_a_broken_file_changes_nothing_and_says_why(
    tmp_path: Path, content: bytes, options: dict[str, str]
) -> None:
    file = tmp_path / "houses.csv"
    file.write_bytes(content)
    with pytest.raises(CommandError):
        call_command("import_objects", file, **{"city": "Москва"} | options)
    assert not Object.objects.exists()
    assert list(tmp_path.iterdir()) == [file]


def test_a_missing_file_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(CommandError):
        call_command("import_objects", tmp_path / "nothing.csv")
