"""Statements compiled once: they find the row asked for and no other, and outlive a dead connection."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from crm.db.json_pages import ANY_ID, json_rows
from crm.db.lookups import RowByIds, asked_first, bound, positions_of
from crm.users.models import Session, User
from tests.cast import Cast


def test_a_statement_that_does_not_ask_for_the_row_is_refused() -> None:
    with pytest.raises(LookupError):
        positions_of(ANY_ID, ["x", 1, None])
    assert positions_of(ANY_ID, [1, ANY_ID, ANY_ID]) == (1, 2)
    assert bound([1, 2, 3], (0, 2), "x") == ["x", 2, "x"]
    with pytest.raises(LookupError):
        RowByIds(lambda _id: User.objects.all(), 1).find(uuid4())


@pytest.mark.django_db
def test_a_row_with_what_is_selected_along(cast: Cast) -> None:
    users = RowByIds(lambda pk: User.objects.select_related("city").filter(pk=pk), 1)
    for person in (cast.ivan, cast.anna, cast.ivan):
        with CaptureQueriesContext(connection) as asked:
            found = users.find(person.pk)
            assert found == person
            assert found.city == person.city
        assert len(asked) == 1
        for field in User._meta.concrete_fields:
            fresh = User.objects.get(pk=person.pk)
            assert getattr(found, field.attname) == getattr(fresh, field.attname), field
        assert not found._state.adding
    assert users.find(uuid4()) is None


@pytest.mark.django_db
def test_a_session_belongs_to_its_person(cast: Cast) -> None:
    """Both ids are bound, each to its own place."""
    cast.api(cast.ivan)
    cast.api(cast.anna)
    ivans = Session.objects.get(user=cast.ivan)
    rows = RowByIds(lambda sid, uid: Session.objects.filter(pk=sid, user_id=uid), 2)
    assert rows.find(ivans.pk, cast.ivan.pk) == ivans
    assert rows.find(ivans.pk, cast.anna.pk) is None
    assert rows.find(cast.ivan.pk, ivans.pk) is None


@pytest.mark.django_db
def test_one_row_of_a_statement_for_any(cast: Cast) -> None:
    first, second = cast.object(), cast.object()
    rows = json_rows(type(first).objects.filter(pk=ANY_ID), lambda _: [], tell=("address",))
    for record in (first, second, first):
        found = rows.fetch_one(record.pk)
        assert found is not None
        assert found.values == (record.address,)
    assert rows.fetch_one(uuid4()) is None
    assert rows.fetch() == []
    nothing = json_rows(type(first).objects.none(), lambda _: [])
    assert (nothing.fetch(), nothing.fetch_one(first.pk)) == ([], None)


@pytest.fixture
def ivan(transactional_db: None, cast: Cast) -> Iterator[APIClient]:
    """Ivan's client, outside of any transaction, as in production."""
    yield cast.api(cast.ivan)
    connection.close()


@pytest.mark.postgresql_only
@pytest.mark.parametrize("killed", ["backend", "socket"])
def test_a_dead_connection_is_replaced_by_the_first_question(ivan: APIClient, killed: str) -> None:
    assert ivan.get("/api/v1/objects").status_code == 200
    if killed == "socket":
        connection.connection.close()
    else:
        dead = connection.connection.info.backend_pid
        other = connection.copy()
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s)", [dead])
        other.close()
    # As Django does at each request's beginning.
    connection.health_check_done = False
    with CaptureQueriesContext(connection) as asked:
        assert ivan.get("/api/v1/objects").status_code == 200
    assert not [query for query in asked if query["sql"] == "SELECT 1"]


def test_a_living_connection_is_not_asked_twice(transactional_db: None) -> None:
    connection.ensure_connection()
    asked = []

    def ask() -> None:
        asked.append(1)
        raise OperationalError

    connection.health_check_done = False
    with pytest.raises(OperationalError):
        asked_first(ask)
    assert asked == [1]
