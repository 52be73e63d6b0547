"""The navigation. Each app adds what it has (`add`), in its admin.py; here are the groups and their order.

Titles are in the reader's language, and what their role has no use for is not there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.errors import Sentence
from crm.users.models import User


class Group(IntEnum):
    """The groups, in the order in which they stand."""

    TODAY = 1
    WORK = 2
    CONTROL = 3
    COMPANY = 4


TITLES: dict[Group, Sentence] = {
    Group.TODAY: "",
    Group.WORK: _("Work"),
    Group.CONTROL: _("Control"),
    Group.COMPANY: _("Company"),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: `url` is the name of an address of the site (`objects_object_changelist`).

    icon: a name of Material Symbols. order: its place in the group. badge: a short text beside the title,
    asked on every page: it may cost one indexed query at most. query: what the link narrows the page by.
    """

    group: Group
    title: Sentence
    icon: str
    url: str
    order: int = 100
    allowed: Callable[[User], bool] = lambda _: True
    badge: Callable[[HttpRequest], str] | None = None
    query: str = ""

    @property
    def link(self) -> str:
        """Its address."""
        return reverse(f"admin:{self.url}")


_entries: list[Entry] = [Entry(Group.TODAY, _("Today"), "home", "index", order=0)]


def add(entry: Entry) -> None:
    """Put a line into the navigation. Adding it twice is once."""
    if entry not in _entries:
        _entries.append(entry)


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    """What UNFOLD["SIDEBAR"]["navigation"] asks for: the groups with the lines that this person has."""
    user = cast("User", request.user)
    mine = sorted(
        (one for one in _entries if one.allowed(user)), key=lambda one: (one.group, one.order)
    )
    links = {entry: entry.link for entry in mine}
    here = current(request.path, list(links.values()))
    return [
        {
            "title": str(TITLES[group]),
            "separator": False,
            "items": [
                {
                    "title": str(capfirst(str(entry.title))),
                    "icon": entry.icon,
                    "link": f"{links[entry]}?{entry.query}" if entry.query else links[entry],
                    "active": links[entry] == here,
                    "badge": entry.badge(request) if entry.badge else None,
                }
                for entry in mine
                if entry.group == group
            ],
        }
        for group in Group
    ]


def current(path: str, links: list[str]) -> str:
    """The link of the page that `path` lies under: the longest that fits; the home page only as itself."""
    home = reverse("admin:index")
    fitting = [link for link in links if path.startswith(link) and (link != home or path == home)]
    return max(fitting, key=len, default="")
