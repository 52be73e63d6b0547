"""JSON text from SQLite: readable letters, and never another meaning."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from crm.db.json_text import unescaped

texts = st.text(
    st.characters(codec="utf-8") | st.sampled_from('\\u"дЁ\ud83e\udd94\x7f\n\u2028'), max_size=12
)
values = st.recursive(
    texts | st.integers() | st.none(), lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
)


@given(values)
def test_the_meaning_stays(value: Any) -> None:
    stored = json.dumps(value)
    shown = unescaped(stored)
    assert json.loads(shown) == json.loads(stored)
    # A half of a pair stays escaped, so that the text can be sent.
    shown.encode()


def test_letters_are_readable() -> None:
    assert unescaped(r'["\u0434\u0401 \ud83e\udd94", "\\u0434", "\n\u0001\ud83e"]') == (
        r'["дЁ 🦔", "\\u0434", "\n\u0001\ud83e"]'
    )
