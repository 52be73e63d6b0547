"""Conditions and triggers that several tables share, in both dialects."""

from collections.abc import Iterable

from crm.db.triggers.spec import Dialects
from crm.db.triggers.sqlite import STATEMENT_END

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


def refuse_orphans(child: str) -> tuple[Dialects, Dialects]:
    """A trigger (up, down): an object is not deleted from over live rows of `child` that hang on it."""
    name = f"{child}_not_orphaned"
    live = f"SELECT 1 FROM {child} c WHERE c.object_id = NEW.id AND c.deleted_at IS NULL"
    when = "OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL"
    up = Dialects(
        f"""
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $orphans$
BEGIN
  IF EXISTS ({live}) THEN
    RAISE EXCEPTION 'refused by {name}' USING ERRCODE = '23514', CONSTRAINT = '{name}', TABLE = TG_TABLE_NAME;
  END IF;
  RETURN NULL;
END $orphans$;
CREATE TRIGGER {name} AFTER UPDATE OF deleted_at ON objects_object
  FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION {name}();
""",
        f"""
CREATE TRIGGER {name} BEFORE UPDATE OF deleted_at ON objects_object
WHEN {when} AND EXISTS ({live})
BEGIN SELECT RAISE(ABORT, 'guard: {name}'); END;
""",
    )
    down = Dialects(
        f"DROP TRIGGER {name} ON objects_object;\nDROP FUNCTION {name}();\n",
        f"DROP TRIGGER {name};",
    )
    return up, down


def joined(*parts: Dialects) -> Dialects:
    """Several pieces of SQL as one, statement after statement."""
    return Dialects(
        "\n".join(part.postgresql.strip() for part in parts) + "\n",
        STATEMENT_END.join(part.sqlite.strip() for part in parts),
    )
