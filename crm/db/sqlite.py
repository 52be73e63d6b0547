"""SQLite's side of what differs between the engines.

Triggers get built-in functions only, because the `sqlite3` shell writes rows too.
Every function here has a namesake in `crm.db.postgresql`; `crm.db.engine_for` chooses.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.db import IntegrityError
from django.db.models import QuerySet

from crm import folding
from crm.db.portable import ReadyWords, mask_email_sql, single_spaces
from crm.db.violations import Kind, Violation, bare_columns
from crm.geo import EARTH_RADIUS_M
from crm.masking import MASK

__all__ = [
    "GUESSES",
    "distance_sql",
    "email_words_sql",
    "estimate_count",
    "gin_search_index_sql",
    "list_holds_any",
    "mask_email_sql",
    "mask_phone_sql",
    "phone_words_sql",
    "search_text_sql",
    "unindexed_sql",
    "violated_constraint",
    "words_match",
]

# What it could guess at wrongly has no index of its own here: every row in sight is looked at in any order.
GUESSES: Final = False

# The parser's stack holds 100 entries before SQLite 3.46, and a nested call takes two.
NESTED_CALLS: Final = 8
BEYOND_COMMON: Final = "'*[^ 0-9a-zа-я]*'"

_MESSAGE: Final = re.compile(
    r"(?P<kind>UNIQUE|CHECK|NOT NULL|FOREIGN KEY) constraint failed(?:: (?P<what>.*))?|guard: (?P<guard>\w+)",
    re.DOTALL,
)
_KINDS: Final[dict[str, Kind]] = {
    "UNIQUE": "unique",
    "CHECK": "check",
    "NOT NULL": "not_null",
    "FOREIGN KEY": "foreign_key",
}
_INDEX: Final = re.compile(r"index '(\w+)'")


def literal(text: str) -> str:
    """A text constant; all but letters, digits and spaces by code, so that no driver stumbles upon a `%`."""
    runs = re.findall(r"[^\W_]+| +|.", text, re.DOTALL)
    quoted = (f"'{run}'" if run.isalnum() or run[0] == " " else f"char({ord(run)})" for run in runs)
    return " || ".join(quoted) or "''"


def _chain(
    source: str, replacements: Iterable[tuple[str, str]], prefix: str
) -> tuple[list[str], str]:
    """Common table expressions that make the replacements in the expression `source`; the last one's name.

    A plain nest of 200 calls overflows the parser. Inside triggers SQLite refuses the WITH of a statement,
    not that of an expression. (Renaming a column that such a trigger reads needs the trigger dropped first.)
    """
    pairs = list(replacements)
    tables, name = [f"{prefix}(x) AS (SELECT {source})"], prefix
    for start in range(0, len(pairs), NESTED_CALLS):
        call = "x"
        for old, new in pairs[start : start + NESTED_CALLS]:
            call = f"replace({call}, {literal(old)}, {literal(new)})"
        tables.append(f"{prefix}{start}(x) AS (SELECT {call} FROM {name})")
        name = f"{prefix}{start}"
    return tables, name


def _pairs(from_: str, to: str, blanks: str) -> list[tuple[str, str]]:
    return [*zip(from_, to, strict=True), *((blank, " ") for blank in blanks)]


def search_text_sql(parts: Sequence[str]) -> str:
    """`search_text` from SQL expressions of its parts: texts (NULL counts as empty), and ReadyWords."""
    texts = [f"coalesce({part}, '')" for part in parts if not isinstance(part, ReadyWords)]
    ready = [f"({part})" for part in parts if isinstance(part, ReadyWords)]
    joined = " || ' ' || ".join(texts) or "''"
    common, last = _chain(
        f"lower({joined})",
        _pairs(folding.COMMON_FROM, folding.COMMON_TO, folding.COMMON_PUNCTUATION),
        "common",
    )
    # An aggregate keeps the query planner from putting the whole chain in the place of each `whole.x` below.
    common.append(f"whole(x) AS (SELECT max(x) FROM {last})")
    rare, last = _chain(
        "whole.x",
        [
            *_pairs(folding.RARE_FROM, folding.RARE_TO, folding.RARE_PUNCTUATION),
            *folding.COMPOSED,
            *((dropped, "") for dropped in folding.DROPPED),
        ],
        "rare",
    )
    folded = f"CASE WHEN x GLOB {BEYOND_COMMON} THEN (WITH {', '.join(rare)} SELECT x FROM {last}) ELSE x END"
    common.append(f"folded(x) AS (SELECT {folded} FROM whole)")
    # The ready words get a table of their own too: each level of nesting costs the parser's stack.
    private = " || ' ' || ".join(ready) or "''"
    common.append(f"ready(x) AS (SELECT {private})")
    words = "' ' || folded.x || ' ' || ready.x || ' '"
    return f"(WITH {', '.join(common)} SELECT {single_spaces(words)} FROM folded, ready)"


def phone_words_sql(column: str) -> ReadyWords:
    """The private words of an E.164 column: its digits, a Russian number's also with 8 and without a code."""
    return ReadyWords(
        f"CASE WHEN {column} GLOB '+7{'[0-9]' * 10}'"
        f" THEN '#' || substr({column}, 2) || ' #8' || substr({column}, 3) || ' #' || substr({column}, 3)"
        f" WHEN {column} <> '' THEN '#' || ltrim({column}, '+') ELSE '' END"
    )


def email_words_sql(column: str) -> ReadyWords:
    """The private words of an e-mail column: the words of the address, each with its mark."""
    return ReadyWords(f"replace(rtrim({search_text_sql([column])}), ' ', ' #')")


def words_match(
    column: str, words: Sequence[str], digits: str, *, private: bool
) -> tuple[str, list[Any]]:
    """A condition and its parameters; see `crm.searching.search_condition`. No index."""
    groups, params = [], []
    for word in words:
        groups.append(_begins(column, private=private))
        params += _beginnings(word, private=private)
    condition = " AND ".join(groups)
    if private and digits:
        condition = (
            f"({condition}) OR {_begins(column, private=True)}"
            if groups
            else _begins(column, private=True)
        )
        params += _beginnings(digits, private=True)
    return f"({condition})", params


def _begins(column: str, *, private: bool) -> str:
    # As fast as LIKE, with nothing to escape and no folding of its own.
    one = f"instr({column}, %s) > 0"
    return f"({one} OR {one})" if private else one


def _beginnings(word: str, *, private: bool) -> list[str]:
    return [f" {word}", f" {folding.PRIVATE_MARK}{word}"] if private else [f" {word}"]


def gin_search_index_sql(_table: str, _column: str, _name: str) -> str:
    """No statement: SQLite has no index for words that needs no second table."""
    return ""


def mask_phone_sql(column: str) -> str:
    """`crm.masking.mask_phone` of a text expression."""
    return (
        f"CASE WHEN {column} IS NULL OR {column} = '' THEN {column}"
        f" WHEN {column} GLOB '+7{'[0-9]' * 10}' THEN '+7 (***) ***-**' || substr({column}, -2)"
        f" WHEN length({column}) BETWEEN 8 AND 16 AND substr({column}, 1, 1) = '+'"
        f" AND substr({column}, 2) NOT GLOB '*[^0-9]*' THEN '+** (***) ***-**' || substr({column}, -2)"
        f" ELSE '{MASK}' END"
    )


def distance_sql(lat: str, lng: str) -> str:
    """Haversine metres from two expressions in degrees to a point: three parameters.

    These are its latitude, the cosine of that, its longitude. NULL where an expression is NULL.
    For queries only: Django brings the trigonometry along where SQLite was built without it.
    """
    half_lat, half_lng = f"sin(radians({lat} - %s) / 2)", f"sin(radians({lng} - %s) / 2)"
    h = f"power({half_lat}, 2) + cos(radians({lat})) * %s * power({half_lng}, 2)"
    return f"({2 * EARTH_RADIUS_M} * asin(sqrt(min(1.0, {h}))))"


def unindexed_sql(column: str) -> str:
    """The column's value as no index has it: https://sqlite.org/optoverview.html#uplus."""
    return f"+{column}"


def estimate_count(_queryset: QuerySet[Any]) -> int | None:
    """None: SQLite has no estimate of rows to tell."""
    return None


def violated_constraint(error: IntegrityError) -> Violation | None:
    """What was violated, by SQLite's message (never translated).

    A unique index on columns tells these and not its name, one on expressions its name alone,
    a foreign key neither.
    """
    match = _MESSAGE.fullmatch(str(error))
    if match is None:
        return None
    if match["guard"]:
        return Violation("guard", match["guard"])
    kind, what = _KINDS[match["kind"]], match["what"] or ""
    if kind == "check":
        return Violation(kind, what or None)
    index = _INDEX.fullmatch(what)
    if index:
        return Violation(kind, index[1])
    return Violation(kind, None, bare_columns(what.split(",")) if what else ())


def list_holds_any(column: str, words: Sequence[str]) -> tuple[str, list[Any]]:
    """A condition and its parameters: a JSON list holds one of the words."""
    marks = ", ".join(["%s"] * len(words))
    return f"EXISTS (SELECT 1 FROM json_each({column}) WHERE value IN ({marks}))", list(words)
