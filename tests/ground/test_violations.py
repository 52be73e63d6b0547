"""Which rule refused a write is told alike on both engines."""

import pytest
from django.db import IntegrityError, connection, transaction

from crm.db import Violation, estimate_count, violated_constraint
from tests.ground.scratch import Place, make_place_table

TABLES = [
    "CREATE TABLE scratch_owner (id integer PRIMARY KEY)",
    """CREATE TABLE scratch_thing (
        id integer PRIMARY KEY, email text, number integer CONSTRAINT number_positive CHECK (number > 0),
        name text NOT NULL, owner_id integer REFERENCES scratch_owner (id))""",
    "CREATE UNIQUE INDEX scratch_number_once ON scratch_thing (number, name) WHERE email IS NULL",
    "CREATE UNIQUE INDEX scratch_email_once ON scratch_thing (lower(email))",
]
GUARDS = {
    "sqlite": [
        """CREATE TRIGGER guard_name BEFORE INSERT ON scratch_thing WHEN NEW.name = 'bad'
        BEGIN SELECT RAISE(ABORT, 'guard: thing_name_good'); END"""
    ],
    "postgresql": [
        """CREATE FUNCTION guard_name() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.name = 'bad' THEN
          RAISE EXCEPTION 'refused' USING ERRCODE = '23514', CONSTRAINT = 'thing_name_good';
        END IF;
        RETURN NEW; END $$""",
        "CREATE TRIGGER guard BEFORE INSERT ON scratch_thing FOR EACH ROW EXECUTE FUNCTION guard_name()",
    ],
}
SQLITE, POSTGRESQL = "sqlite", "postgresql"


@pytest.fixture
def things(db: None) -> None:
    with connection.cursor() as cursor:
        for statement in (*TABLES, *GUARDS[connection.vendor]):
            cursor.execute(statement)
        cursor.execute(
            "INSERT INTO scratch_thing VALUES (1, NULL, 5, 'one', NULL), (2, 'a@b.c', 6, 'two', NULL)"
        )


@pytest.mark.parametrize(
    ("row", "sqlite", "postgresql"),
    [
        (
            "1, NULL, 7, 'x', NULL",
            Violation("unique", None, ("id",)),
            Violation("unique", "scratch_thing_pkey", ("id",)),
        ),
        (
            "3, NULL, 5, 'one', NULL",
            Violation("unique", None, ("number", "name")),
            Violation("unique", "scratch_number_once", ("number", "name")),
        ),
        (
            "3, 'A@b.C', 7, 'x', NULL",
            Violation("unique", "scratch_email_once"),
            Violation("unique", "scratch_email_once", ("email",)),
        ),
        (
            "3, NULL, -1, 'x', NULL",
            Violation("check", "number_positive"),
            Violation("check", "number_positive"),
        ),
        (
            "3, NULL, 7, NULL, NULL",
            Violation("not_null", None, ("name",)),
            Violation("not_null", None, ("name",)),
        ),
        (
            "3, NULL, 7, 'bad', NULL",
            Violation("guard", "thing_name_good"),
            Violation("guard", "thing_name_good"),
        ),
        (
            "3, NULL, 7, 'x', 99",
            Violation("foreign_key"),
            Violation("foreign_key", "scratch_thing_owner_id_fkey", ("owner_id",)),
        ),
    ],
)
def test_violations(row: str, sqlite: Violation, postgresql: Violation, things: None) -> None:
    with (
        pytest.raises(IntegrityError) as caught,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"INSERT INTO scratch_thing VALUES ({row})")
    assert (
        violated_constraint(caught.value)
        == {SQLITE: sqlite, POSTGRESQL: postgresql}[connection.vendor]
    )


def test_an_error_of_another_kind_is_none() -> None:
    assert violated_constraint(IntegrityError("something else")) is None


def test_estimate(db: None) -> None:
    make_place_table()
    Place.objects.bulk_create(Place(number=n % 10) for n in range(1000))
    if connection.vendor == "sqlite":
        assert estimate_count(Place.objects.all()) is None
        return
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE scratch_place")
    assert estimate_count(Place.objects.order_by("id")) == 1000
    assert 50 <= (estimate_count(Place.objects.filter(number=3)) or 0) <= 200
    assert estimate_count(Place.objects.none()) == 0
