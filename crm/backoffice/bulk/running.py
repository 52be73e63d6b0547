"""How a job over many records is done: batch by batch, each exactly once.

A batch's rows, and how far the job has come, are one transaction. Killed between two batches or in the middle
of one, the job goes on where it stopped. The condition that the job still is this attempt's is part of it:
cancelled or taken over, the batch is rolled back.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from crm.backoffice.bulk import choice
from crm.backoffice.bulk.actions import Batch, BulkAction, action_of
from crm.backoffice.models import BulkJob
from crm.backoffice.seats import admits
from crm.editing import StaleRecord
from crm.editing_many import Moved, Tally
from crm.errors import CallerError, Invalid, NotFound
from crm.jobs import inprocess, kinds, queue, running
from crm.jobs.attempts import Attempt
from crm.jobs.failures import Failure, Stopped
from crm.users.models import User

# Up to so many are done while the person waits.
AT_ONCE: Final = 200
# Of what could not be done, so many are listed; the rest is only counted.
LISTED: Final = 1000
TRIES: Final = 3


def start(
    *,
    actor: User,
    action: BulkAction,
    params: Mapping[str, Any],
    told: Sequence[Any],
    chosen: bytes,
) -> BulkJob:
    """Have it done: at once when there are few rows, by a worker when there are many.

    told: the parameters in words. Not inside a transaction. Raises Unavailable when the queue is away.
    """
    job = BulkJob(
        owner=actor,
        action=action.name,
        params={"values": dict(params), "told": list(told)},
        chosen=chosen,
        number=choice.size_of(chosen),
    )
    if job.number > AT_ONCE:
        queue.put(job)
        return job
    return at_once(job)


def at_once(job: BulkJob) -> BulkJob:
    """Do a new job here and now. What fails for the moment is left to the others."""
    job.language = get_language() or settings.LANGUAGE_CODE
    job.remember_origin()
    queue.insert(job)
    running.perform(kinds.kind_of(job._meta.label), job.pk)
    job.refresh_from_db()
    if not job.has_ended:
        inprocess.wake()
    return job


def again(job: BulkJob, *, actor: User) -> BulkJob:
    """A new job for the rows that a failed or cancelled one did not come to."""
    rest = choice.rest_of(bytes(job.chosen), job.position)
    return start(
        actor=actor,
        action=action_of(job.action),
        params=job.params["values"],
        told=job.params["told"],
        chosen=rest,
    )


def work(job: BulkJob, attempt: Attempt) -> Mapping[str, Any]:
    """Do it, from where it stopped. See crm.jobs.kinds.Kind."""
    try:
        action = action_of(job.action)
    except KeyError:
        raise Failure(_("There is no such action any more."), again=False) from None
    stored = bytes(job.chosen)
    position = job.position
    attempt.expect(job.number)
    attempt.progress(position)
    while position < job.number:
        bases = choice.slice_of(stored, position, action.batch)
        position += len(bases)
        do_batch(job, action, attempt, bases, position)
        attempt.progress(position)
    return {}


def do_batch(
    job: BulkJob, action: BulkAction, attempt: Attempt, bases: Mapping[Any, int], position: int
) -> None:
    """One batch with the note of it, in one transaction."""
    for last in (*([False] * (TRIES - 1)), True):
        try:
            with transaction.atomic():
                actor = acting(job, action)
                tally = action.work(Batch(job.pk, actor, job.params.get("values", {}), bases))
                noted = note(job, attempt, tally, position)
        except Moved:
            if last:
                raise
        else:
            for name, value in noted.items():
                setattr(job, name, value)
            return


def acting(job: BulkJob, action: BulkAction) -> User:
    """The owner as they are at this moment. Raises Failure when they may not do it any more."""
    actor: User = User.objects.select_related("city").get(pk=job.owner_id)
    if not (actor.is_active and admits(actor) and action.allowed(actor)):
        raise Failure(_("Your role does not allow this any more."), again=False)
    return actor


def note(job: BulkJob, attempt: Attempt, tally: Tally, position: int) -> dict[str, Any]:
    """Write down how far the job has come. Raises Stopped when it is not this attempt's any more."""
    room = max(0, LISTED - len(job.problems))
    problems = [
        *job.problems,
        *({"id": str(pk), "why": said(error)} for pk, error in tally.refused[:room]),
    ]
    values: dict[str, Any] = {
        "position": position,
        "changed": job.changed + len(tally.done),
        "unchanged": job.unchanged + len(tally.unchanged),
        "refused": job.refused + len(tally.refused),
    }
    if tally.refused and room:
        values["problems"] = problems
    held = BulkJob.objects.filter(pk=job.pk).held_by(attempt.run)
    if not held.update(**values):
        raise Stopped
    return values


def said(error: CallerError) -> str:
    """Why a record could not be done, for its reader."""
    if isinstance(error, StaleRecord):
        return _("Somebody changed this record in the meantime; it was left as it is.")
    if isinstance(error, NotFound):
        return _("There is no such record any more, or you cannot see it.")
    if isinstance(error, Invalid) and error.fields:
        # The columns' names say nothing to people.
        return " ".join(str(one) for said in error.fields.values() for one in said)
    return str(error.message)
