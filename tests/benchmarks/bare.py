"""The bare views: the same server and database, a hand-written query, its JSON as it comes. No rules at all.

The queries are as good as we can write them by hand; the runner measures them alone, too (`raw`).
"""

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl

import psycopg

_local = threading.local()


def connection() -> psycopg.Connection[Any]:
    """This thread's connection."""
    held: psycopg.Connection[Any] | None = getattr(_local, "connection", None)
    if held is None:
        held = psycopg.connect(os.environ["DATABASE_URL"], autocommit=True)
        held.prepare_threshold = None
        held.execute("SET TimeZone = 'UTC'")
        _local.connection = held
    return held


def moment(column: str) -> str:
    """A moment as the API writes it."""
    text = f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""
    return f"replace({text}, '.000000Z', 'Z')"


def nested(table: str, key: str, *columns: str, live: bool = False, alias: str = "n") -> str:
    """A nested summary."""
    alive = f" AND {alias}.deleted_at IS NULL" if live else ""
    source = f"SELECT {alias}.id, {', '.join(columns)} FROM {table} {alias} WHERE {alias}.id = {key}{alive}"
    return f"(SELECT row_to_json(d) FROM ({source}) d)"


def place(table: str, key: str) -> str:
    """A city or district."""
    return nested(table, key, "p.name", alias="p")


OBJECT = f"""r.id, r.version, {moment("r.created_at")} AS created_at, {moment("r.updated_at")} AS updated_at,
 r.type, r.address, r.city_id, r.district_id, r.gps_lat, r.gps_lng, r.status, r.tags, r.responsible_user_id,
 r.contact_name, r.contact_phone, r.visits_count, {moment("r.last_visit_at")} AS last_visit_at,
 r.created_by_id AS created_by, r.updated_by_id AS updated_by, {place("territory_city", "r.city_id")} AS city,
 {place("territory_district", "r.district_id")} AS district,
 {nested("users_user", "r.responsible_user_id", "n.full_name")} AS responsible_user"""
OF_VISIT = nested(
    "objects_object",
    "r.object_id",
    "n.type, n.address, n.status, n.gps_lat, n.gps_lng",
    f"{place('territory_city', 'n.city_id')} AS city",
    f"{place('territory_district', 'n.district_id')} AS district",
    live=True,
)
VISIT = f"""r.id, r.version, {moment("r.created_at")} AS created_at, {moment("r.updated_at")} AS updated_at,
 r.object_id, r.unit_id, r.customer_id, r.engineer_id, {moment("r.scheduled_at")} AS scheduled_at,
 {moment("r.started_at")} AS started_at, {moment("r.finished_at")} AS finished_at, r.status, r.interests,
 r.outcome_text, {moment("r.next_action_due_at")} AS next_action_due_at, r.geo_captured_lat,
 r.geo_captured_lng,
 {OF_VISIT} AS object, {nested("objects_unit", "r.unit_id", "n.unit_number", live=True)} AS unit,
 {nested("clients_customer", "r.customer_id", "n.full_name", "n.phone", live=True)} AS customer,
 {nested("users_user", "r.engineer_id", "n.full_name")} AS engineer"""


def texts(columns: str, source: str, parameters: Iterable[Any]) -> list[str]:
    """Rows as JSON texts."""
    sql = f"SELECT (SELECT row_to_json(x)::text FROM (SELECT {columns}) x) FROM {source}"
    return [row[0] for row in connection().execute(sql, list(parameters)).fetchall()]


def page(
    columns: str, table: str, condition: str, order: str, *given: Any, limit: int, counted: bool
) -> bytes:
    """A page, and how many rows match (at most 10,001 are counted)."""
    source = f"{table} r WHERE {condition} ORDER BY {order} LIMIT %s"
    rows = texts(columns, source, (*given, limit + 1))
    total = 0
    if counted:
        sql = f"SELECT count(*) FROM (SELECT 1 FROM {table} r WHERE {condition} LIMIT 10001) k"
        total = connection().execute(sql, given).fetchall()[0][0]
    return f'{{"items":[{",".join(rows[:limit])}],"total":{total}}}'.encode()


IN_CITY = "r.object_id IN (SELECT o.id FROM objects_object o WHERE o.city_id = %s)"
OWN = "r.engineer_id = %s"
LIVE = "r.deleted_at IS NULL"
LATEST, SOONEST = "r.updated_at DESC, r.id DESC", "r.scheduled_at DESC, r.id DESC"


def objects(
    city: str = "", status: str = "", limit: str = "20", counted: str = "1", order: str = LATEST
) -> bytes:
    """A list of objects."""
    given = {"r.city_id = %s": city, "r.status = %s": status}
    chosen = {condition: value for condition, value in given.items() if value}
    condition = " AND ".join([LIVE, *chosen])
    return page(
        OBJECT,
        "objects_object",
        condition,
        order,
        *chosen.values(),
        limit=int(limit),
        counted=counted == "1",
    )


def visits(city: str = "", engineer: str = "", limit: str = "20", counted: str = "1") -> bytes:
    """A list of visits."""
    chosen = {c: value for c, value in {IN_CITY: city, OWN: engineer}.items() if value}
    condition = " AND ".join([LIVE, *chosen])
    return page(
        VISIT,
        "visits_visit",
        condition,
        SOONEST,
        *chosen.values(),
        limit=int(limit),
        counted=counted == "1",
    )


def detail(id: str) -> bytes:  # noqa: A002 - the parameter's name
    """One object."""
    return texts(OBJECT, f"objects_object r WHERE r.id = %s AND {LIVE}", [id])[0].encode()


def empty() -> bytes:
    """Nothing: what the server and the client cost."""
    return b"{}"


VIEWS: dict[str, Callable[..., bytes]] = {
    "/bare/empty": empty,
    "/bare/objects": objects,
    "/bare/visits": visits,
    "/bare/detail": detail,
}


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
    """The WSGI application."""
    body = VIEWS[environ["PATH_INFO"]](**dict(parse_qsl(environ["QUERY_STRING"])))
    start_response(
        "200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    )
    return [body]
