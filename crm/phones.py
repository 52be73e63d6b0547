"""Telephone numbers: one stored form (E.164), whatever form a person or a file gives."""

import re
from typing import Final

import phonenumbers
from django.utils.translation import gettext as _

DEFAULT_REGION: Final = "RU"
MAX_INPUT_LENGTH: Final = 32
MIN_SEARCH_DIGITS: Final = 5

# What word processors and messengers put in place of a plain space or hyphen.
_TYPOGRAPHY: Final = str.maketrans(
    dict.fromkeys(
        "\xa0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\t", " "
    )
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
)
_SHAPE: Final = re.compile(r"\+?[0-9][0-9 ().\-]*|\+?\([0-9][0-9 ().\-]*")
_SEARCH_SHAPE: Final = re.compile(r"[0-9 +().\-]+")
# A Russian mobile number as it is stored, which nobody could read in another way: most of what comes in.
_STORED_MOBILE: Final = re.compile(r"\+79[0-9]{9}")
_NOT_DIGIT: Final = re.compile(r"[^0-9]")
_RUSSIAN_CODE: Final = 7
_RUSSIAN_NATIONAL_LENGTH: Final = 10


class InvalidPhone(ValueError):
    """No phone number can be read from the input. The message is a translated sentence without it."""

    def __init__(self) -> None:
        super().__init__(_("Enter a phone number, for example +7 999 123-45-67."))


def normalise_phone(raw: str, region: str = DEFAULT_REGION) -> str:
    """The number in E.164 (`+79991234567`).

    `region` (ISO 3166 alpha-2) is the country of a number written without `+` and country code. Lengths
    are checked, number ranges are not: new ones open faster than lists of them are updated, and demo data
    must not ring anybody.

    Raises InvalidPhone for anything else: masked values, letters, extensions, impossible lengths.
    """
    if _STORED_MOBILE.fullmatch(raw):
        return raw
    text = raw.translate(_TYPOGRAPHY).strip()
    if len(raw) > MAX_INPUT_LENGTH or not _SHAPE.fullmatch(text):
        raise InvalidPhone
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone from error
    if (
        phonenumbers.is_possible_number_with_reason(number)
        != phonenumbers.ValidationResult.IS_POSSIBLE
    ):
        raise InvalidPhone
    # The metadata also allows 14 digits after +7; in a form those are two numbers run together.
    national = phonenumbers.national_significant_number(number)
    if number.country_code == _RUSSIAN_CODE and len(national) != _RUSSIAN_NATIONAL_LENGTH:
        raise InvalidPhone
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def looks_like_phone(query: str) -> bool:
    """Whether a query as a whole is a phone number or its beginning: at least five digits, no letters."""
    text = query.translate(_TYPOGRAPHY).strip()
    return bool(_SEARCH_SHAPE.fullmatch(text)) and len(phone_digits(text)) >= MIN_SEARCH_DIGITS


def phone_digits(query: str) -> str:
    """The ASCII digits of the query, in order."""
    return _NOT_DIGIT.sub("", query)
