"""The kinds of jobs that people see on the jobs page. Each app registers its own in its admin.py."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from crm.errors import Sentence
from crm.jobs.models import Job
from crm.users.models import User


@dataclass(frozen=True, slots=True)
class Link:
    """A button of a job: a download, the list that it was about."""

    title: Sentence
    url: str
    icon: str
    primary: bool = False


def no_links(_job: Any, _reader: User) -> list[Link]:
    """A kind without buttons."""
    return []


def no_facts(_request: HttpRequest, _job: Any) -> Mapping[str, Any]:
    """A kind that tells nothing beyond its progress."""
    return {}


@dataclass(frozen=True, slots=True)
class JobKind:
    """One kind of jobs.

    slug: in addresses. name(job): what is done, in one line. heavy: columns that lists need not read.
    result(job): how it came out, in a few words, for the list. template, facts: what its own page tells.
    links(job, reader): its buttons. again(job, actor): a new job for a failed or cancelled one of the actor's
    own; None = cannot be.
    """

    slug: str
    model: type[Job]
    title: Sentence
    name: Callable[[Any], str]
    result: Callable[[Any], str] = lambda _job: ""
    heavy: tuple[str, ...] = ()
    template: str = ""
    facts: Callable[[HttpRequest, Any], Mapping[str, Any]] = no_facts
    links: Callable[[Any, User], list[Link]] = no_links
    again: Callable[[Any, User], Job] | None = None


_kinds: dict[str, JobKind] = {}


def add(kind: JobKind) -> None:
    """Show jobs of that kind. The last one of a slug counts."""
    _kinds[kind.slug] = kind


def kinds() -> list[JobKind]:
    """All of them."""
    return list(_kinds.values())


def kind_at(slug: str) -> JobKind | None:
    """The kind of an address."""
    return _kinds.get(slug)
