"""What an engineer sees of phones and e-mails: the same in Python and in the database."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm.masking import (
    UNCHANGED,
    MaskedValue,
    is_masked,
    mask_email,
    mask_phone,
    unmask_input,
)
from tests.ground.scratch import engine, evaluate

PHONES = [
    ("+79123456789", "+7 (***) ***-**89"),
    ("+77012345678", "+7 (***) ***-**78"),
    ("+4930123456", "+** (***) ***-**56"),
    ("+375291234567", "+** (***) ***-**67"),
    # Seven is the fewest digits that E.164 numbers have here, fifteen the most.
    ("+1234567", "+** (***) ***-**67"),
    ("+123456789012345", "+** (***) ***-**45"),
    ("+123456", "***"),
    ("+1234567890123456", "***"),
    # A +7 number of another length is no Russian one.
    ("+7912345678", "+** (***) ***-**78"),
    ("89123456789", "***"),
    ("12", "***"),
    ("+7912345678а", "***"),
    ("+79123456789\n", "***"),
    ("", ""),
    (None, None),
]
EMAILS = [
    ("ivan@example.com", "iv***@example.com"),
    ("iva@example.com", "iv***@example.com"),
    ("iv@example.com", "i***@example.com"),
    ("i@example.com", "***@example.com"),
    ("@example.com", "***@example.com"),
    ("ivan@", "iv***@"),
    ("@", "***@"),
    ('"a@b"@example.com', '"a***@example.com'),
    ("a@@@", "a@***@"),
    ("ivan", "***"),
    ("почта@пример.рф", "по***@пример.рф"),
    ("😀😁😂@example.com", "😀😁***@example.com"),
    ("😀@example.com", "***@example.com"),
    ("", ""),
    (None, None),
]
on_the_engine = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150
)
storable = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=30)
email_like = st.lists(
    st.sampled_from(["@", "i", "v", "ё", "😀", "é", ".", "example.com", " ", "'", "%", "\\", "*"]),
    max_size=8,
).map("".join)
phone_like = st.from_regex(r"\+?[0-9]{0,17}[a*\n]?", fullmatch=True)


@pytest.mark.parametrize(("phone", "masked"), PHONES)
def test_mask_phone(phone: str | None, masked: str | None, db: None) -> None:
    assert mask_phone(phone) == masked
    assert evaluate(engine().mask_phone_sql("a"), phone) == masked


@pytest.mark.parametrize(("email", "masked"), EMAILS)
def test_mask_email(email: str | None, masked: str | None, db: None) -> None:
    assert mask_email(email) == masked
    assert evaluate(engine().mask_email_sql("a"), email) == masked


@on_the_engine
@given(phone=phone_like | storable)
def test_phones_alike_in_python_and_sql(db: None, phone: str) -> None:
    assert evaluate(engine().mask_phone_sql("a"), phone) == mask_phone(phone)


@on_the_engine
@given(email=email_like | storable)
def test_emails_alike_in_python_and_sql(db: None, email: str) -> None:
    assert evaluate(engine().mask_email_sql("a"), email) == mask_email(email)


@given(st.text(min_size=1, max_size=20), st.text(alphabet="abc.", max_size=10))
def test_no_local_part_is_shown_whole(local: str, domain: str) -> None:
    masked = mask_email(f"{local}@{domain}")
    assert masked is not None
    assert masked.removesuffix(f"***@{domain}") != local


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_two_digits_of_a_phone_remain(phone: str) -> None:
    masked = mask_phone(phone)
    assert masked is not None
    digits = "".join(c for c in masked if c.isdigit())
    assert digits in {phone[-2:], "7" + phone[-2:]}


def test_a_mask_sent_back_changes_nothing() -> None:
    assert unmask_input("+7 (***) ***-**89", "+79123456789", mask_phone) is UNCHANGED
    assert unmask_input("iv***@example.com", "ivan@example.com", mask_email) is UNCHANGED


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("+7 (***) ***-**88", "+79123456789"),
        ("+7 (***) ***-**89", None),
        ("+7 (***) ***-**89", ""),
        ("+7912345678*", "+79123456789"),
        ("*", "+79123456789"),
    ],
)
def test_any_other_mask_is_refused(sent: str, stored: str | None) -> None:
    with pytest.raises(MaskedValue):
        unmask_input(sent, stored, mask_phone)


@pytest.mark.parametrize("sent", ["+79990000000", "+79123456789", "", None])
def test_a_plain_value_is_the_value(sent: str | None) -> None:
    assert unmask_input(sent, "+79123456789", mask_phone) == sent


@pytest.mark.parametrize(
    ("value", "masked"), [("a*", True), ("a", False), (None, False), (5, False)]
)
def test_is_masked(value: object, masked: bool) -> None:
    assert is_masked(value) is masked
