"""One spelling for one address, so that two writings of a building meet.

The key is for matching only and is never shown. It errs on the side of telling buildings apart:
a pair that it fails to join costs a double entry, a pair that it joins wrongly loses a building.
So «7, к. А» and «7А» stay two: registers hold them side by side with different years and flats.
"""

import re
import unicodedata
from hashlib import blake2b
from itertools import groupby, zip_longest

from objects.importing.address_words import (
    ADJECTIVE,
    COUNTRY,
    HOUSE,
    REGION,
    SETTLEMENT,
    SILENT,
    STREET,
    TOWN,
    WHOLE_HOUSE,
)

_WORD = re.compile(
    # 3-й, 1-я: an ordinal in a street's name; but 41е is a house.
    r"\d+(?:-(?:я|е)|-?(?:ый|ий|ой|ая|яя|ое|ее|й))\b"
    # A word, hyphens inside: пр-кт, Михайлово-Ярцевское.
    r"|[^\W\d_]+(?:-[^\W\d_]+)*"
    r"|\d+|[/,]"
)
_ORDINAL = re.compile(r"(\d+)-?[^\W\d]+")
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")
# Typed on the wrong keyboard layout, «28A» with a Latin letter is the same house.
_LATIN_TWINS = str.maketrans("abcehkmoptxy", "авсенкмортху")
_POSTAL_INDEX = re.compile(r"\d{6}")
_BLOCK = "стр"


def address_key(address: str, *, city: str) -> bytes:
    """16 bytes that are equal for two writings of one address in the city; see normal_address."""
    return blake2b(normal_address(address, city=city).encode(), digest_size=16).digest()


def normal_address(address: str, *, city: str) -> str:
    """The address without what writers do differently.

    «ул. Б. Академическая, д. 6, к. 1» and «Большая Академическая, 6к1» are both
    «академическая б|6 к 1». Left out: postal index, country, region, the city itself, the words for
    street and house. The words of settlement and street are sorted («Ленинский пр-кт» =
    «пр-кт. Ленинский»), the parts of the house keep their order.
    """
    words = _without_city(_local_part(_words(address)), _name(city))
    start = _house_start(words)
    return f"{_place(words[:start])}|{_house(words[start:])}"


def names_city(address: str, *, city: str) -> bool:
    """Does the address itself name the city: «г. Москва, …», «Москва, …», «Москва г, …»?"""
    words = _local_part(_words(address))
    return len(_without_city(words, _name(city))) < len(words)


def other_settlement(address: str, *, city: str) -> str | None:
    """The settlement that the address names instead of the city, as written; None inside the city.

    An address that names no settlement («ул. Мира, 5») lies in the city. One that names the city
    lies in it whatever else it names: «г. Москва, г. Зеленоград». One that begins with a region and
    does not name the city lies elsewhere in the region.
    """
    if names_city(address, city=city):
        return None
    in_region = False
    for part in address.split(","):
        words = _words(part)
        if _is_region(words):
            in_region = True
        elif words and (in_region or _is_settlement(words)) and not _says_nothing(words):
            return " ".join(part.split())
    return None


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).translate(_DASHES).casefold().replace("ё", "е")
    return [_same_letters(word) for word in _WORD.findall(plain)]


def _same_letters(word: str) -> str:
    if ordinal := _ORDINAL.fullmatch(word):
        return f"{ordinal[1]}-й"
    lone_or_mixed = len(word) == 1 or not word.isascii()
    return word.translate(_LATIN_TWINS) if lone_or_mixed else word


def _name(city: str) -> list[str]:
    return [word for word in _words(city) if word not in TOWN]


def _parts(words: list[str]) -> list[list[str]]:
    return [list(part) for comma, part in groupby(words, key=",".__eq__) if not comma]


def _is_region(part: list[str]) -> bool:
    return bool(part) and (part[0] in REGION or part[-1] in REGION)


def _says_nothing(part: list[str]) -> bool:
    """A postal index or the country."""
    return len(part) == 1 and bool(_POSTAL_INDEX.fullmatch(part[0]) or part[0] in COUNTRY)


def _is_settlement(part: list[str]) -> bool:
    """«с. Горный Щит» or «Горный Щит с», but not «д. 5»: a settlement's name is of letters."""
    first, *name = part
    if first in SETTLEMENT or first in TOWN:
        return bool(name) and len(name[0]) > 1 and not name[0][0].isdigit()
    if not name or not (part[-1] in SETTLEMENT or part[-1] in TOWN):
        return False
    return len(first) > 1 and not any(word[0].isdigit() for word in part)


def _local_part(words: list[str]) -> list[str]:
    """The address from its town on."""
    local: list[str] = []
    for part in _parts(words):
        if not (_is_region(part) or _says_nothing(part)):
            local += [*part, ","]
    return local


def _without_city(words: list[str], name: list[str]) -> list[str]:
    """Cut the city's name out, once."""
    if not name:
        return words
    for start in range(len(words) - len(name) + 1):
        end = start + len(name)
        if words[start:end] != name:
            continue
        before = words[start - 1] if start else ","
        after = words[end] if end < len(words) else ","
        beyond = words[end + 1] if end + 1 < len(words) else ","
        if before in TOWN:
            # «д. г. Екатеринбург, …»: an empty «house» that a form left in front.
            empty_house = start > 1 and words[start - 2] == "д"
            return words[: start - (2 if empty_house else 1)] + words[end:]
        if before == "," and after in TOWN and beyond == ",":
            return words[:start] + words[end + 1 :]
        if before == "," and (after == "," or (start == 0 and after in SILENT | STREET.keys())):
            return words[:start] + words[end:]
    return words


def _house_start(words: list[str]) -> int:
    """Where the house's number begins; the length when the address has none."""
    for at, word in enumerate(words[:-1]):
        if word in HOUSE and words[at + 1].isdigit():
            # «Мира 6к1»: what a block is part of stands before it.
            return at if HOUSE[word] in WHOLE_HOUSE else _trailing_number(words[:at])
    for at, word in enumerate(words):
        if at and word.isdigit() and words[at - 1] == ",":
            return at
    return _trailing_number(words)


def _trailing_number(words: list[str]) -> int:
    """«Мира 28 а»: without a comma or a word for it, the house is what stands last."""
    start = end = len(words) - (words[-1:] == [","])
    while start > 1:
        word, before = words[start - 1], words[start - 2]
        letter = len(word) == 1 and word.isalpha() and before.isdigit()
        if not (word.isdigit() or word == "/" or letter):
            break
        start -= 1
    return start if start < end else len(words)


def _place(words: list[str]) -> str:
    kept: list[str] = []
    for at, word in enumerate(words):
        # «д. ~»: the word for the house, without a number.
        empty_house = word == "д" and words[at + 1 : at + 2] in ([], [","])
        if word != "," and word not in SILENT and not empty_house:
            kept.append(STREET.get(word) or ADJECTIVE.get(word) or SETTLEMENT.get(word) or word)
    return " ".join(sorted(kept))


def _house(words: list[str]) -> str:
    plain = [word for word in words if word != ","]
    house = ""
    for at, (word, after) in enumerate(zip_longest(plain, plain[1:], fillvalue="")):
        after_number = at > 0 and plain[at - 1].isdigit()
        # «5 к» is house 5к; «5 к 1» and «5 к а» are blocks 1 and а of house 5.
        opens_part = word in HOUSE and bool(after) and after not in HOUSE
        if word == "с" and after_number and after.isdigit():
            house += f"{_BLOCK} "
        elif word == "/":
            house = f"{house.rstrip()}/"
        elif len(word) == 1 and word.isalpha() and after_number and not opens_part:
            house = f"{house.rstrip()}{word} "
        elif HOUSE.get(word) != "дом":
            house += f"{HOUSE.get(word, word)} "
    return house.strip()
