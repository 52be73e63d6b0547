"""Visits planned for many objects at once, and what can be done to many visits. Importing registers it."""

import hashlib
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from django import forms
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backoffice.bulk import actions, deleting
from crm.backoffice.bulk.actions import Batch, BulkAction
from crm.backoffice.bulk.fields import day_field, hour_field, local_moment, person_field
from crm.backoffice.bulk.forms import BulkForm
from crm.editing import Changes
from crm.editing_many import Tally, edit_many, insert_many, locked_many
from crm.errors import CallerError, Invalid, NotFound
from crm.references import References
from crm.users.models import User
from objects.models import Object
from visits import rules
from visits.models import Visit
from visits.rules import REFUSALS
from visits.services import VISITS
from visits.transitions import VisitStatus

# When a day's work begins, where no time is given.
MORNING: Final = time(9)
FURTHEST: Final = timedelta(days=5 * 366)


def refuse_past(form: BulkForm, moment: datetime) -> None:
    """Nobody plans the past, nor what nobody now working here will see."""
    if moment < timezone.now() - timedelta(days=1):
        form.add_error("day", _("This day is over."))
    elif moment > timezone.now() + FURTHEST:
        form.add_error("day", _("This day is too far away."))


# --- planning visits of objects -------------------------------------------------------------------


class PlanForm(BulkForm):
    """Who goes, and when."""

    def ask(self) -> None:
        self.fields["engineer"] = person_field(
            Visit, "engineer", reader=self.reader, label=_("Engineer")
        )
        self.fields["day"] = day_field(_("Day"))
        self.fields["hour"] = hour_field(
            _("Time"), required=False, help_text=_("In local time; 9:00 when left out.")
        )
        self.fields["skip"] = forms.BooleanField(
            label=_("Leave out objects that already have a planned visit"),
            required=False,
            initial=True,
        )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("day"):
            refuse_past(self, local_moment(found["day"], found.get("hour"), MORNING))
        return found

    def kept(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {
            "engineer": str(data["engineer"].pk),
            "at": local_moment(data["day"], data.get("hour"), MORNING).isoformat(),
            "skip": bool(data.get("skip")),
        }


def plan(batch: Batch) -> Tally:
    """A visit to each of the objects. Its id follows from the job and the object: never a second one."""
    tally = Tally()
    homes = locked_many(Object, list(batch.bases), actor=batch.actor)
    refs = References(batch.actor)
    engineer = UUID(batch.params["engineer"])
    refs.fetch(User, {engineer})
    for home in homes.values():
        refs.put(home)
    busy = planned_already(homes) if batch.params["skip"] else set()
    known = made_before(batch, homes)
    drafts: list[Any] = []
    for pk in batch.bases:
        try:
            if pk not in homes:
                raise NotFound
            if pk in known:
                # By an attempt of this job whose word of it was lost.
                tally.done.append(pk)
                continue
            if pk in busy:
                tally.unchanged.append(pk)
                continue
            values = {
                "id": visit_id(batch.job, pk),
                "object_id": pk,
                "engineer_id": engineer,
                "scheduled_at": parse_datetime(batch.params["at"]),
            }
            drafts.append(rules.new_visit(values, refs=refs))
        except CallerError as error:
            tally.refused.append((pk, error))
    written = Tally()
    insert_many(Visit, drafts, actor=batch.actor, refusals=REFUSALS, tally=written)
    place = {draft.pk: draft.object_id for draft in drafts}
    tally.done += [place[one] for one in written.done]
    tally.refused += [(place[one], error) for one, error in written.refused]
    return tally


def planned_already(homes: dict[UUID, Any]) -> set[UUID]:
    """The objects with a visit that is still to take place."""
    rows = Visit.objects.live().filter(object_id__in=list(homes), status=VisitStatus.PLANNED)
    return set(rows.values_list("object_id", flat=True))


def made_before(batch: Batch, homes: dict[UUID, Any]) -> set[UUID]:
    """The objects whose visit by this job is there."""
    ids = {visit_id(batch.job, pk): pk for pk in homes}
    rows = Visit._base_manager.filter(pk__in=list(ids)).values_list("pk", flat=True)
    return {ids[one] for one in rows}


def visit_id(job: UUID, home: UUID) -> UUID:
    """A UUIDv7 (RFC 9562, 5.7) with the job's time, whose random part follows from job and object."""
    digest = hashlib.sha256(job.bytes + home.bytes).digest()[:10]
    raw = int.from_bytes(job.bytes[:6] + digest)
    version, variant = 0x7 << 76, 0x2 << 62
    return UUID(int=(raw & ~(0xF << 76) & ~(0x3 << 62)) | version | variant)


actions.add(
    BulkAction(
        name="visits.plan",
        model=Object,
        title=gettext_lazy("Plan visits"),
        button=gettext_lazy("Plan"),
        explains=gettext_lazy("One visit for each object. The engineer sees them on their phone."),
        form=PlanForm,
        work=plan,
    )
)


# --- visits ---------------------------------------------------------------------------------------


def edit_visits(batch: Batch, values: Any) -> Tally:
    """The same edit of many visits, by the rule of a single one."""
    refs = References(batch.actor)
    return edit_many(
        Visit,
        batch.bases,
        actor=batch.actor,
        values=values,
        rule=lambda record, asked: rules.visit_edit(record, asked, refs=refs),
        refusals=REFUSALS,
    )


def only_planned(record: Visit) -> None:
    """Raise Invalid for a visit that has begun, or is over: what happened is not planned anew."""
    if record.status != VisitStatus.PLANNED:
        raise Invalid(
            {},
            _("The visit is not planned any more: %(status)s.")
            % {"status": record.get_status_display()},
        )


class EngineerForm(BulkForm):
    """Who goes instead."""

    def ask(self) -> None:
        self.fields["engineer"] = person_field(
            Visit, "engineer", reader=self.reader, label=_("Engineer")
        )


def reassign(batch: Batch) -> Tally:
    """Give planned visits to another engineer."""
    engineer = UUID(batch.params["engineer"])

    def values(record: Visit) -> Changes:
        only_planned(record)
        return {"engineer_id": engineer}

    return edit_visits(batch, values)


class MoveForm(BulkForm):
    """To which day; each visit keeps its time of day unless one is given."""

    def ask(self) -> None:
        self.fields["day"] = day_field(_("New day"))
        self.fields["hour"] = hour_field(
            _("Time"),
            required=False,
            help_text=_("Each visit keeps its time when this is left empty."),
        )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if found.get("day"):
            refuse_past(self, local_moment(found["day"], found.get("hour"), MORNING))
        return found

    def kept(self) -> dict[str, Any]:
        return {**super().kept(), "zone": timezone.get_current_timezone_name()}


def move(batch: Batch) -> Tally:
    """Move planned visits to another day."""
    form = MoveForm(batch.params, reader=batch.actor)
    day = form.fields["day"].clean(batch.params["day"])
    hour = form.fields["hour"].clean(batch.params.get("hour"))

    def values(record: Visit) -> Changes:
        only_planned(record)
        local = timezone.localtime(record.scheduled_at) if record.scheduled_at else None
        usual = local.time().replace(tzinfo=None) if local else MORNING
        return {"scheduled_at": local_moment(day, hour, usual)}

    with timezone.override(batch.params["zone"]):
        return edit_visits(batch, values)


def cancel(batch: Batch) -> Tally:
    """The visits do not take place."""

    def values(record: Visit) -> Changes:
        if record.status == VisitStatus.DONE:
            # Said here in words; the rule would name the codes.
            raise Invalid({}, _("The visit has taken place already."))
        return {"status": VisitStatus.CANCELLED.value}

    return edit_visits(batch, values)


actions.add(
    BulkAction(
        name="visits.reassign",
        model=Visit,
        title=gettext_lazy("Give to another engineer"),
        button=gettext_lazy("Reassign"),
        explains=gettext_lazy("Only planned visits: what has begun stays with whoever began it."),
        form=EngineerForm,
        work=reassign,
    )
)
actions.add(
    BulkAction(
        name="visits.move",
        model=Visit,
        title=gettext_lazy("Move to another day"),
        button=gettext_lazy("Move"),
        explains=gettext_lazy("Only planned visits."),
        form=MoveForm,
        work=move,
    )
)
actions.add(
    BulkAction(
        name="visits.cancel",
        model=Visit,
        title=gettext_lazy("Cancel visits"),
        button=gettext_lazy("Cancel the visits"),
        explains=gettext_lazy("Finished visits stay as they are."),
        work=cancel,
        danger=True,
    )
)
deleting.add(Visit, VISITS)
