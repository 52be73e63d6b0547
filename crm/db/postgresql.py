"""PostgreSQL's side of what differs between the engines.

Only built-in functions, and none that follows a locale: clusters with any must do.

Every function here has a namesake in `crm.db.sqlite`; `crm.db.engine_for` chooses.
"""

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from django.db import IntegrityError
from django.db.models import QuerySet

from crm import folding
from crm.db import portable
from crm.db.portable import ReadyWords, single_spaces
from crm.db.violations import Violation, bare_columns
from crm.geo import EARTH_RADIUS_M
from crm.masking import MASK

# A lexeme may have 2,046 bytes, a tsvector a megabyte. array_to_tsvector() checks neither: beyond them it
# makes a broken vector without a word of warning. A query's longest word with its mark must still fit.
LEXEME_LENGTH: Final = folding.MAX_WORD_LENGTH + len(folding.PRIVATE_MARK)
SEARCHED_LENGTH: Final = 200_000

# There are indexes for words and lists, and no good figures of what they find.
GUESSES: Final = True

_KINDS: Final = {"23505": "unique", "23503": "foreign_key", "23502": "not_null", "23514": "check"}
_CLASHING_KEY: Final = re.compile(r"\((.*?)\)=\(", re.DOTALL)


def literal(text: str) -> str:
    """A text constant; all but letters, digits and spaces escaped, so that no driver stumbles upon a `%`."""
    return "E'" + "".join(c if c.isalnum() or c == " " else f"\\u{ord(c):04x}" for c in text) + "'"


def _translated(text: str, from_: str, to: str, blanks: str, dropped: str = "") -> str:
    # translate() deletes what has no counterpart, so the dropped come last.
    return (
        f"translate({text}, {literal(from_ + blanks + dropped)}, {literal(to + ' ' * len(blanks))})"
    )


def _folded(raw: str) -> str:
    # translate() compares each character with the whole table: the long one takes four times as long.
    lower = f'lower(({raw}) COLLATE "C")'
    common = _translated(lower, folding.COMMON_FROM, folding.COMMON_TO, folding.COMMON_PUNCTUATION)
    rare = _translated(lower, folding.FOLD_FROM, folding.FOLD_TO, folding.PUNCTUATION)
    for decomposed, letter in folding.COMPOSED:
        rare = f"replace({rare}, {literal(decomposed)}, {literal(letter)})"
    rare = _translated(rare, "", "", "", folding.DROPPED)
    known = "".join(re.escape(c) if c.isascii() else c for c in folding.COMMON_PUNCTUATION)
    beyond = literal(f"[^ 0-9A-Za-zА-Яа-яЁё{known}]")
    return f"""CASE WHEN ({raw}) COLLATE "C" ~ {beyond} THEN {rare} ELSE {common} END"""


def search_text_sql(parts: Sequence[str]) -> str:
    """`search_text` from SQL expressions of its parts: texts (NULL counts as empty), and ReadyWords.

    The texts are evaluated twice.
    """
    texts = [f"coalesce(({part})::text, '')" for part in parts if not isinstance(part, ReadyWords)]
    ready = [f"({part})" for part in parts if isinstance(part, ReadyWords)]
    folded = [_folded(" || ' ' || ".join(texts))] if texts else []
    words = " || ' ' || ".join(["''", *(f"({text})" for text in folded), *ready, "''"])
    return single_spaces(f'({words}) COLLATE "C"')


def phone_words_sql(column: str) -> ReadyWords:
    """The private words of an E.164 column: its digits, a Russian number's also with 8 and without a code."""
    return ReadyWords(
        f"CASE WHEN {column} ~ '^[+]7[0-9]{{10}}$'"
        f" THEN '#' || substr({column}, 2) || ' #8' || substr({column}, 3) || ' #' || substr({column}, 3)"
        f" WHEN {column} <> '' THEN '#' || ltrim({column}, '+') ELSE '' END"
    )


def email_words_sql(column: str) -> ReadyWords:
    """The private words of an e-mail column: the words of the address, each with its mark."""
    return ReadyWords(f"replace(rtrim({search_text_sql([column])}), ' ', ' #')")


def search_vector_sql(column: str) -> str:
    """The tsvector of a `search_text` column; immutable, and safe for any text, so that it can be indexed."""
    words = f"array_remove(string_to_array(left({column}, {SEARCHED_LENGTH}), ' '), '')"
    return f"array_to_tsvector(({words}::varchar({LEXEME_LENGTH})[])::text[])"


def words_match(
    column: str, words: Sequence[str], digits: str, *, private: bool
) -> tuple[str, list[Any]]:
    """A condition and its parameters; see `crm.searching.search_condition`.

    Written as the index of `gin_search_index_sql` is, or it would not be used.
    """
    groups = " & ".join(_begins(word, private=private) for word in words)
    if private and digits:
        groups = (
            f"({groups}) | {_begins(digits, private=True)}"
            if groups
            else _begins(digits, private=True)
        )
    return f"{search_vector_sql(column)} @@ %s::tsquery", [groups]


def _begins(word: str, *, private: bool) -> str:
    # Folded words hold neither quotes nor backslashes; quoted all the same, for a caller who passes others.
    quoted = word.replace("\\", "\\\\").replace("'", "''")
    return f"('{quoted}':* | '{folding.PRIVATE_MARK}{quoted}':*)" if private else f"'{quoted}':*"


def gin_search_index_sql(table: str, column: str, name: str) -> str:
    """The statement that makes `search_text` an index scan."""
    return f"CREATE INDEX {name} ON {table} USING gin (({search_vector_sql(column)}));"


def mask_phone_sql(column: str) -> str:
    """`crm.masking.mask_phone` of a text expression."""
    text = f'({column})::text COLLATE "C"'
    return (
        f"CASE WHEN {column} IS NULL OR {column} = '' THEN {column}"
        f" WHEN {text} ~ '^[+]7[0-9]{{10}}$' THEN '+7 (***) ***-**' || right({column}, 2)"
        f" WHEN {text} ~ '^[+][0-9]{{7,15}}$' THEN '+** (***) ***-**' || right({column}, 2)"
        f" ELSE '{MASK}' END"
    )


def mask_email_sql(column: str) -> str:
    """`crm.masking.mask_email` of a text expression."""
    return portable.mask_email_sql(f'({column})::text COLLATE "C"')


def distance_sql(lat: str, lng: str) -> str:
    """Haversine metres from two expressions in degrees to a point: three parameters.

    These are its latitude, the cosine of that, its longitude. NULL where an expression is NULL.
    """
    # Underflow is an error here. A thousand added and taken away leaves nothing between 0 and 1e-13 degrees,
    # or one row with a latitude of 1e-320 would break every search.
    half_lat = f"sin(radians({lat} - %s + 1e3 - 1e3) / 2)"
    half_lng = f"sin(radians({lng} - %s + 1e3 - 1e3) / 2)"
    h = f"power({half_lat}, 2) + cos(radians({lat} + 1e3 - 1e3)) * %s * power({half_lng}, 2)"
    # LEAST skips NULL here and would put a row without coordinates at the antipodes.
    return (
        f"CASE WHEN {lat} IS NOT NULL AND {lng} IS NOT NULL"
        f" THEN {2 * EARTH_RADIUS_M} * asin(sqrt(least(1.0::float8, {h}))) END"
    )


def unindexed_sql(column: str) -> str:
    """The column's value, of any type, as no index has it."""
    return f"(ARRAY[{column}])[1]"


def estimate_count(queryset: QuerySet[Any]) -> int | None:
    """How many rows the planner expects the query to give."""
    plan = queryset.order_by().explain(format="json")
    # Django explains a query that can match nothing by an empty text, without asking the server.
    return int(json.loads(plan)[0]["Plan"]["Plan Rows"]) if plan else 0


def violated_constraint(error: IntegrityError) -> Violation | None:
    """What was violated, by the server's diagnostics: never by its sentences, which follow lc_messages."""
    diag = getattr(error.__cause__, "diag", None)
    kind: Any = _KINDS.get(diag.sqlstate or "") if diag is not None else None
    if diag is None or kind is None:
        return None
    if kind == "check" and diag.source_function == "exec_stmt_raise":
        return Violation("guard", diag.constraint_name)
    columns: Sequence[str] = [diag.column_name] if diag.column_name else []
    key = (
        _CLASHING_KEY.search(diag.message_detail or "")
        if kind in {"unique", "foreign_key"}
        else None
    )
    if key:
        columns = re.split(r",(?![^(]*\))", key.group(1))
    return Violation(kind, diag.constraint_name, bare_columns(columns))


def list_holds_any(column: str, words: Sequence[str]) -> tuple[str, list[Any]]:
    """A condition and its parameters: a JSON list holds one of the words. Each word is a GIN look-up."""
    one = f"{column} @> %s::jsonb"
    return f"({' OR '.join([one] * len(words))})", [json.dumps([word]) for word in words]
