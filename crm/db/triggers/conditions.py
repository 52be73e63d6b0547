"""Conditions that several tables' guards share, in both dialects."""

from collections.abc import Iterable

from crm.db.triggers.spec import Dialects

ALWAYS = Dialects("true", "1")


def not_e164(column: str) -> Dialects:
    """A condition: the column holds something else than an E.164 number (ITU-T E.164, 7 to 15 digits)."""
    return Dialects(
        rf"{column} IS NOT NULL AND {column} !~ '^\+[1-9][0-9]{{6,14}}$'",
        f"{column} IS NOT NULL AND NOT ({column} GLOB '+[1-9]*' AND substr({column}, 2) NOT GLOB '*[^0-9]*'"
        f" AND length({column}) BETWEEN 8 AND 16)",
    )


def not_json(column: str, kind: str) -> Dialects:
    """A condition: the column is not JSON of that kind ("array" or "object")."""
    return Dialects(f"jsonb_typeof({column}) <> '{kind}'", f"json_type({column}) <> '{kind}'")


def not_strings(column: str) -> Dialects:
    """A condition: the column is not a JSON list of strings."""
    array = not_json(column, "array")
    return Dialects(
        f"{array.postgresql} OR jsonb_path_exists({column}, '$[*] ? (@.type() != \"string\")')",
        f"{array.sqlite} OR EXISTS (SELECT 1 FROM json_each({column}) WHERE type <> 'text')",
    )


def not_among(column: str, values: Iterable[str]) -> Dialects:
    """A condition: the column is not a JSON list of the given words."""
    words = list(values)
    as_json = "[" + ", ".join(f'"{word}"' for word in words) + "]"
    as_list = ", ".join(f"'{word}'" for word in words)
    array = not_json(column, "array")
    return Dialects(
        f"{array.postgresql} OR NOT ({column} <@ '{as_json}'::jsonb)",
        f"{array.sqlite} OR EXISTS (SELECT 1 FROM json_each({column}) WHERE value NOT IN ({as_list}))",
    )


def missing(table: str, condition: str) -> str:
    """A condition: no row of `table` (alias `t`) meets `condition`."""
    return f"NOT EXISTS (SELECT 1 FROM {table} t WHERE {condition})"


def hangs_on_deleted_object() -> str:
    """A condition: a live row whose object is deleted."""
    return (
        "NEW.deleted_at IS NULL AND EXISTS (SELECT 1 FROM objects_object o"
        " WHERE o.id = NEW.object_id AND o.deleted_at IS NOT NULL)"
    )
