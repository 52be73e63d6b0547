"""Phones and an office that do what they like: after each complete pull a phone holds exactly what it should.

`MACHINE_EXAMPLES=500 pytest --hypothesis-seed=7 tests/sync/test_state_machine.py` hunts for longer.
"""

import os
from typing import Any
from uuid import UUID

import pytest
from django.core.management import call_command
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from crm.users.models import User
from sync.cleanup import forget_deletions
from sync.entities import TABLES
from tests import cast as stage
from tests.sync.office import Office
from tests.sync.pocket import FINE, LOST, UNANSWERED, Pocket, shown_by_the_api, written_by_the_api
from tests.sync.sight import Sight
from tests.sync.typist import Typist, content

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLES = int(os.environ.get("MACHINE_EXAMPLES", "25"))
STEPS = int(os.environ.get("MACHINE_STEPS", "30"))

# Two engineers, a supervisor and the administrator.
OWNERS = ("ivan", "pyotr", "sergei", "anna")
HIRED = ("ivan", "pyotr")

# Records are counted from the latest: what is in motion is what comes in each other's way.
recent = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 5, 8])
numbers = st.integers(0, 4)
# Into the district of who pulls most, and out of it.
places = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4])
workers = st.sampled_from([0, 0, 0, 1, 2, 3])
actors = st.sampled_from([0, 0, 1])
owners = st.sampled_from(["ivan", "ivan", "ivan", "pyotr", "sergei", "anna"])
hired = st.sampled_from(HIRED)
tables = st.sampled_from(TABLES)
hanging = st.sampled_from(TABLES[1:])
statuses = st.sampled_from(["PLANNED", "PLANNED", "IN_PROGRESS", "DONE", "CANCELLED"])
roles = st.sampled_from(["ENGINEER", "ENGINEER", "SUPERVISOR", "ADMIN"])
weathers = st.lists(st.sampled_from([FINE, LOST, UNANSWERED, UNANSWERED]), max_size=3)
strategies = st.sampled_from(
    [{"strategy": "merge"}, {"strategy": "reject"}, {"strategy": "force"}, {"force": True}]
)


def acts(*weighed: tuple[Any, ...]) -> st.SearchStrategy[tuple[Any, ...]]:
    """One of the acts, given as (weight, name, strategies of the arguments): (name, arguments)."""
    return st.one_of(
        [
            st.tuples(st.just(name), *given)
            for weight, name, *given in weighed
            for _ in range(weight)
        ]
    )


# One rule chooses among all of them: of several rules Hypothesis leaves most out in each example, and then
# either nobody writes or nobody pulls.
ACTS = acts(
    (16, "a_phone_pulls", owners, weathers, st.sampled_from([1, 2, 5, 1000])),
    (2, "somebody_creates_an_object", actors, numbers, st.none() | workers),
    (3, "somebody_adds", actors, st.sampled_from(["units", "customers"]), recent),
    (4, "a_visit_is_planned", actors, recent, workers, statuses),
    (3, "somebody_edits", actors, tables, recent, numbers),
    (6, "an_object_moves", recent, places),
    (4, "somebody_is_made_responsible", actors, recent, st.none() | workers),
    (3, "a_visit_is_reassigned", actors, recent, workers),
    (4, "a_visit_goes_on", actors, recent, statuses),
    (2, "a_visit_moves_to_another_object", actors, recent, recent),
    (4, "somebody_deletes", actors, tables, recent),
    (4, "the_administrator_restores", tables, recent),
    (1, "everything_moves_at_once", numbers, numbers),
    (1, "all_work_is_handed_over", workers, workers),
    (1, "somebody_gets_another_role_or_place", hired, st.none() | numbers, roles),
    (1, "the_supervisor_gets_another_place", st.none() | numbers),
    (1, "somebody_is_let_go_or_comes_back", hired, st.booleans()),
    (1, "old_deletions_are_forgotten", recent),
    (1, "the_feed_may_begin_a_new_life", numbers),
    (4, "somebody_types_a_house", owners, st.integers(0, 15)),
    (6, "somebody_types_something_of_a_house", owners, hanging, recent, statuses),
    (10, "somebody_types_an_edit", owners, tables, recent, numbers, st.booleans()),
    (3, "somebody_types_a_deletion", owners, tables, recent),
    (2, "somebody_looks_at_what_was_refused", owners, st.booleans()),
    (12, "a_phone_pushes", owners, weathers, strategies, st.sampled_from([2, 200])),
)


class Machine(RuleBasedStateMachine):
    """Each example begins on empty ground."""

    def __init__(self) -> None:
        super().__init__()
        call_command("flush", verbosity=0, interactive=False, inhibit_post_migrate=True)
        self.cast = stage.everybody()
        self.office = Office(self.cast)
        self.office.wrote = self.look
        self.pockets = {
            name: Pocket(self.cast, getattr(self.cast, name), seed=seed)
            for seed, name in enumerate(OWNERS)
        }
        for pocket in self.pockets.values():
            pocket.may_know, pocket.after_push = set(), self.look
            pocket.secrets = self.office.secrets
        self.moments = [timezone.now()]
        self.typists = {name: Typist(pocket, self.office) for name, pocket in self.pockets.items()}
        self.looked_at: set[UUID] = set()
        for district in (self.cast.centre, self.cast.north):
            self.office.settle(district)
        self.look()
        # Who begins with a copy has something to lose.
        for name in ("ivan", "sergei"):
            self.pull_to_the_end(self.pockets[name], 1000)

    def look(self) -> None:
        """What anybody can see now, their phone may hear of for ever; of visits that were theirs, too."""
        sight = Sight(self.looked_at)
        people = {user.pk: user for user in User.objects.all()}
        for pocket in self.pockets.values():
            assert pocket.may_know is not None
            person = people[pocket.user.pk]
            pocket.may_know |= sight.of(person) | sight.given_to(person)

    @rule(act=ACTS)
    def next(self, act: tuple[Any, ...]) -> None:
        self.moments.append(timezone.now())
        name, *given = act
        getattr(self, name)(*given)

    # --- the office ---

    def somebody_creates_an_object(self, actor: int, place: int, worker: int | None) -> None:
        self.office.create_object(actor, place, worker)

    def somebody_adds(self, actor: int, table: str, parent: int) -> None:
        self.office.hang(actor, table, parent)

    def a_visit_is_planned(self, actor: int, parent: int, worker: int, status: str) -> None:
        self.office.plan(actor, parent, worker, status)

    def somebody_edits(self, actor: int, table: str, number: int, what: int) -> None:
        self.office.edit(actor, table, number, content(self.office, table, what, {}))

    def an_object_moves(self, number: int, place: int) -> None:
        self.office.edit(0, "objects", number, self.office.place(place))

    def somebody_is_made_responsible(self, actor: int, number: int, worker: int | None) -> None:
        whose = None if worker is None else self.office.worker(worker)
        self.office.edit(actor, "objects", number, {"responsible_user_id": whose})

    def a_visit_is_reassigned(self, actor: int, number: int, worker: int) -> None:
        self.office.edit(actor, "visits", number, {"engineer_id": self.office.worker(worker)})

    def a_visit_goes_on(self, actor: int, number: int, status: str) -> None:
        self.office.edit(actor, "visits", number, {"status": status, "outcome_text": "Решили"})

    def a_visit_moves_to_another_object(self, actor: int, number: int, parent: int) -> None:
        place = self.office.pick("objects", parent)
        if place is not None:
            self.office.edit(actor, "visits", number, {"object_id": place})

    def somebody_deletes(self, actor: int, table: str, number: int) -> None:
        self.office.delete(actor, table, number)

    def the_administrator_restores(self, table: str, number: int) -> None:
        self.office.restore(table, number)

    def everything_moves_at_once(self, source: int, there: int) -> None:
        self.office.move_all(source, there)

    def all_work_is_handed_over(self, source: int, heir: int) -> None:
        if User.objects.get(pk=self.office.worker(heir)).is_active:
            self.office.hand_over_all(source, heir)

    def somebody_gets_another_role_or_place(self, name: str, place: int | None, role: str) -> None:
        where = (
            {"city_id": None, "district_id": None} if place is None else self.office.place(place)
        )
        self.office.change_person(getattr(self.cast, name), {"role": role, **where})

    def the_supervisor_gets_another_place(self, place: int | None) -> None:
        where = (
            {"city_id": None, "district_id": None} if place is None else self.office.place(place)
        )
        self.office.change_person(self.cast.sergei, where)

    def somebody_is_let_go_or_comes_back(self, name: str, active: bool) -> None:
        was = User.objects.get(pk=self.pockets[name].user.pk).is_active
        self.office.change_person(self.pockets[name].user, {"is_active": active})
        if active and not was:
            self.pockets[name].log_in()

    def old_deletions_are_forgotten(self, number: int) -> None:
        forget_deletions(self.moments[-1 - number % len(self.moments)])

    def the_feed_may_begin_a_new_life(self, number: int) -> None:
        if number == 0:
            call_command("sync_new_epoch", verbosity=0)

    # --- what people type ---

    def somebody_types_a_house(self, owner: str, parts: int) -> None:
        # An engineer's own place is the default; the administrator has none.
        where = {} if owner in HIRED else self.office.place(parts % 3)
        self.typists[owner].house(parts, where)

    def somebody_types_something_of_a_house(
        self, owner: str, table: str, parent: int, status: str
    ) -> None:
        self.typists[owner].something_of_a_house(table, parent, status)

    def somebody_types_an_edit(
        self, owner: str, table: str, number: int, what: int, stale: bool
    ) -> None:
        self.typists[owner].edit(table, number, what, stale=stale)

    def somebody_types_a_deletion(self, owner: str, table: str, number: int) -> None:
        self.typists[owner].deletion(table, number)

    def somebody_looks_at_what_was_refused(self, owner: str, insist: bool) -> None:
        self.typists[owner].look_at_what_was_refused(insist=insist)

    # --- what phones do ---

    def a_phone_pushes(
        self, owner: str, weather: list[str], strategy: dict[str, Any], batch: int
    ) -> None:
        self.pockets[owner].push(batch=batch, weather=weather, **strategy)

    def a_phone_pulls(self, owner: str, weather: list[str], page: int) -> None:
        pocket = self.pockets[owner]
        if not weather:
            self.pull_to_the_end(pocket, page)
        elif pocket.pull(page=page, weather=weather):
            self.compare(pocket)

    # --- what must hold ---

    def pull_to_the_end(self, pocket: Pocket, page: int) -> None:
        """In fine weather only somebody who was let go cannot pull."""
        if pocket.pull(page=page):
            self.compare(pocket)
        else:
            assert not User.objects.get(pk=pocket.user.pk).is_active

    def compare(self, pocket: Pocket) -> None:
        """The phone holds exactly what its person may see, as the API shows it."""
        held, user = pocket.records(), User.objects.get(pk=pocket.user.pk)
        assert held.keys() == Sight().of(user)
        assert held == written_by_the_api(user)

    def teardown(self) -> None:
        for name, pocket in self.pockets.items():
            if name in HIRED:
                self.somebody_is_let_go_or_comes_back(name, active=True)
            pocket.push()
            self.pull_to_the_end(pocket, 7)
            assert pocket.records() == shown_by_the_api(pocket)


def test_phones_hold_exactly_what_their_people_may_see(db: None) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize="MACHINE_EXAMPLES" not in os.environ,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=False,
        ),
    )
