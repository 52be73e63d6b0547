"""What the reference client once got wrong, each by itself; the state machine hunts for more."""

from typing import Any

import pytest

from crm.deletion import restore_record
from objects.models import Object
from objects.services import delete_object
from sync.epoch import begin_epoch
from tests.cast import Cast
from tests.sync.pocket import UNANSWERED, Pocket, shown_by_the_api

pytestmark = pytest.mark.django_db(transaction=True)


def holds_what_the_api_shows(pocket: Pocket) -> None:
    assert pocket.pull()
    assert pocket.records() == shown_by_the_api(pocket)


def test_a_lost_answer_that_comes_late_raises_nothing_deleted(cast: Cast) -> None:
    pocket = Pocket(cast, cast.ivan)
    house = pocket.phone.create("objects", address="ул. Ёлочная, д. 5")
    pocket.push(weather=[UNANSWERED])
    delete_object(actor=cast.anna, record_id=house)
    holds_what_the_api_shows(pocket)
    pocket.push()
    assert pocket.results[-1]["replayed"]
    assert pocket.outbox() == []
    holds_what_the_api_shows(pocket)


def test_a_record_whose_answer_was_lost_stays_in_sight_until_it_is_pulled(cast: Cast) -> None:
    pocket = Pocket(cast, cast.ivan)
    pocket.pull()
    house = pocket.phone.create("objects", address="ул. Ёлочная, д. 5")
    pocket.push(weather=[UNANSWERED])
    pocket.push()
    assert pocket.phone.show("objects")[house]["address"] == "ул. Ёлочная, д. 5"
    pocket.phone.edit("objects", house, status="INTEREST")
    assert pocket.push(strategy="reject")
    assert pocket.phone.refused() == []
    holds_what_the_api_shows(pocket)
    assert Object.objects.get().status == "INTEREST"


def test_a_deletion_answered_late_spares_what_was_restored(cast: Cast) -> None:
    house = cast.object()
    pocket = Pocket(cast, cast.sergei)
    pocket.pull()
    pocket.phone.delete("objects", str(house.pk))
    pocket.push(weather=[UNANSWERED])
    restore_record(Object, house.pk, actor=cast.anna)
    holds_what_the_api_shows(pocket)
    pocket.push()
    assert pocket.results[-1]["replayed"]
    holds_what_the_api_shows(pocket)
    assert str(house.pk) in pocket.phone.show("objects")


def test_an_edit_that_changed_nothing_leaves_the_copy_as_it_was(cast: Cast) -> None:
    """The number as it is typed, or a field that only old apps know: neither is what the server shows."""
    house = cast.object(contact_phone="+79031112233")
    pocket = Pocket(cast, cast.ivan)
    pocket.pull()
    pocket.phone.edit("objects", str(house.pk), contact_phone="8 903 111-22-33", colour="red")
    pocket.push()
    assert pocket.results[-1]["status"] == "updated"
    holds_what_the_api_shows(pocket)


def test_what_was_saved_and_lost_before_a_first_pull_does_not_stay(cast: Cast) -> None:
    """A first pull tells of no deletions: whatever it does not bring is not to be held."""
    far = cast.object(district=cast.north)
    visit = cast.visit(far, cast.ivan)
    pocket = Pocket(cast, cast.ivan)
    pocket.pull()
    pocket.phone.remember("cursor", "no cursor")
    pocket.pull(weather=["fine", "lost"])
    assert pocket.reasons == ["format"]
    pocket.phone.edit("visits", str(visit.pk), status="CANCELLED")
    pocket.push()
    assert pocket.results[-1]["status"] == "updated"
    holds_what_the_api_shows(pocket)
    assert pocket.records() == {}


def test_a_server_that_always_asks_to_start_over_is_not_asked_for_ever(cast: Cast) -> None:
    for _ in range(3):
        cast.object()
    pocket = Pocket(cast, cast.ivan)
    holds_what_the_api_shows(pocket)
    pocket.phone.create("objects", address="ул. Ёлочная, д. 5")
    waiting, calm = pocket.outbox(), pocket.phone.request

    def another_life_each_time(*arguments: Any) -> Any:
        begin_epoch()
        return calm(*arguments)

    pocket.phone.request = another_life_each_time
    for _ in range(3):
        # A first page comes; but the life that it is of is over when the second one is asked for.
        assert not pocket.pull(page=1)
        assert pocket.asked <= 4
        assert pocket.outbox() == waiting
    assert set(pocket.reasons) == {"epoch"}
    pocket.phone.request = calm
    assert pocket.push()
    holds_what_the_api_shows(pocket)
    assert Object.objects.count() == 4
    told = len(pocket.reasons)
    holds_what_the_api_shows(pocket)
    assert len(pocket.reasons) == told
