"""The page that says what will be done to how many, and asks; sent off, it starts the job.

It is an answer of the list itself, so that the rows are those of the list: `visible_to`, its filters, its
search. What was chosen by hand travels in the page, signed, with the versions that were shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core import signing
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.api.listing import by_the_short_road, total_of
from crm.backoffice.bulk import choice, running
from crm.backoffice.bulk.actions import BulkAction, actions_of
from crm.backoffice.errors import OUT_OF_DATE
from crm.editing_many import CHANGED_SINCE, Bases
from crm.errors import CallerError, Invalid, Malformed
from crm.users.models import User

SALT: Final = "crm.backoffice.bulk"
# The page names so many of the chosen.
NAMED: Final = 8


def offered(model: type[Any], reader: User, *, deleted: bool) -> dict[str, Any]:
    """The actions as Django's admin takes them: name → (function, name, title)."""
    return {
        one.name: (asked_by(one), one.name, one.title)
        for one in actions_of(model, reader, deleted=deleted)
    }


def asked_by(action: BulkAction) -> Any:
    """What Django calls with the rows that are chosen."""

    def ask(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse:
        return answer(action, model_admin, request, queryset)

    return ask


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page showed, and when: the rows chosen by hand with their versions; None = all of the list."""

    chosen: Bases | None
    moment: datetime

    def signed(self, action: BulkAction, reader: User) -> str:
        """For travelling in the page."""
        pairs = None if self.chosen is None else [[pk.hex, at] for pk, at in self.chosen.items()]
        told = [action.name, str(reader.pk), self.moment.isoformat(), pairs]
        return signing.dumps(told, salt=SALT, compress=True)

    @classmethod
    def read(cls, raw: str, action: BulkAction, reader: User) -> "Seen":
        """Raises Malformed for what this person's page of this action did not hold."""
        try:
            name, whose, moment, pairs = signing.loads(raw, salt=SALT)
        except (signing.BadSignature, ValueError, TypeError):
            name = whose = moment = pairs = None
        shown = parse_datetime(moment or "")
        if name != action.name or whose != str(reader.pk) or shown is None:
            raise Malformed(OUT_OF_DATE)
        return cls(None if pairs is None else {UUID(hex=pk): at for pk, at in pairs}, shown)


def answer(
    action: BulkAction, model_admin: Any, request: HttpRequest, rows: QuerySet[Any]
) -> HttpResponse:
    """Ask; or, when that was answered, do it."""
    reader: User = request.user  # type: ignore[assignment]
    seen, form, refusal = None, action.form(reader=reader), None
    if "seen" in request.POST:
        seen = Seen.read(request.POST["seen"], action, reader)
        form = action.form(request.POST, reader=reader)
        if form.is_valid():
            try:
                return begun(action, form, seen, rows, reader)
            except CallerError as error:
                refusal = error
    if seen is None:
        seen = look(request, rows)
    return page(action, model_admin, request, rows, seen=seen, form=form, refusal=refusal)


def look(request: HttpRequest, rows: QuerySet[Any]) -> Seen:
    """The rows as they are shown now."""
    if request.POST.get("select_across", "0") == "1":
        return Seen(None, timezone.now())
    return Seen(dict(rows.order_by().values_list("pk", "version")), timezone.now())


def begun(
    action: BulkAction, form: Any, seen: Seen, rows: QuerySet[Any], reader: User
) -> HttpResponse:
    """Start it, and go to its page. Raises Invalid, Unavailable."""
    chosen = resolved(seen, rows)
    if not chosen:
        raise Invalid({}, nothing_left())
    job = running.start(
        actor=reader,
        action=action,
        params=form.kept(),
        told=form.told(),
        chosen=choice.packed(chosen),
    )
    return HttpResponseRedirect(reverse("admin:job", args=["bulk", job.pk]))


def resolved(seen: Seen, rows: QuerySet[Any]) -> Mapping[UUID, int]:
    """The chosen rows with the versions that they had when the page was shown.

    Of a whole list's rows that moved since, only that is known. Raises Invalid for too many.
    """
    if seen.chosen is not None:
        return seen.chosen
    found = rows.order_by().values_list("pk", "version", "updated_at")[: choice.MOST + 1]
    chosen = {
        pk: CHANGED_SINCE if at > seen.moment else version
        for pk, version, at in found.iterator(chunk_size=5000)
    }
    if len(chosen) > choice.MOST:
        raise Invalid({}, too_many())
    return chosen


def too_many() -> str:
    """Why a list that long cannot be worked on at once."""
    return _("More than %(most)s records at once are too many: narrow the list down.") % {
        "most": f"{choice.MOST:,}".replace(",", " ")
    }


def nothing_left() -> str:
    """Why nothing can be done to rows that are gone, or out of sight by now."""
    return _("There is nothing left to do it to.")


def blocked(number: int, *, estimated: bool) -> str:
    """Why it cannot even be asked for; an empty text when it can."""
    if not number:
        return nothing_left()
    return too_many() if number > choice.MOST and not estimated else ""


def page(
    action: BulkAction,
    model_admin: Any,
    request: HttpRequest,
    rows: QuerySet[Any],
    *,
    seen: Seen,
    form: Any,
    refusal: CallerError | None,
) -> HttpResponse:
    """What will be done, to how many, and what is still asked for."""
    number, estimated = (len(seen.chosen), False) if seen.chosen is not None else total_of(rows)
    named = named_rows(model_admin, rows, seen)
    opts = model_admin.opts
    context = {
        "title": action.title,
        "action": action,
        "form": form,
        "refusal": refusal,
        "number": number,
        "how_many": how_many(number, estimated=estimated),
        "names": named,
        "more": number - len(named),
        "across": seen.chosen is None,
        "blocked": blocked(number, estimated=estimated),
        "large": number > running.AT_ONCE,
        "seen": seen.signed(action, request.user),  # type: ignore[arg-type]
        "checkbox": ACTION_CHECKBOX_NAME,
        "chosen": request.POST.getlist(ACTION_CHECKBOX_NAME)[:1000],
        "media": model_admin.media + form.media,
        "opts": opts,
        "back": request.get_full_path(),
    }
    from crm.backoffice import pages  # noqa: PLC0415 - pages ask the site, which asks records

    shown = pages.render(request, "backoffice/bulk/ask.html", context, title=action.title)
    shown.status_code = 200 if refusal is None else refusal.status
    return shown


def named_rows(model_admin: Any, rows: QuerySet[Any], seen: Seen) -> list[str]:
    """The first of them by name, for whoever wants to see that it is what they mean."""
    some: QuerySet[Any] = rows
    if seen.chosen is not None:
        some = rows.filter(pk__in=list(seen.chosen)[:NAMED])
    found = by_the_short_road(some)
    return [str(model_admin.title_of(row)) for row in found[:NAMED]]


def how_many(number: int, *, estimated: bool) -> str:
    """The number in words."""
    spaced = f"{number:,}".replace(",", "\u00a0")
    if estimated:
        return _("about %(number)s records") % {"number": spaced}
    text = ngettext("%(number)s record", "%(number)s records", number)
    return text % {"number": spaced}
