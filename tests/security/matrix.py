"""The table of who may do what: every method of every address, for each role, in sight and out of it.

The target of a row is a record of Moscow's centre. In sight of it are Anna (ADMIN), Sergei (SUPERVISOR of
Moscow) and Ivan (ENGINEER of the centre); out of sight are Olga (SUPERVISOR of Kazan) and Pyotr (ENGINEER of
another district).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.cast import PASSWORD, Cast

Body = Mapping[str, Any]


@dataclass
class World:
    """The records that the rows are about, by name, all in Moscow's centre; and tombstones of the same."""

    cast: Cast
    ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One method of one address. seen: statuses for (ADMIN, SUPERVISOR, ENGINEER) who see the target;
    unseen: for (SUPERVISOR, ENGINEER) who do not. told: the name of the record whose id the answer names to
    those who see it and to nobody else."""

    method: str
    path: str
    seen: tuple[int, int, int]
    unseen: tuple[int, int]
    body: Callable[[World], Body] | None = None
    query: Callable[[World], Mapping[str, str]] | None = None
    told: str | None = None
    name: str = ""

    def __str__(self) -> str:
        return f"{self.method} {self.path}{self.name and f' ({self.name})'}"


def in_object(**values: Any) -> Callable[[World], Body]:
    """A body that refers to the object."""
    return lambda world: {"object_id": world.ids["objects"], **values}


def given(**values: Any) -> Callable[[World], Body]:
    """That body."""
    return lambda _world: values


def pushed(table: str, **payload: Any) -> Callable[[World], Body]:
    """A batch with an edit of the record."""
    return lambda world: {
        "items": [
            {"client_generated_id": world.ids[table], "table_name": table, "payload": payload}
        ],
        "strategy": "force",
    }


OPEN = (200, 200, 200)
ALL = (200, 200)
HIDDEN = (404, 404)
# No engineer gets that far, sight or not.
NO_ENGINEERS = (404, 403)
ADMINS_ONLY = (403, 403)

RECORDS = [
    *(
        row
        for table, new in (
            ("units", {"unit_number": "Новая"}),
            ("customers", {"full_name": "Новый Жилец"}),
            ("visits", {}),
        )
        for row in (
            Row("GET", table, OPEN, ALL, told=table),
            Row("POST", table, (201, 201, 201), (422, 422), body=in_object(**new)),
            Row("GET", f"{table}/{{{table}}}", OPEN, HIDDEN, told=table),
            Row("DELETE", f"{table}/{{{table}}}", (204, 204, 403), HIDDEN),
            Row("POST", f"{table}/{{deleted_{table}}}/restore", (200, 403, 403), ADMINS_ONLY),
        )
    ),
    Row("PATCH", "units/{units}", OPEN, HIDDEN, body=given(floor=3)),
    Row("PATCH", "customers/{customers}", OPEN, HIDDEN, body=given(notes="x")),
    Row("PATCH", "visits/{visits}", OPEN, HIDDEN, body=given(interests=["TV"])),
    Row("GET", "objects", OPEN, ALL, told="objects"),
    Row("GET", "objects", (200, 403, 403), (403, 403), query=given(deleted="true"), name="deleted"),
    Row(
        "POST", "objects", (201, 201, 201), (422, 422), name="in the centre",
        body=lambda world: {
            "type": "MKD", "address": "ул. Новая, д. 1", "city_id": str(world.cast.moscow.pk),
            "district_id": str(world.cast.centre.pk),
        },
    ),
    Row("GET", "objects/{objects}", OPEN, HIDDEN, told="objects"),
    Row("PATCH", "objects/{objects}", OPEN, HIDDEN, body=given(status="INTEREST")),
    Row(
        "PATCH", "objects/{objects}", (200, 200, 403), HIDDEN, name="responsible person",
        body=lambda world: {"responsible_user_id": str(world.cast.sergei.pk)},
    ),
    Row(
        "PATCH", "objects/{objects}", (200, 200, 403), HIDDEN, name="to another district",
        body=lambda world: {"district_id": str(world.cast.north.pk)},
    ),
    Row(
        "PATCH", "objects/{objects}", (200, 422, 403), HIDDEN, name="to another city",
        body=lambda world: {"city_id": str(world.cast.kazan.pk), "district_id": None},
    ),
    Row("DELETE", "objects/{objects}", (204, 204, 403), HIDDEN),
    Row("POST", "objects/{deleted_objects}/restore", (200, 403, 403), ADMINS_ONLY),
    Row(
        "POST", "objects/{objects}/delegate", (200, 200, 403), HIDDEN,
        query=lambda world: {"supervisor_id": str(world.cast.sergei.pk)},
    ),
    Row("GET", "objects/my-tasks", OPEN, ALL),
    Row(
        "GET", "objects/clusters", OPEN, ALL, query=given(bbox="37.6,55.7,37.7,55.8", zoom="20"),
        told="objects",
    ),
    Row(
        "POST", "visits", (201, 201, 403), (422, 422), name="for a colleague",
        body=lambda world: {
            "object_id": world.ids["objects"], "engineer_id": str(world.cast.pyotr.pk),
        },
    ),
    Row(
        "POST", "visits", (201, 422, 403), (422, 422), name="for an engineer of another city",
        body=lambda world: {
            "object_id": world.ids["objects"], "engineer_id": str(world.cast.timur.pk),
        },
    ),
    Row(
        "PATCH", "visits/{visits}", (200, 200, 403), HIDDEN, name="reassign",
        body=lambda world: {"engineer_id": str(world.cast.pyotr.pk)},
    ),
    Row("POST", "visits/{visits}/start", OPEN, HIDDEN, body=given()),
    Row(
        "POST", "visits/{visits}/complete", OPEN, HIDDEN,
        body=given(version=1, outcome_text="Готово"),
    ),
    Row("POST", "visits/{visits}/cancel", OPEN, HIDDEN, body=given()),
    Row("POST", "visits/{done_visits}/reopen", (200, 200, 403), HIDDEN, body=given()),
    Row("GET", "visits/reminders", OPEN, ALL, query=given(days_ahead="365"), told="reminded_visits"),
]  # fmt: skip

PEOPLE = [
    Row("GET", "users", (200, 200, 403), (200, 403), told="users"),
    Row("GET", "users/{users}", (200, 200, 403), NO_ENGINEERS, told="users"),
    Row("PATCH", "users/{users}", (200, 200, 403), NO_ENGINEERS, body=given(full_name="Пётр")),
    Row(
        "PATCH", "users/{users}", (200, 403, 403), NO_ENGINEERS, name="a higher role",
        body=given(role="ADMIN"),
    ),
    Row(
        "POST", "users", (201, 201, 403), (422, 403), name="an engineer of Moscow",
        body=lambda world: {
            "email": "new@crm.test", "full_name": "Новый", "role": "ENGINEER", "password": PASSWORD,
            "city_id": str(world.cast.moscow.pk),
        },
    ),
    Row(
        "POST", "users", (201, 403, 403), (403, 403), name="an administrator",
        body=given(email="new@crm.test", full_name="Новый", role="ADMIN", password=PASSWORD),
    ),
    Row("GET", "users/me", OPEN, ALL),
    Row("PATCH", "users/me", OPEN, ALL, body=given(full_name="Я")),
    # For delegation, to every role; each sees whom it may delegate to.
    Row("GET", "users/supervisors", OPEN, ALL),
    Row("POST", "auth/logout", (204, 204, 204), (204, 204), body=given()),
    Row(
        "POST", "auth/password", (204, 204, 204), (204, 204),
        body=given(old_password=PASSWORD, new_password="another horse battery"),
    ),
    Row(
        "POST", "auth/token", OPEN, ALL,
        body=lambda world: {"username": world.cast.anna.email, "password": PASSWORD},
    ),
    Row("POST", "auth/refresh", (401, 401, 401), (401, 401), body=given(refresh_token="foreign")),
]  # fmt: skip

DICTIONARIES = [
    row
    for table, new in (
        ("cities", given(name="Тверь")),
        ("districts", lambda world: {"name": "Новый", "city_id": str(world.cast.moscow.pk)}),
    )
    for row in (
        Row("GET", f"dictionaries/{table}", OPEN, ALL),
        Row("POST", f"dictionaries/{table}", (201, 403, 403), ADMINS_ONLY, body=new),
        Row("GET", f"dictionaries/{table}/{{{table}}}", OPEN, ALL),
        Row(
            "PATCH", f"dictionaries/{table}/{{{table}}}", (200, 403, 403), ADMINS_ONLY,
            body=given(name="Другое"),
        ),
        Row("DELETE", f"dictionaries/{table}/{{unused_{table}}}", (204, 403, 403), ADMINS_ONLY),
    )
]  # fmt: skip

REST = [
    Row("GET", "analytics/summary", OPEN, ALL),
    Row("GET", "analytics/objects/by-city", OPEN, ALL),
    Row("GET", "analytics/engineers", OPEN, ALL),
    Row("GET", "analytics/visits/daily", OPEN, ALL),
    Row("GET", "audit", (200, 200, 403), (200, 403), told="audit"),
    Row("GET", "audit/{audit}", (200, 200, 403), NO_ENGINEERS, told="audit"),
    Row("GET", "sync/changes", OPEN, ALL, told="objects"),
    Row("POST", "sync/changes", OPEN, ALL, body=given(limit=1000), told="visits"),
    # Each item is judged for itself: what the results say is another table (tests/sync).
    Row("POST", "sync/batch", OPEN, ALL, body=pushed("objects", status="INTEREST")),
    Row("POST", "sync/batch", OPEN, ALL, body=pushed("visits", interests=["TV"]), name="visits"),
]

EXPORT = {"entity": "objects", "columns": ["id"], "format": "csv"}
# Engineers have none; of the others each sees their own, an administrator any by its id.
REPORTS = [
    Row("POST", "reports/export", (201, 201, 403), (201, 403), body=given(**EXPORT)),
    Row(
        "POST", "reports/preview", (200, 200, 403), (200, 403),
        body=given(entity="objects", columns=["id"]), told="objects",
    ),
    Row("GET", "reports/columns", (200, 200, 403), (200, 403), query=given(entity="objects")),
    Row("GET", "reports/jobs", (200, 200, 403), (200, 403)),
    Row(
        "GET", "reports/jobs", (200, 200, 403), (200, 403), told="jobs", name="of somebody",
        query=lambda world: {"owner_id": str(world.cast.sergei.pk)},
    ),
    Row("GET", "reports/jobs/{jobs}", (200, 200, 403), NO_ENGINEERS, told="jobs"),
    Row("GET", "reports/jobs/{done_jobs}/download", (200, 200, 403), NO_ENGINEERS, told="done_jobs"),
    Row("POST", "reports/jobs/{jobs}/cancel", (200, 200, 403), NO_ENGINEERS),
]  # fmt: skip

ROWS = [*RECORDS, *PEOPLE, *DICTIONARIES, *REPORTS, *REST]
