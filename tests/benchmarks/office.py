"""The back office over many rows: `python -m tests.benchmarks.office [--objects 1000000]`.

Fills a PostgreSQL of its own with demo data, multiplies it by copying inside the database, and opens each
list, the home page and the map as an administrator and as two supervisors (of the largest city, and of a
small one). Prints how many queries each page asks, how long it takes the first time and again, the slowest
query, and the largest share of a big table that one reads in its order on the disk. Counting stops at
10,000 matches: what is read of a table until then is a small share. More than a tenth is a fault.
`--database-url` names a database to fill, or one that was filled before.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from tests import throwaway
from tests.benchmarks.copying import copy_all
from tests.benchmarks.ground import PEOPLE, POSTGRESQL, environment

SEEDED: Final = 5000
MOST: Final = 15
SHARE: Final = 10
BIG: Final = (
    "objects_object", "objects_unit", "clients_customer", "visits_visit", "audit_auditentry",
    "sync_refuseditem", "objects_objectaccess",
)  # fmt: skip
READERS: Final = {
    "administrator": PEOPLE["admin"],
    "supervisor": PEOPLE["supervisor"],
    "supervisor of a small city": ("supervisor.kazan@example.com", "supervisor123"),
}
OBJECTS, VISITS = "objects/object/", "visits/visit/"
PAGES: Final = (
    "",
    OBJECTS,
    f"{OBJECTS}?p=20",
    f"{OBJECTS}?o=7",
    f"{OBJECTS}?status=NEW",
    f"{OBJECTS}?type=CAFE",
    f"{OBJECTS}?status=DONE&type=HOSPITAL",
    f"{OBJECTS}?district={{district}}",
    f"{OBJECTS}?responsible=none",
    f"{OBJECTS}?responsible={{engineer}}",
    f"{OBJECTS}?unvisited=30",
    f"{OBJECTS}?unvisited=never",
    f"{OBJECTS}?located=yes",
    f"{OBJECTS}?located=no",
    f"{OBJECTS}?type=HOSPITAL&unvisited=never&responsible=none",
    f"{OBJECTS}?q={{word}}",
    f"{OBJECTS}?q={{word}}+12",
    f"{OBJECTS}?q=nothing+such",
    "objects/unit/",
    "objects/unit/?o=5",
    "objects/unit/?object={object}",
    "objects/unit/?q={word}",
    "clients/customer/",
    "clients/customer/?interest=CCTV",
    "clients/customer/?rating=5",
    "clients/customer/?satisfied=yes",
    "clients/customer/?consent=no",
    "clients/customer/?rating=1&satisfied=yes",
    "clients/customer/?interest=BABY_MONITOR&consent=no",
    "clients/customer/?interest=BABY_MONITOR&rating=1&satisfied=yes&consent=no",
    "clients/customer/?object={object}",
    "clients/customer/?q={phone}",
    "clients/customer/?q={word}+12",
    VISITS,
    f"{VISITS}?o=7",
    f"{VISITS}?when=today",
    f"{VISITS}?when=missed",
    f"{VISITS}?when=week",
    f"{VISITS}?status=CANCELLED",
    f"{VISITS}?status=OPEN",
    f"{VISITS}?engineer={{engineer}}",
    f"{VISITS}?callback=overdue",
    f"{VISITS}?callback=overdue&status=CANCELLED",
    f"{VISITS}?object={{object}}",
    f"{VISITS}?q={{word}}+12",
    "call-backs/",
    "call-backs/?when=overdue",
    "call-backs/?when=all",
    "audit/auditentry/",
    "audit/auditentry/?action=delete",
    "audit/auditentry/?entity=visit",
    "audit/auditentry/?actor={engineer}",
    "sync/refuseditem/?state=open",
    "users/user/",
    "map/",
    "map/clusters/?bbox=-180,-85,180,85&zoom=2",
    "map/clusters/?bbox=37.2,55.5,38,56&zoom=10",
    "map/clusters/?bbox=37.6,55.74,37.65,55.76&zoom=15",
    "map/clusters/?bbox=37.2,55.5,38,56&zoom=10&status=NEW",
    "map/clusters/?bbox=37.2,55.5,38,56&zoom=10&unvisited=30",
    "map/clusters/?bbox=37.2,55.5,38,56&zoom=10&unvisited=never&responsible=none",
    "map/clusters/?bbox=-180,-85,180,85&zoom=2&status=DONE&type=HOSPITAL&unvisited=30",
    "objects/object/{object}/change/",
    "visits/visit/{visit}/change/",
    "autocomplete/?app_label=visits&model_name=visit&field_name=object&term={word}",
    "autocomplete/?app_label=visits&model_name=visit&field_name=engineer&term=",
    "export/objects/?status=NEW",
    "jobs/",
    "imports/",
)


@dataclass
class Measured:
    """One page for one reader. Times in milliseconds."""

    path: str
    queries: int
    first: float
    again: float
    # Table → the largest share of it that a sequential scan reads, in per cent.
    scanned: dict[str, int] = field(default_factory=dict)
    slowest: tuple[float, str] = (0.0, "")


@contextmanager
def database(url: str) -> Iterator[str]:
    """The URL of the database: the given one, or one that is gone afterwards."""
    if url:
        yield url
        return
    directory = Path(tempfile.mkdtemp(prefix="crm-benchmark-"))
    directory.chmod(0o755)
    throwaway.POSTGRESQL_OPTIONS = POSTGRESQL
    server, made = throwaway.start_postgresql(directory)
    try:
        yield made
    finally:
        throwaway.stop(server)
        shutil.rmtree(directory, ignore_errors=True)


def fill(objects: int) -> None:
    """Demo data, copied until there are so many objects; nothing when there are already."""
    from django.core.management import call_command
    from django.db import connection

    from objects.models import Object

    call_command("migrate", verbosity=0)
    if Object.objects.exists():
        return
    call_command("seed_dictionaries", verbosity=0)
    call_command("seed_demo", objects=min(objects, SEEDED), verbosity=0)
    with connection.cursor() as cursor:
        copy_all(cursor, copies=objects // SEEDED - 1)


def given() -> dict[str, str]:
    """What the pages' addresses name: an object of the supervisor's city, and what is found there."""
    from crm.users.models import User
    from objects.models import Object
    from visits.models import Visit

    supervisor = User.objects.get(email=PEOPLE["supervisor"][0])
    engineer = User.objects.get(email=PEOPLE["engineer"][0])
    rows = Object.objects.visible_to(supervisor).filter(district=engineer.district_id)
    place = rows.order_by("pk")[100]
    word = max(re.findall(r"\w+", place.address), key=len)
    visit = Visit.objects.filter(object__city=supervisor.city_id).order_by("pk")[0]
    return {
        "district": str(engineer.district_id), "engineer": str(engineer.pk), "word": word,
        "object": str(place.pk), "visit": str(visit.pk), "phone": "%2B79" + "1" * 9,
    }  # fmt: skip


def forget() -> None:
    """Counts and figures that were remembered."""
    from django.core.cache import cache

    from crm.db import counting

    cache.clear()
    counting._forget()


def measured(client: Any, path: str) -> Measured:
    """Open the page: the first time with nothing remembered, then again."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    address = f"/admin/{path}"
    forget()
    first, answer = timed(client, address)
    if answer.status_code not in {200, 404}:
        raise SystemExit(f"{path}: {answer.status_code}")
    again = min(timed(client, address)[0] for _ in range(2))
    forget()
    with CaptureQueriesContext(connection) as captured:
        client.get(address, secure=True)
    found = Measured(path, len(captured), first, again)
    prepared: list[str] = []
    for query in captured.captured_queries:
        sql = query["sql"]
        if sql.startswith(("BEGIN", "COMMIT")):
            prepared.clear()
        elif sql.startswith("SET LOCAL"):
            prepared.append(sql)
        elif sql.lstrip("(").startswith(("SELECT", "WITH")):
            found.slowest = max(found.slowest, (float(query["time"]) * 1000, sql))
            for table, share in scanned(sql, prepared):
                found.scanned[table] = max(share, found.scanned.get(table, 0))
    return found


def scanned(sql: str, prepared: list[str]) -> Iterator[tuple[str, int]]:
    """Which big tables the query reads by a sequential scan, and what share of each, in per cent."""
    from django.db import connection, transaction

    from tests.plans import explained, scans_of

    with transaction.atomic(), connection.cursor() as cursor:
        for setting in prepared:
            cursor.execute(setting)
        cursor.execute("EXPLAIN " + sql.replace("%", "%%"), [])
        plan = "\n".join(line for (line,) in cursor.fetchall())
        if not set(re.findall(r"Seq Scan on (\w+)", plan)) & set(BIG):
            return
        for node in scans_of(explained(sql, options="ANALYZE, TIMING OFF"), BIG):
            if node["Node Type"] == "Seq Scan":
                table = node["Relation Name"]
                cursor.execute("SELECT reltuples FROM pg_class WHERE relname = %s", [table])
                (rows,) = cursor.fetchone()
                read = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
                yield table, round(100 * read * node["Actual Loops"] / rows)


def timed(client: Any, address: str) -> tuple[float, Any]:
    """Milliseconds of the whole answer, pages' templates included; and the answer."""
    began = time.perf_counter()
    answer = client.get(address, secure=True)
    return (time.perf_counter() - began) * 1000, answer


def entered(email: str, password: str) -> Any:
    """A browser with that person at it."""
    from django.test import Client

    client = Client(headers={"accept-language": "ru", "host": "localhost"})
    answer = client.post("/admin/login/", {"username": email, "password": password}, secure=True)
    if answer.status_code != 302:
        raise SystemExit(f"{email} cannot log in: {answer.status_code}")
    return client


def told(found: Measured) -> str:
    """A row of the table."""
    scans = ", ".join(f"{table} {share} %" for table, share in sorted(found.scanned.items())) or "—"
    return (
        f"| `{found.path or '(home)'}` | {found.queries} | {found.first:.0f} | {found.again:.0f} |"
        f" {found.slowest[0]:.0f} | {scans} |"
    )


def say(text: str) -> None:
    """Print at once: a page may take its time."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(options: argparse.Namespace) -> int:
    """Print the tables; 1 when a page asks or reads too much."""
    faults: list[str] = []
    with database(options.database_url) as url:
        os.environ |= environment(url, "", pool=False) | {"LOG_LEVEL": "ERROR"}
        import django

        django.setup()
        fill(options.objects)
        names = given()
        for who, account in READERS.items():
            client = entered(*account)
            client.get("/admin/", secure=True)
            say(
                f"\n{who}\n\n"
                "| page | queries | first, ms | again, ms | slowest query, ms | sequential scans |"
            )
            say("|---|---|---|---|---|---|")
            for page in PAGES:
                if options.only not in page:
                    continue
                found = measured(client, page.format(**names))
                say(told(found))
                if found.queries > MOST or any(one > SHARE for one in found.scanned.values()):
                    faults.append(f"{who}: {found.path}: {found.queries} queries, {found.scanned}")
                if options.verbose and found.slowest[0] > options.verbose:
                    sys.stderr.write(f"{found.slowest[1][:3000]}\n")
    say("\n".join(["", *faults]) if faults else "\nNo page asks or reads too much.")
    return int(bool(faults))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--database-url", default="")
    parser.add_argument("--only", default="", help="pages whose address contains this")
    parser.add_argument(
        "--verbose", type=float, default=0, metavar="MS", help="print queries slower than this"
    )
    sys.exit(main(parser.parse_args()))
