"""The triggers in SQLite's dialect.

SQLite cannot change NEW, so an AFTER trigger writes the kept columns into the row, computed from OLD. The
clock row carries two flags: `keeping` while such a write runs (no trigger may judge it as a change), and
`deriving` while another trigger moves derived columns (everybody else's writes to them are undone).

The order in which SQLite fires several triggers of one event is undefined, and no other trigger may run while
`keeping` is set. So what must follow a kept row (counters, ledger) is appended to the same trigger's body.
"""

from crm.db import sqlite
from crm.db.triggers.spec import Dialects, Fragment, Guard, KeptTable

# As Django writes moments, so that they compare as text: microseconds, none when they are zero.
NOW = "replace(strftime('%Y-%m-%d %H:%M:%f000', 'now'), '.000000', '')"
# A row's updated_at only grows, also when the clock stands still or is set back.
LATER = "replace(strftime('%Y-%m-%d %H:%M:%f000', OLD.updated_at, '+0.001 seconds'), '.000000', '')"
TICK = "UPDATE crm_feed_clock SET value = value + 1, keeping = 1 WHERE id = 1;"
KEEP = "UPDATE crm_feed_clock SET keeping = 1 WHERE id = 1;"
DONE = "UPDATE crm_feed_clock SET keeping = 0 WHERE id = 1;"
POSITION = "(SELECT value FROM crm_feed_clock WHERE id = 1)"
NOT_KEEPING = "(SELECT keeping FROM crm_feed_clock WHERE id = 1) = 0"
DERIVING = "(SELECT deriving FROM crm_feed_clock WHERE id = 1) = 1"
STATEMENT_END = "\n-- end of statement\n"


def text_of(fragment: Fragment) -> str:
    """The fragment in this dialect."""
    return fragment.sqlite if isinstance(fragment, Dialects) else fragment


def new_value(kept: KeptTable, column: str) -> str:
    """What the column will hold: as written, or as filled in."""
    if column in kept.fills:
        return f"({text_of(kept.fills[column])})"
    if column in kept.derived:
        return f"CASE WHEN {DERIVING} THEN NEW.{column} ELSE OLD.{column} END"
    return f"NEW.{column}"


def changed(kept: KeptTable, column: str) -> str:
    """A condition: the column really changes."""
    if column in kept.json_columns:
        # Not as text: writers differ in spaces, in the order of keys and in how they escape Cyrillic.
        parts = (
            "(SELECT json_group_array(json_array(fullkey, type, atom))"
            " FROM (SELECT fullkey, type, atom FROM json_tree({row}.{column}) ORDER BY fullkey))"
        )
        return f"{parts.format(row='NEW', column=column)} IS NOT {parts.format(row='OLD', column=column)}"
    return f"{new_value(kept, column)} IS NOT OLD.{column}"


def any_of(conditions: list[str]) -> str:
    """The conditions joined by OR."""
    return "(" + (" OR ".join(conditions) or "0") + ")"


def guard_sql(table: str, guard: Guard) -> str:
    """BEFORE triggers that refuse a bad row."""
    statements = []
    for event in guard.on:
        of = f" OF {', '.join(guard.columns)}" if event == "UPDATE" and guard.columns else ""
        narrowed = (
            "(" + " OR ".join(f"NEW.{c} IS NOT OLD.{c}" for c in guard.columns) + ") AND "
            if event == "UPDATE" and guard.columns
            else ""
        )
        statements.append(
            f"CREATE TRIGGER {guard.name}_{event.lower()} BEFORE {event}{of} ON {table}\n"
            f"WHEN {narrowed}({text_of(guard.refuse_when)})\n"
            f"BEGIN SELECT RAISE(ABORT, 'guard: {guard.name}'); END;"
        )
    return STATEMENT_END.join(statements)


def insert_sql(kept: KeptTable, search: str) -> str:
    """The trigger that stamps a new row."""
    sets = [f"created_at = {NOW}", f"updated_at = {NOW}"]
    if kept.has_version:
        sets += ["version = 1", "field_versions = '{}'", f"feed_position = {POSITION}"]
    zero = {"visits_count": "0"}
    sets += [f"{c} = {zero.get(c, 'NULL')}" for c in kept.derived]
    sets += [f"{c} = ({text_of(e)})" for c, e in kept.fills.items()]
    if search:
        sets += [f"search_text = {search}"]
    assignments = ",\n    ".join(sets)
    return (
        f"CREATE TRIGGER {kept.table}_keep_insert AFTER INSERT ON {kept.table} BEGIN\n"
        f"  {TICK if kept.has_version else KEEP}\n"
        f"  UPDATE {kept.table} SET\n    {assignments}\n  WHERE id = NEW.id;\n  {DONE}\n"
        f"{''.join(f'  {s}' + chr(10) for s in kept.sqlite_after_insert)}END;"
    )


def update_sql(kept: KeptTable, search: str) -> str:
    """The trigger that judges a changed row and keeps its columns."""
    versioned = [changed(kept, c) for c in kept.versioned]
    server = [changed(kept, c) for c in kept.kept]
    moved = any_of([*versioned, *server])
    own = ["created_at", "updated_at"]
    sets = [
        "created_at = OLD.created_at",
        f"updated_at = CASE WHEN {moved} THEN max({NOW}, {LATER}) ELSE OLD.updated_at END",
    ]
    if kept.has_version:
        own += ["version", "field_versions", "feed_position"]
        parts = ",\n      ".join(
            f"'{c}', CASE WHEN {condition} THEN OLD.version + 1"
            f" ELSE json_extract(OLD.field_versions, '$.{c}') END"
            for c, condition in zip(kept.versioned, versioned, strict=True)
        )
        patched = f"json_patch(OLD.field_versions, json_object(\n      {parts}))"
        stamped = f"{moved} OR NEW.feed_position = -1"
        sets += [
            f"version = OLD.version + {any_of(versioned)}",
            # A merge patch drops what is null: fields never changed since version 1 stay absent.
            f"field_versions = CASE WHEN {any_of(versioned)} THEN {patched} ELSE OLD.field_versions END",
            f"feed_position = CASE WHEN {stamped} THEN {POSITION} ELSE OLD.feed_position END",
        ]
    sets += [f"{c} = {new_value(kept, c)}" for c in [*kept.fills, *kept.derived]]
    if search:
        own += ["search_text"]
        depends = any_of([f"NEW.{c} IS NOT OLD.{c}" for c in [*kept.search_columns, "search_text"]])
        sets += [f"search_text = CASE WHEN {depends} THEN {search} ELSE OLD.search_text END"]
    touched = any_of(
        [*versioned, *server, *(f"NEW.{c} IS NOT OLD.{c}" for c in [*own, *kept.derived])]
    )
    assignments = ",\n    ".join(sets)
    return (
        f"CREATE TRIGGER {kept.table}_keep_update AFTER UPDATE ON {kept.table}\n"
        f"WHEN {NOT_KEEPING} AND {touched}\nBEGIN\n"
        f"  {TICK if kept.has_version else KEEP}\n"
        f"  UPDATE {kept.table} SET\n    {assignments}\n  WHERE id = NEW.id;\n  {DONE}\n"
        f"{''.join(f'  {s}' + chr(10) for s in kept.sqlite_after_update)}END;"
    )


def keep_sql(kept: KeptTable) -> str:
    """All triggers that keep one table."""
    search = sqlite.search_text_sql([text_of(part) for part in kept.search]) if kept.search else ""
    statements = [insert_sql(kept, search), update_sql(kept, search)]
    statements += [guard_sql(kept.table, guard) for guard in kept.guards]
    return STATEMENT_END.join(statements) + "\n"


def forget_sql(kept: KeptTable) -> str:
    """The reverse of keep_sql."""
    names = [f"{kept.table}_keep_insert", f"{kept.table}_keep_update"]
    names += [f"{guard.name}_{event.lower()}" for guard in kept.guards for event in guard.on]
    return STATEMENT_END.join(f"DROP TRIGGER {name};" for name in names) + "\n"
