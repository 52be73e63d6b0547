"""Whether every endpoint's reads have their SQL: asked by the system checks, before the first request."""

from collections.abc import Iterator
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver

from crm.api.json_members import UnknownField, members_of
from crm.api.viewsets import ReaderViewSet
from crm.db.json_pages import ROW


def unreadable() -> list[UnknownField]:
    """What is in the way, of each address once."""
    found: dict[str, UnknownField] = {}
    for view in read_by_database():
        for masked in (False, True):
            # As a query that computes all of it, and as one that computes nothing.
            for sql in ("NULL", ""):
                annotated = tuple((name, sql) for name in view.annotated)
                try:
                    members_of(
                        view.get_serializer_class(),
                        view.model(),
                        ROW,
                        masked=masked,
                        annotated=annotated,
                    )
                except UnknownField as error:
                    found[str(error)] = error
    return list(found.values())


def read_by_database() -> Iterator[ReaderViewSet]:
    """The view of every address whose reads the database represents."""
    for callback in callbacks(get_resolver().url_patterns):
        view_class = getattr(callback, "cls", None)
        if isinstance(view_class, type) and issubclass(view_class, ReaderViewSet):
            view = view_class(**callback.initkwargs)
            if not view.by_serializer:
                yield view


def callbacks(patterns: Any) -> Iterator[Any]:
    """The function behind each address."""
    for entry in patterns:
        if isinstance(entry, URLResolver):
            yield from callbacks(entry.url_patterns)
        elif isinstance(entry, URLPattern):
            yield entry.callback
