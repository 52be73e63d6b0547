"""Counters and the ledger of sight equal what the live visits say, whoever writes and how many at once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from crm.ids import uuid7
from objects.access import ObjectAccess
from objects.models import Object
from tests.cast import Cast
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)

DONE = {"status": "DONE", "outcome_text": "Подключили"}


def check(cast: Cast) -> None:
    """Compare every counter and ledger row with the truth."""
    for record in Object.objects.all():
        done = Visit.objects.filter(object=record, status="DONE", deleted_at__isnull=True)
        last = done.order_by("-finished_at").first()
        assert record.visits_count == done.count()
        assert record.last_visit_at == (last.finished_at if last else None)
        for user in cast.everyone:
            live = Visit.objects.filter(object=record, engineer=user, deleted_at__isnull=True)
            count = live.exclude(status="CANCELLED").count()
            row = ObjectAccess.objects.filter(object=record, user=user).first()
            assert (row.live_visits if row else 0) == count
            assert bool(row and row.responsible) == (record.responsible_user_id == user.pk)


def test_counters_follow_every_way_of_changing_visits(cast: Cast) -> None:
    one, other = cast.object(), cast.object(responsible_user=cast.pyotr)
    customer = cast.customer(one)
    planned = cast.visit(one, cast.ivan)
    check(cast)
    Visit.objects.filter(pk=planned.pk).update(customer=customer, **DONE)
    planned.refresh_from_db()
    assert planned.finished_at is not None
    assert planned.started_at == planned.finished_at
    assert planned.version == 2
    customer.refresh_from_db()
    assert customer.last_interaction_at == planned.finished_at
    assert (customer.version, customer.field_versions) == (1, {})
    check(cast)
    Visit.objects.bulk_create(
        [Visit(object=other, engineer=cast.timur, **DONE) for _ in range(3)]
        + [Visit(object=other, engineer=cast.timur, status="CANCELLED")]
    )
    check(cast)
    Visit.objects.filter(pk=planned.pk).update(status="PLANNED", started_at=None, finished_at=None)
    check(cast)
    Visit.objects.filter(pk=planned.pk).update(object=other, engineer=cast.pyotr, customer=None)
    check(cast)
    Visit.objects.filter(object=other, status="DONE").update(
        deleted_at=timezone.now(), deletion_id=uuid7()
    )
    check(cast)
    Visit.objects.filter(object=other).update(deleted_at=None, deletion_id=None)
    check(cast)
    Object.objects.filter(pk=other.pk).update(responsible_user=cast.ivan)
    check(cast)
    # A really gone row: by psql, or a purge. The product's own code is refused (see below).
    Visit.objects.filter(object=other, engineer=cast.timur)._raw_delete("default")
    check(cast)
    one.refresh_from_db()
    assert (one.version, one.field_versions) == (1, {})


def test_finishing_without_times_sets_both_in_one_version(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    visit.status, visit.outcome_text = "DONE", "Готово"
    visit.save()
    assert visit.version == 2
    fresh = Visit.objects.get(pk=visit.pk)
    assert fresh.finished_at is not None
    assert fresh.started_at == fresh.finished_at
    assert set(fresh.field_versions) == {"status", "outcome_text", "started_at", "finished_at"}


def test_concurrent_completions_are_all_counted(
    cast: Cast, run_together: Callable[..., list[Any]]
) -> None:
    parent = cast.object()
    visits = [cast.visit(parent, cast.ivan) for _ in range(8)]

    def finish(visit: Visit) -> Callable[[], int]:
        return lambda: Visit.objects.filter(pk=visit.pk).update(**DONE)

    assert run_together(*(finish(visit) for visit in visits)) == [1] * 8
    check(cast)
    assert Object.objects.get(pk=parent.pk).visits_count == 8


def test_ledger_positions_move_only_when_sight_begins_or_ends(cast: Cast) -> None:
    parent = cast.object()

    def position() -> int:
        return ObjectAccess.objects.get(object=parent, user=cast.timur).feed_position

    first = cast.visit(parent, cast.timur)
    began = position()
    second = cast.visit(parent, cast.timur)
    Object.objects.filter(pk=parent.pk).update(responsible_user=cast.timur)
    Visit.objects.filter(pk__in=[first.pk, second.pk]).update(status="CANCELLED")
    assert position() == began
    Object.objects.filter(pk=parent.pk).update(responsible_user=None)
    ended = position()
    assert ended > began
    assert not ObjectAccess.objects.objects_seen_by(cast.timur.pk).exists()


def test_no_code_of_ours_deletes_a_row_for_good(cast: Cast) -> None:
    visit = cast.visit(cast.object(), cast.ivan)
    with pytest.raises(TypeError):
        visit.delete()
    with pytest.raises(TypeError):
        Visit.objects.all().delete()
    assert Visit.objects.filter(pk=visit.pk).exists()


@pytest.mark.parametrize("kind", ["unit", "customer", "visit"])
def test_an_object_is_never_deleted_from_over_what_hangs_on_it(cast: Cast, kind: str) -> None:
    parent = cast.object()
    child: Any = cast.visit(parent, cast.ivan) if kind == "visit" else getattr(cast, kind)(parent)
    gone = {"deleted_at": timezone.now(), "deletion_id": uuid7()}
    with pytest.raises(IntegrityError), transaction.atomic():
        Object.objects.filter(pk=parent.pk).update(**gone)
    type(child).objects.filter(pk=child.pk).update(**gone)
    assert Object.objects.filter(pk=parent.pk).update(**gone) == 1
