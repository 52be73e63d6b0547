"""Which column holds what, before a person has said a word."""

import io
from collections.abc import Iterator

import pytest
from django.utils.translation import override

from crm.importing.guessing import ColumnMapping
from crm.importing.kinds import KINDS
from crm.importing.service import guess, open_upload
from crm.importing.sheet import Sheet
from crm.importing.table import BrokenFileError
from tests.importing.files import workbook


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


def sheet(*lines: str) -> Sheet:
    return open_upload(io.BytesIO("\n".join(lines).encode()))


def guessed(kind: str, *lines: str) -> list[str | None]:
    return list(guess(kind, sheet(*lines)).fields)


def test_russian_headings() -> None:
    assert guessed(
        "customers",
        "№;ФИО абонента;Контактный телефон;Адрес дома;№ кв.;Интересующие услуги;Провайдер;Оценка (1-5);"
        "Когда звонить;Желаемая цена, руб;Согласие на обработку ПДн;Комментарий менеджера",
    ) == [
        None, "full_name", "phone", "address", "unit", "interests", "current_provider",
        "provider_rating", "preferred_call_time", "desired_price", "gdpr_consent", "notes",
    ]  # fmt: skip
    assert guessed(
        "objects",
        "Населённый пункт;Район города;Адрес;Вид объекта;Статус;Контактное лицо;Моб. тел.;Широта;Долгота;"
        "Количество квартир;Кол-во подъездов;Этажность;Метки",
    ) == [
        "city", "district", "address", "type", "status", "contact_name", "contact_phone", "gps_lat",
        "gps_lng", "units", "entrances", "floors", "tags",
    ]  # fmt: skip


def test_english_headings() -> None:
    assert guessed(
        "customers", "Full Name,Phone number,Street address,Apartment,Interests,Rating,Consent,Notes"
    ) == [
        "full_name", "phone", "address", "unit", "interests", "provider_rating", "gdpr_consent",
        "notes",
    ]  # fmt: skip
    assert guessed("objects", "CITY,ADDRESS,Latitude,LON,Phone") == [
        "city", "address", "gps_lat", "gps_lng", "contact_phone",
    ]  # fmt: skip


def test_contents_tell_where_headings_do_not() -> None:
    lines = (
        "Колонка 1;Колонка 2;Колонка 3;Колонка 4;Колонка 5",
        "Иванова Мария Петровна;8 (912) 345-67-89;ул. Мира, д. 5;12;x1",
        "Петров И. С.;79123456780.0;Ленина пр-т, 7 к. 2;кв. 13;y-2",
    )
    mapping = guess("customers", sheet(*lines))
    assert list(mapping.fields) == ["full_name", "phone", "address", "unit", None]
    assert mapping.by_contents == {0, 1, 2, 3}
    assert mapping.unknown(sheet(*lines).header) == ["Колонка 5"]
    assert guessed("objects", "a;b;c", "ул. Мира, 5;55,7512;37.6175", "ул. Мира, 6;55.75;37.61") == [
        "address", None, None,
    ]  # fmt: skip
    assert guessed("objects", "a;b;c", "ул. Мира, 5;55,7512;37.6175", "ул. Мира, 6;55.755;37.611") == [
        "address", "gps_lat", "gps_lng",
    ]  # fmt: skip


def test_a_heading_goes_before_contents() -> None:
    fields = guessed("customers", "Адрес;Телефон;Запасной", "ул. Мира, 5;нет;89123456789")
    assert fields == ["address", "phone", None]


def test_titles_above_the_header_are_passed_over() -> None:
    found = sheet(
        "Реестр жильцов, г. Москва", "", "на 01.02.2025", "ФИО;Адрес;Тел", "Иван Иванов;Мира 5;1"
    )
    assert (found.header_line, found.header) == (4, ["ФИО", "Адрес", "Тел"])
    assert [row.line for row in found.table().rows] == [5]
    content = workbook(["Реестр"], [], ["ФИО", "Адрес"], ["Иван", "Мира 5"])
    assert open_upload(io.BytesIO(content)).header_line == 3


def test_the_header_can_be_corrected() -> None:
    file = io.BytesIO("x;y\nфио;адрес\nИван;Мира 5\n".encode())
    assert open_upload(file).header_line == 2
    chosen = open_upload(file, header_line=1)
    assert (chosen.header, len(list(chosen.table().rows))) == (["x", "y"], 2)
    with pytest.raises(BrokenFileError):
        open_upload(file, header_line=9)


def test_what_is_missing_is_named() -> None:
    fields = KINDS["customers"].fields
    assert fields.missing(guess("customers", sheet("Кв;Оценка", "1;2"))) == [
        "address",
        "full name / phone",
    ]
    assert fields.missing(guess("customers", sheet("Адрес;Телефон", "Мира 5;1"))) == []


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        (("address", "full_name"), "3 columns"),
        (("address", "full_name", "full_name"), "Two columns"),
        (("address", "full_name", "colour"), "no field"),
        (("address", None, None), "No column holds: full name / phone"),
        ((None, None, None), "No column holds: address"),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(fields: tuple[str | None, ...], match: str) -> None:
    with pytest.raises(BrokenFileError, match=match):
        KINDS["customers"].fields.refuse_unfit(ColumnMapping(fields), width=3)


def test_a_mapping_can_be_stored() -> None:
    import json

    mapping = guess("objects", sheet("Адрес;Мусор", "Мира 5;x"))
    stored = json.loads(json.dumps(list(mapping.fields)))
    assert ColumnMapping(tuple(stored)).columns(KINDS["objects"].fields.specs).positions == {
        "address": 0
    }
