"""The search of every list: each word of the query must begin a word of the record.

The words of a record stand in its column `search_text`, kept by triggers (`crm.folding` tells in which form).
"""

from collections.abc import Sequence

from django.db.models import F, Q

from crm.db.expressions import WordsMatch
from crm.folding import (
    FOLD_FROM,
    FOLD_TO,
    MAX_WORD_LENGTH,
    MAX_WORDS,
    PUNCTUATION,
    normalise_text,
    query_words,
)
from crm.phones import looks_like_phone, phone_digits

__all__ = [
    "FOLD_FROM",
    "FOLD_TO",
    "MAX_WORDS",
    "MAX_WORD_LENGTH",
    "PUNCTUATION",
    "matching",
    "normalise_text",
    "query_words",
    "search_condition",
]


def search_condition(field: str, words: Sequence[str], *, private: bool, digits: str = "") -> Q:
    """The rows of whose `field` (a `search_text`, also of a related row) each word begins some word.

    words: folded, as from `query_words`; none = all rows.
    private: whether words of phones and e-mail addresses count, that is, whether the asker sees them whole.
    digits: a phone's digits that as one word will do instead of `words`; only where `private`.
    """
    if not words and not (private and digits):
        return Q()
    return Q(WordsMatch(F(field), tuple(words), digits, private=private))


def matching(field: str, query: str, *, private: bool) -> Q:
    """The rows that `query`, as a person typed it, finds; see `search_condition`.

    A private query that as a whole looks like a phone number is also one word: `8 (999) 123` finds
    `+7999123…`.
    """
    digits = phone_digits(query) if private and looks_like_phone(query) else ""
    return search_condition(field, query_words(query), private=private, digits=digits)
