"""The import of objects as the pages run it: checked row by row, then in batches of their own transaction."""

import io
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils.translation import override

from crm.changes import Change, forget, listen
from crm.importing import service
from crm.importing.basis import Basis
from crm.importing.kinds import Options
from crm.importing.outcomes import Outcome, RowResult
from crm.importing.service import check, guess, open_upload, plan, run
from crm.territory.models import City
from crm.users.models import User
from objects.models import Object, Unit
from tests.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def planned(text: str, user: User, city: City) -> list[RowResult]:
    sheet = open_upload(io.BytesIO(text.encode()))
    mapping = guess("objects", sheet)
    return list(plan("objects", sheet, mapping, user=user, options=Options(city_id=city.pk)))


def imported(
    text: str, user: User, city: City, basis: Basis | None = None, **options: Any
) -> list[RowResult]:
    rows: list[RowResult] = []
    sheet = open_upload(io.BytesIO(text.encode()))
    run(
        "objects",
        sheet,
        guess("objects", sheet),
        user=user,
        basis=basis,
        options=Options(city_id=city.pk),
        on_row=rows.append,
        **options,
    )
    return rows


def outcomes(rows: Sequence[RowResult]) -> str:
    return " ".join(row.outcome.value for row in rows)


TEXT = (
    "Адрес;Район;Статус;Телефон;Количество квартир\n"
    "ул. Мира, д. 5;Северный;в работе;8 912 345-67-89;3\n"
    "Мира 6;;;;\n"
    "Мира, 5;Северный;в работе;79123456789;3\n"
    "Мир;;;;\n"
    "Мира 6;;отказ;;\n"
)


def test_a_plan_tells_what_the_run_does(cast: Cast) -> None:
    known = cast.object(address="Мира, д. 5", contact_phone="+79990001122")
    before = planned(TEXT, cast.sergei, cast.moscow)
    assert Object.objects.get().version == 1
    assert outcomes(before) == "update create repeat problem problem"
    assert [str(change) for change in before[0].changes] == [
        "district: Центральный → Северный",
        "status: new → in work",
        "contact phone: +79990001122 → +79123456789",
    ]
    assert (before[0].record_id, before[0].version, before[0].new_units) == (known.pk, 1, 3)
    after = imported(TEXT, cast.sergei, cast.moscow)
    assert outcomes(after) == outcomes(before)
    assert [row.changes for row in after] == [row.changes for row in before]
    assert (Object.objects.count(), Unit.objects.count()) == (2, 3)
    again = imported(TEXT, cast.sergei, cast.moscow)
    assert outcomes(again) == "unchanged unchanged repeat problem problem"


def test_a_supervisor_touches_and_learns_nothing_outside(cast: Cast) -> None:
    hidden = cast.object(city=cast.kazan, address="Баумана, 1", contact_name="Тайный Агент")
    text = "Адрес;Город;Статус\nБаумана 1;Казань;отказ\nМира 7;Москва;\n"
    rows = imported(text, cast.sergei, cast.moscow)
    assert outcomes(rows) == "problem create"
    assert str(hidden.pk) not in repr(rows)
    assert "Агент" not in repr(rows)
    hidden.refresh_from_db()
    assert hidden.status == "NEW"


def test_what_others_changed_since_the_check_is_told(cast: Cast) -> None:
    known = [cast.object(address=f"Мира, {n}") for n in range(1, 4)]
    text = "Адрес;Статус\nМира 1;отказ\nМира 2;отказ\nМира 3;отказ\nМира 4;отказ\n"
    sheet = open_upload(io.BytesIO(text.encode()))
    options = Options(city_id=cast.moscow.pk)
    basis = check(
        "objects", sheet, guess("objects", sheet), user=cast.sergei, options=options
    ).basis
    Object.objects.filter(pk=known[0].pk).update(status="CALLBACK")
    Object.objects.filter(pk=known[1].pk).update(tags=["другое"])
    Object.objects.filter(pk=known[2].pk).update(address="Ленина, 9")
    cast.object(address="Мира, 4", status="INTEREST")
    rows = imported(text, cast.sergei, cast.moscow, basis)
    assert outcomes(rows) == "problem update problem problem"
    assert Object.objects.get(address="Мира, 1").status == "CALLBACK"


def test_batches_stay_and_the_rest_can_follow(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "BATCH", 2)
    text = "Адрес\n" + "".join(f"Мира {n}\n" for n in range(1, 8))

    def refuse(changes: Sequence[Change]) -> None:
        if any(change.after and change.after["address"] == "Мира 5" for change in changes):
            raise DatabaseError("disk full")

    listen(refuse)
    try:
        with pytest.raises(DatabaseError):
            imported(text, cast.sergei, cast.moscow)
    finally:
        forget(refuse)
    assert Object.objects.count() == 4
    rows = imported(text, cast.sergei, cast.moscow)
    assert outcomes(rows) == "unchanged " * 4 + "create create create"


def test_what_another_import_wrote_meanwhile_is_found(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two batches the city is not locked: what came is learnt before the next one."""
    monkeypatch.setattr(service, "BATCH", 1)
    text = "Адрес;Статус\nМира 1;отказ\nМира 2;отказ\n"

    def other(done: int) -> None:
        if done == 1:
            cast.object(address="ул. Мира, д. 2", created_by=cast.anna)

    rows = imported(text, cast.sergei, cast.moscow, on_progress=other)
    assert outcomes(rows) == "create update"
    assert Object.objects.count() == 2


def test_an_address_that_was_corrected_meanwhile_is_not_taken_for_another(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 1)
    known = cast.object(address="Мира, 2")

    def other(done: int) -> None:
        if done == 1:
            Object.objects.filter(pk=known.pk).update(address="Ленина, 2")

    rows = imported(
        "Адрес;Статус\nМира 1;\nМира 2;отказ\n", cast.sergei, cast.moscow, on_progress=other
    )
    assert outcomes(rows) == "create problem"
    known.refresh_from_db()
    assert known.status == "NEW"


def test_what_the_database_refuses_stops_one_row_alone(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A district that was moved to another city between our look and our write."""
    from objects.importing.places import Places

    def wrong(self: Places, text: str, *, city_id: object) -> object:
        return cast.vakhitovsky.pk if text == "Вахитовский" else cast.north.pk

    monkeypatch.setattr(Places, "district", wrong)
    text = "Адрес;Район\nМира 1;Северный\nМира 2;Вахитовский\nМира 3;Северный\n"
    rows = imported(text, cast.sergei, cast.moscow)
    assert outcomes(rows) == "create problem create"
    assert rows[1].sentences == ["The district does not lie in the city."]
    assert rows[1].title == "Мира 2"


@pytest.mark.django_db(transaction=True)
def test_two_imports_at_once_make_each_object_once(
    cast: Cast, run_together: Callable[..., list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "BATCH", 5)
    text = "Адрес\n" + "".join(f"Мира {n}\n" for n in range(1, 41))
    done = run_together(
        lambda: imported(text, cast.sergei, cast.moscow),
        lambda: imported(text, User.objects.get(pk=cast.sergei.pk), cast.moscow),
    )
    assert Object.objects.count() == 40
    made = [row for rows in done for row in rows if row.outcome == Outcome.CREATE]
    assert len(made) == 40
