"""What people write into cells, and that whatever is taken is what the API would take."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils.translation import override
from hypothesis import given, settings
from hypothesis import strategies as st

from clients.importing import words
from clients.models import Interest
from clients.serializers import CustomerSerializer
from crm.importing.cells import phone


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with override("en"):
        yield


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("интернет", ["INTERNET"]),
        ("ТВ, Инет", ["INTERNET", "TV"]),
        ("Wi-Fi / телевидение", ["INTERNET", "TV"]),
        ("видеонаблюдение; видеоняня|другое", ["CCTV", "BABY_MONITOR", "OTHER"]),
        ("internet,TV", ["INTERNET", "TV"]),
        ("BABY_MONITOR", ["BABY_MONITOR"]),
        ("['CCTV', 'TV']", ["TV", "CCTV"]),
        ("интернет + тв", ["INTERNET", "TV"]),
    ],
)
def test_interests(text: str, codes: list[str]) -> None:
    assert words.interests(text) == codes


@pytest.mark.parametrize("language", ["ru", "en"])
def test_every_label_is_known(language: str) -> None:
    with override(language):
        labels = [str(each.label) for each in Interest]
    assert words.interests(",".join(labels)) == Interest.values


@pytest.mark.parametrize(
    ("text", "time"),
    [("18:30", "18:30"), ("9:05", "09:05"), ("18.30", "18:30"), ("18-30", "18:30"), ("18", "18:00"),
     ("18:30:00", "18:30"), ("18 ч", "18:00"), ("18 ч.", "18:00"), ("00:00", "00:00")],
)  # fmt: skip
def test_times(text: str, time: str) -> None:
    assert words.call_time(text) == time


@pytest.mark.parametrize(
    ("text", "sum_"),
    [("500", "500.0"), ("500,50", "500.50"), ("1 200 ₽", "1200.0"), ("1 200,00 руб.", "1200.0"),
     ("500 руб/мес", "500.0"), ("0", "0.0"), ("007", "7.0")],
)  # fmt: skip
def test_prices(text: str, sum_: str) -> None:
    assert words.price(text) == words.Decimal(sum_)


@pytest.mark.parametrize(
    ("text", "number"),
    [("12", "12"), ("кв. 12", "12"), ("Кв12", "12"), ("кв-2", "кв-2"), ("№ 12а", "12а"),
     ("12.0", "12"), ("офис 3", "офис 3"), ("квартира №7", "7"), ("кв-л 3", "кв-л 3")],
)  # fmt: skip
def test_unit_numbers(text: str, number: str) -> None:
    assert words.unit_number(text) == number


@pytest.mark.parametrize(
    ("address", "building", "unit"),
    [
        ("ул. Мира, д. 5, кв. 12", "ул. Мира, д. 5", "12"),
        ("Мира 5 кв 12а", "Мира 5", "12а"),
        ("Мира 5, квартира №7", "Мира 5", "7"),
        ("Мира 5, офис 3", "Мира 5", "офис 3"),
        ("Мира 5", "Мира 5", None),
        ("5 кв-л, д. 3", "5 кв-л, д. 3", None),
        ("кв. 12", "кв. 12", None),
    ],
)
def test_a_flat_in_an_address(address: str, building: str, unit: str | None) -> None:
    assert words.without_unit(address) == (building, unit)


@pytest.mark.parametrize(
    "text",
    [
        "8 (912) 345-67-89",
        "79123456789",
        "79123456789.0",
        "79123456789,0",
        "9123456789",
        "+7 912 345 67 89",
    ],
)
def test_phones(text: str) -> None:
    assert phone(text) == "+79123456789"


READERS: dict[str, Callable[[str], Any]] = {
    "phone": phone,
    "interests": words.interests,
    "provider_rating": words.rating,
    "preferred_call_time": words.call_time,
    "desired_price": words.price,
}
PIECES = st.sampled_from(
    [
        "1",
        "5",
        "12",
        "00",
        "999",
        "0",
        ".",
        ",",
        ":",
        " ",
        "-",
        "+7",
        "интернет",
        "тв",
        "ч",
        "₽",
        "из 5",
        "٣",
        "½",
    ]
)


@given(
    st.sampled_from(sorted(READERS)),
    st.lists(PIECES, max_size=6).map("".join) | st.text(max_size=20),
)
@settings(max_examples=600, deadline=None)
def test_what_is_taken_is_what_the_api_takes(field: str, text: str) -> None:
    try:
        value = READERS[field](text)
    except ValueError:
        return
    CustomerSerializer().fields[field].run_validation(value)
