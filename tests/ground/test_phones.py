"""One stored form for a telephone number, whatever form it comes in."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.phones import InvalidPhone, looks_like_phone, normalise_phone, phone_digits


@pytest.mark.parametrize(
    "raw",
    [
        "8 (999) 123-45-67",
        "+7 999 1234567",
        "+79991234567",
        "79991234567",
        "89991234567",
        "9991234567",
        "(999) 123.45.67",
        "+7(999)123-45-67",
        "  8-999-123-45-67 \n",
        "8\xa0(999)\xa0123–45—67",
        "+7\u2009999\u202f123\u201145\u221267",
    ],
)
def test_russian_number_in_every_form(raw: str) -> None:
    assert normalise_phone(raw) == "+79991234567"


@pytest.mark.parametrize(
    ("raw", "e164"),
    [
        ("812 345-67-89", "+78123456789"),
        ("8 800 555 35 35", "+78005553535"),
        ("+7 701 234 56 78", "+77012345678"),
        ("+375 29 123-45-67", "+375291234567"),
        ("+49 30 123456", "+4930123456"),
        ("+1 650-253-0000", "+16502530000"),
        # The zero belongs to an Italian number.
        ("+39 06 1234 5678", "+390612345678"),
        ("810 49 30 123456", "+4930123456"),
        # No such range is in use: demo data must not ring anybody.
        ("+7 123 456-78-90", "+71234567890"),
    ],
)
def test_other_numbers(raw: str, e164: str) -> None:
    assert normalise_phone(raw) == e164


def test_the_region_is_the_country_of_a_number_without_a_code() -> None:
    assert normalise_phone("030 123456", region="DE") == "+4930123456"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        " ",
        "+",
        "()",
        "112",
        "12345",
        "+7 999 123-45-6",
        "8 999 123-45-678",
        "89991234567890",
        "+7 9991234567 9991234567",
        "+8 999 123 45 67",
        "+999 12345678",
        "+7 (***) ***-**67",
        "+7 999 123-45-6*",
        "8 999 123-45-67 доб. 5",
        "+7 999 123-45-67 x5",
        "+7 999 123-45-67;ext=5",
        "+7 999 123-45-67, +7 999 123-45-68",
        "1-800-FLOWERS",
        "+7 ٩٩٩ ١٢٣٤٥٦٧",
        "tel:+79991234567",
        "7+9991234567",
        "++79991234567",
        "+79991234567\x00",
        "+7999" + " " * 30 + "1234567",
        "9" * 10_000,
    ],
)
def test_what_is_no_number(raw: str) -> None:
    with pytest.raises(InvalidPhone):
        normalise_phone(raw)


def test_the_sentence_does_not_repeat_the_number() -> None:
    with pytest.raises(InvalidPhone) as caught:
        normalise_phone("+7 999 123-45-6")
    assert "123-45-6" not in str(caught.value).replace("123-45-67", "")


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_refused(raw: str) -> None:
    try:
        e164 = normalise_phone(raw)
    except InvalidPhone:
        return
    assert normalise_phone(e164) == e164


# Area codes begin with 3 to 9; an 8 before 10 would be the way out to other countries.
@given(st.integers(min_value=3_000_000_000, max_value=9_999_999_999))
def test_all_russian_forms_are_one(number: int) -> None:
    national = f"{number:010}"
    expected = f"+7{national}"
    assert normalise_phone(f"+7{national}") == expected
    assert (
        normalise_phone(f"8 ({national[:3]}) {national[3:6]}-{national[6:8]}-{national[8:]}")
        == expected
    )


@pytest.mark.parametrize(
    "query", ["8 (999) 123-45-67", "+7 999 12", "99912", "8\xa0999\xa01", "123.45"]
)
def test_looks_like_phone(query: str) -> None:
    assert looks_like_phone(query)


@pytest.mark.parametrize(
    "query", ["", "9991", "дом 12345", "12345a", "5, 10, 15", "١٢٣٤٥", "+7 (***) ***-**89"]
)
def test_does_not_look_like_phone(query: str) -> None:
    assert not looks_like_phone(query)


def test_phone_digits() -> None:
    assert phone_digits("+7 (999) 123-45-67") == "79991234567"
