"""The feed's cursors: damaged, cut, somebody else's, of another time. Refused in words, or as good as new."""

import json
import string
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sync.cursors import MAX_POSITION, REASONS, Cursor, decoded
from sync.entities import TABLES
from tests.cast import Cast
from tests.fuzz.answers import content, in_time, sound
from tests.fuzz.effort import examples, some
from tests.fuzz.hostile import TEXTS, TOKENS

pytestmark = pytest.mark.django_db(transaction=True)

URL = "/api/v1/sync/changes"
ALPHABET = string.ascii_letters + string.digits + "-_:=.+/ %\x00ё"


@pytest.fixture
def sound_cursor(cast: Cast) -> str:
    """A cursor of Ivan's, some way into his feed."""
    home = cast.object()
    cast.customer(home)
    cast.visit(home, cast.ivan)
    page = json.loads(content(cast.api(cast.ivan).get(URL, {"limit": 2})))
    assert page["has_more"]
    return str(page["next_cursor"])


def pulled(api: Any, cursor: str, *, by_post: bool = False) -> Any:
    """The answer to a pull from that cursor on: the page, or a refusal that says why."""
    with in_time():
        answer = api.post(URL, {"cursor": cursor}) if by_post else api.get(URL, {"cursor": cursor})
        body = json.loads(sound(answer, 200, 400, 410, 422))
    if answer.status_code == 410:
        assert body["error"]["details"]["reason"] in REASONS
    return answer


def test_any_text(cast: Cast, sound_cursor: str) -> None:
    api = cast.api(cast.ivan)
    for by_post in (False, True):
        for text in TEXTS:
            if text.strip():
                assert pulled(api, text, by_post=by_post).status_code != 200
    for token in some(TOKENS, 60, "cursor"):
        for body in (f'{{"cursor":{token}}}', f'{{"limit":{token}}}', f'{{"tables":{token}}}', f'{{"since":{token}}}', token):  # fmt: skip
            raw = body.encode("utf-8", "surrogatepass")
            with in_time():
                sound(api.generic("POST", URL, raw, "application/json"), 200, 400, 410, 413, 422)


def test_any_damage(cast: Cast, sound_cursor: str) -> None:
    """No letter of it can be another one, none be left out, and none added."""
    api = cast.api(cast.ivan)
    assert pulled(api, sound_cursor).status_code == 200

    @examples(120)
    @given(
        at=st.integers(0, len(sound_cursor) - 1),
        cut=st.integers(0, 300),
        put=st.text(ALPHABET, max_size=5),
    )
    @example(at=0, cut=0, put="")
    @example(at=len(sound_cursor) - 1, cut=1, put="")
    def damaged(at: int, cut: int, put: str) -> None:
        text = sound_cursor[:at] + put + sound_cursor[at + cut :]
        if text.strip() in {"", sound_cursor}:
            return
        answer = pulled(api, text)
        assert answer.status_code == 410 or "\x00" in text, text

    damaged()


def test_any_flipped_bit(cast: Cast, sound_cursor: str) -> None:
    api = cast.api(cast.ivan)
    flips = [(at, 1 << bit) for at in range(len(sound_cursor)) for bit in range(7)]
    for at, bit in some(flips, 60):
        letter = chr(ord(sound_cursor[at]) ^ bit)
        answer = pulled(api, sound_cursor[:at] + letter + sound_cursor[at + 1 :])
        # Three of six bits of a last letter may say nothing; such a cursor is the very same one.
        assert answer.status_code != 200 or at == len(sound_cursor) - 1


def test_whose_it_is_and_for_which_tables(cast: Cast, sound_cursor: str) -> None:
    for name in ("anna", "sergei", "olga", "pyotr", "timur"):
        for by_post in (False, True):
            api = cast.api(getattr(cast, name))
            assert pulled(api, sound_cursor, by_post=by_post).status_code == 410
    answer = cast.api(cast.ivan).get(URL, {"cursor": sound_cursor, "tables": "objects"})
    sound(answer, 410)


FIELDS = [
    ("epoch", ["", "x", "x" * 5000, "\x00", None]),
    ("scope", ["", "\x00", "0" * 12]),
    ("tables", [(), ("users",), tuple(reversed(TABLES)), TABLES * 99]),
    ("position", [-1, 0, MAX_POSITION, MAX_POSITION + 1, 2**70, -(2**70)]),
    ("table", [-1, 9, 2**40]),
    ("start", [-1, MAX_POSITION, 2**70]),
]


@pytest.mark.parametrize(("name", "values"), FIELDS, ids=[name for name, _values in FIELDS])
def test_what_we_signed_ourselves_long_ago(
    cast: Cast, sound_cursor: str, name: str, values: list[Any]
) -> None:
    """Rightly signed, by another version of the software or in another life: never a defect either."""
    api, now = cast.api(cast.ivan), decoded(sound_cursor)
    known = {
        field: getattr(now, field)
        for field in ("epoch", "user_id", "scope", "tables", "position", "table", "id", "start")
    }
    for value in values:
        pulled(api, Cursor(**{**known, name: value}).encoded())


def test_since(cast: Cast, sound_cursor: str) -> None:
    api = cast.api(cast.ivan)
    for text in TEXTS:
        with in_time():
            sound(api.get(URL, {"since": text}), 200, 410, 422)
