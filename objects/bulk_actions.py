"""What can be done to many objects or units of a list at once. Importing registers it."""

from typing import Any, Final
from uuid import UUID

from django import forms
from django.http import HttpRequest, JsonResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.backoffice import pages
from crm.backoffice.bulk import actions, deleting
from crm.backoffice.bulk.actions import Batch, BulkAction
from crm.backoffice.bulk.fields import choice_field, person_field
from crm.backoffice.bulk.forms import BulkForm
from crm.backoffice.fields import ReferenceField, ReferenceWidget
from crm.editing import Changes
from crm.editing_many import Tally, edit_many
from crm.references import References
from crm.searching import matching
from crm.users.models import User
from crm.users.roles import Role
from objects import rules
from objects.models import Object, ObjectStatus, Unit
from objects.services import OBJECT_REFUSALS, OBJECTS, UNITS

OFFERED: Final = 20


def edit_objects(batch: Batch, changes: Changes) -> Tally:
    """The same edit of many objects, by the rule of a single one."""
    refs = References(batch.actor)
    return edit_many(
        Object,
        batch.bases,
        actor=batch.actor,
        values=lambda _record: dict(changes),
        rule=lambda record, asked: rules.object_edit(record, asked, refs=refs),
        refusals=OBJECT_REFUSALS,
    )


# --- who is responsible ---------------------------------------------------------------------------


class AssignForm(BulkForm):
    """Who is to be responsible; nobody is an answer too."""

    def ask(self) -> None:
        self.fields["person"] = person_field(
            Object,
            "responsible_user",
            reader=self.reader,
            label=_("Responsible person"),
            required=False,
        )
        self.fields["nobody"] = forms.BooleanField(
            label=_("Nobody: take the responsible person away"), required=False
        )

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        if bool(found.get("person")) == bool(found.get("nobody")) and "person" not in self.errors:
            self.add_error("person", _("Choose a person, or nobody."))
        return found


def assign(batch: Batch) -> Tally:
    """Make one person responsible for all of them."""
    person = batch.params.get("person")
    return edit_objects(batch, {"responsible_user_id": UUID(person) if person else None})


actions.add(
    BulkAction(
        name="objects.assign",
        model=Object,
        title=gettext_lazy("Assign a responsible person"),
        button=gettext_lazy("Assign"),
        explains=gettext_lazy("The person sees the objects on their phone, wherever these lie."),
        form=AssignForm,
        work=assign,
    )
)


# --- handing over to a supervisor -----------------------------------------------------------------


def reachable(user: User) -> Any:
    """Supervisors who could take what the reader sees."""
    if user.city_id is None:
        return User.objects.active().filter(role=Role.SUPERVISOR)
    return User.objects.supervisors_for(user.city_id)


@pages.page("bulk/supervisors/", name="bulk_supervisors", title=gettext_lazy("Supervisors"))
def supervisors(request: HttpRequest) -> JsonResponse:
    """What the select box below asks: supervisors by name."""
    term = request.GET.get("term", "").replace("\x00", "")[:100]
    rows = reachable(pages.reader(request)).filter(matching("search_text", term, private=False))
    rows = rows.select_related("city").order_by("full_name", "pk")[:OFFERED]
    found = [{"id": str(one.pk), "text": supervisor_text(one)} for one in rows]
    return JsonResponse({"results": found, "pagination": {"more": False}})


def supervisor_text(user: User) -> str:
    """A supervisor in the select box."""
    return f"{user.full_name} — {user.city.name if user.city else _('whole company')}"


class SupervisorWidget(ReferenceWidget):
    """Loads supervisors, those of the whole company too, whom a supervisor does not see otherwise."""

    def get_url(self) -> str:
        return reverse("admin:bulk_supervisors")


class DelegateForm(BulkForm):
    """To whom."""

    def ask(self) -> None:
        field: Any = Object._meta.get_field("responsible_user")
        self.fields["supervisor_id"] = ReferenceField(
            reachable(self.reader),
            current=None,
            text=supervisor_text,
            label=_("Supervisor"),
            widget=SupervisorWidget(field),
        )


def delegate(batch: Batch) -> Tally:
    """Hand all of them over to a supervisor, as `delegate_object` does."""
    supervisor = UUID(batch.params["supervisor_id"])
    known: dict[UUID, bool] = {}
    return edit_many(
        Object,
        batch.bases,
        actor=batch.actor,
        values=lambda _record: {"responsible_user_id": supervisor},
        rule=lambda record, _asked: rules.delegation(
            record, supervisor, actor=batch.actor, known=known
        ),
        refusals=OBJECT_REFUSALS,
    )


actions.add(
    BulkAction(
        name="objects.delegate",
        model=Object,
        title=gettext_lazy("Delegate to a supervisor"),
        button=gettext_lazy("Delegate"),
        explains=gettext_lazy(
            "Only to a supervisor of the object's city, or of the whole company."
        ),
        form=DelegateForm,
        work=delegate,
    )
)


# --- status ---------------------------------------------------------------------------------------


class StatusForm(BulkForm):
    """Which one."""

    def ask(self) -> None:
        self.fields["status"] = choice_field(_("New status"), ObjectStatus.choices)


def change_status(batch: Batch) -> Tally:
    """Give all of them a status."""
    return edit_objects(batch, {"status": batch.params["status"]})


actions.add(
    BulkAction(
        name="objects.status",
        model=Object,
        title=gettext_lazy("Change the status"),
        button=gettext_lazy("Change"),
        form=StatusForm,
        work=change_status,
    )
)

deleting.add(
    Object,
    OBJECTS,
    along=gettext_lazy(
        "Their units, customers and visits go along. They disappear from every list and from the phones of"
        " engineers. An administrator can bring them back."
    ),
)
deleting.add(Unit, UNITS)
