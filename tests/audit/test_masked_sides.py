"""Both sides of a change are masked as each alone would be."""

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from audit.personal import masked, masked_sides

NAMES = st.sampled_from(
    [
        "phone",
        "email",
        "notes",
        "password",
        "password_2",
        "+79991234567",
        "Token",
        "full_name",
        "tags",
    ]
)
WHOLE = st.sampled_from(
    [
        None,
        True,
        False,
        1,
        1.0,
        0,
        "",
        "x",
        "+79991234567",
        "звонить +79991234567",
        "a@b.ru",
        "+7***4567",
        "\x00",
    ]
)
VALUES = st.recursive(
    WHOLE,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=2),
    max_leaves=4,
)
SIDES = st.none() | st.dictionaries(NAMES, VALUES, max_size=6)


@given(SIDES, SIDES, st.booleans())
@example({"done": True}, {"done": 1}, False)
@example({"done": 1.0}, {"done": True}, False)
@example({"+79991234567": "x"}, {"+79991234567": "x"}, False)
def test_as_each_alone(
    before: dict[str, Any] | None, after: dict[str, Any] | None, same: bool
) -> None:
    if same and before is not None:
        after = {**(after or {}), **before}
    found = masked_sides(before, after)
    assert repr(found) == repr((masked(before), masked(after)))
