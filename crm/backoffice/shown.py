"""How values are shown to people: local time, relative words, badges, links."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import Any

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

NOTHING = "—"

# Colour names of the theme's labels; see unfold/helpers/label.html.
GREY, BLUE, GREEN, ORANGE, RED, ACCENT = "", "info", "success", "warning", "danger", "primary"


def badge(text: Any, colour: str = GREY) -> SafeString:
    """A coloured label."""
    return render_to_string("backoffice/badge.html", {"text": text, "variant": colour})


def moment(value: datetime | None) -> str:
    """A moment in the reader's local time: «сегодня, 14:30», «вчера, 9:05», «12 ноября, 10:00»."""
    if value is None:
        return NOTHING
    local = timezone.localtime(value)
    return f"{day(local)}, {formats.time_format(local, 'H:i')}"


def day(value: datetime) -> str:
    """The day of a local moment, in a word where there is one."""
    today = timezone.localdate()
    words = {
        today: _("today"),
        today - timedelta(days=1): _("yesterday"),
        today + timedelta(days=1): _("tomorrow"),
    }
    if value.date() in words:
        return words[value.date()]
    if value.year == today.year:
        return formats.date_format(
            value, pgettext("a day of this year, as Django's date filter", "F j")
        )
    return formats.date_format(value, "DATE_FORMAT")


def exact(value: datetime | None) -> str:
    """The moment to the minute, with its zone: what a tooltip holds."""
    return "" if value is None else timezone.localtime(value).strftime("%d.%m.%Y %H:%M %Z")


def when(value: datetime | None) -> SafeString | str:
    """A moment with the exact one as its tooltip."""
    if value is None:
        return NOTHING
    return format_html(
        '<time datetime="{}" title="{}" class="whitespace-nowrap">{}</time>',
        value.isoformat(),
        exact(value),
        moment(value),
    )


def ago(value: datetime | None) -> SafeString | str:
    """How long ago in days, for what is looked at by its age: «сегодня», «12 дней назад»."""
    if value is None:
        return NOTHING
    days = (timezone.localdate() - timezone.localtime(value).date()).days
    if days <= 1:
        return when(value)
    text = ngettext("%(days)s day ago", "%(days)s days ago", days) % {"days": days}
    return format_html(
        '<time datetime="{}" title="{}" class="whitespace-nowrap">{}</time>',
        value.isoformat(),
        exact(value),
        text,
    )


def due(value: datetime | None) -> SafeString | str:
    """A promised moment; past ones in red with how late they are: «просрочено на 2 дня»."""
    if value is None:
        return NOTHING
    late = timezone.now() - value
    if late <= timedelta(0):
        return when(value)
    return format_html('<span title="{}">{}</span>', exact(value), badge(overdue_words(late), RED))


def overdue_words(late: timedelta) -> str:
    """How late, in the greatest whole unit."""
    if late.days:
        return ngettext("%(days)s day overdue", "%(days)s days overdue", late.days) % {
            "days": late.days
        }
    hours = late.seconds // 3600
    if hours:
        return ngettext("%(hours)s hour overdue", "%(hours)s hours overdue", hours) % {
            "hours": hours
        }
    return _("overdue")


def by_whom(person: Any, value: datetime | None) -> str:
    """A moment, and whose it was."""
    return moment(value) if person is None else f"{moment(value)} — {person.full_name}"


def yes_no(value: bool | None) -> str:
    """A flag in words."""
    return NOTHING if value is None else (_("yes") if value else _("no"))


def phone(value: str | None) -> SafeString | str:
    """A phone to tap: +7 999 123-45-67."""
    if not value:
        return NOTHING
    return format_html('<a href="tel:{}" class="whitespace-nowrap">{}</a>', value, spaced(value))


def spaced(value: str) -> str:
    """A Russian number in groups; others as they are."""
    if value.startswith("+7") and len(value) == 12:  # noqa: PLR2004 - +7 and ten digits
        return f"+7 {value[2:5]} {value[5:8]}-{value[8:10]}-{value[10:]}"
    return value


def link(url: str, text: Any) -> SafeString:
    """A link in a cell."""
    return format_html(
        '<a href="{}" class="text-link hover:underline">{}</a>',
        url,
        text,
    )


def change_url(record: Any) -> str:
    """The address of a record's page."""
    opts = record._meta
    return reverse(f"admin:{opts.app_label}_{opts.model_name}_change", args=[record.pk])


def record_link(record: Any, text: Any = None) -> SafeString | str:
    """A link to a record's page; nothing for no record."""
    if record is None:
        return NOTHING
    return link(change_url(record), text if text is not None else str(record))


def list_url(model: Any, **query: Any) -> str:
    """The address of a model's list, narrowed by its filters."""
    opts = model._meta
    base = reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist")
    asked = "&".join(f"{name}={value}" for name, value in query.items())
    return f"{base}?{asked}" if asked else base


def chips(words: Iterable[Any]) -> SafeString | str:
    """Several short words."""
    parts = list(words)
    return format_html_join(" ", "{}", ((badge(one),) for one in parts)) if parts else NOTHING


def short(text: str | None, length: int = 80) -> str:
    """The beginning of a text."""
    if not text:
        return NOTHING
    return text if len(text) <= length else f"{text[: length - 1].rstrip()}…"


def plain_value(field: Any, value: Any) -> str:
    """A field's value as one line of text: labels for codes, local time for moments, words for lists."""
    choices = dict(getattr(field, "flatchoices", ()) or ())
    if value is None or value in ("", [], {}):
        return ""
    if isinstance(value, bool):
        return yes_no(value)
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, date):
        return formats.date_format(value)
    if isinstance(value, time):
        return formats.time_format(value)
    if isinstance(value, list):
        return ", ".join(str(choices.get(str(one), one)) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{name}: {one}" for name, one in value.items())
    return str(choices.get(value, value))
