"""How PostgreSQL runs a query: the nodes of its plan, as run."""

import json
from collections.abc import Collection, Iterator
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext

Plan = list[dict[str, Any]]


def explained(sql: str, parameters: Any = None, *, options: str = "ANALYZE") -> Plan:
    """Run the query once more, and tell how. Without parameters the text is taken as it is."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN ({options}, FORMAT JSON) {sql}", parameters)
        plan = cursor.fetchone()[0]
    return nodes((json.loads(plan) if isinstance(plan, str) else plan)[0]["Plan"])


def nodes(plan: dict[str, Any]) -> Plan:
    """The node, and all below it."""
    return [plan, *(node for child in plan.get("Plans", ()) for node in nodes(child))]


def asked_of(captured: CaptureQueriesContext, tables: Collection[str]) -> Iterator[str]:
    """The queries that concern one of the tables, but for questions to the planner."""
    for query in captured.captured_queries:
        sql = query["sql"]
        if not sql.startswith("EXPLAIN") and any(f'"{table}"' in sql for table in tables):
            yield sql


def scans_of(plan: Plan, tables: Collection[str] | None = None) -> Plan:
    """The nodes that read a table: one of those, or any."""
    return [
        node
        for node in plan
        if "Relation Name" in node and (tables is None or node["Relation Name"] in tables)
    ]


def rows_read(scans: Plan) -> int:
    """Rows that the scans touched, those that they threw away included."""
    return sum(
        int((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
        for node in scans
    )


def told(scans: Plan, *more: str) -> list[tuple[Any, ...]]:
    """What a failed test says of them."""
    names = ("Node Type", "Index Name", "Relation Name", "Actual Rows", "Rows Removed by Filter")
    return [tuple(node.get(name) for name in (*names, *more)) for node in scans]
