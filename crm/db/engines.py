"""Which engine's module serves a connection: the only look at `connection.vendor`."""

from collections.abc import Sequence
from typing import Any, Final, Protocol

from django.db import IntegrityError, NotSupportedError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

from crm.db import postgresql, sqlite
from crm.db.portable import ReadyWords
from crm.db.violations import Violation


class Engine(Protocol):
    """What both `crm.db.postgresql` and `crm.db.sqlite` have; the meaning stands there."""

    GUESSES: bool

    def search_text_sql(self, parts: Sequence[str]) -> str: ...
    def phone_words_sql(self, column: str) -> ReadyWords: ...
    def email_words_sql(self, column: str) -> ReadyWords: ...
    def words_match(
        self, column: str, words: Sequence[str], digits: str, *, private: bool
    ) -> tuple[str, list[Any]]: ...
    def gin_search_index_sql(self, table: str, column: str, name: str, /) -> str: ...
    def mask_phone_sql(self, column: str) -> str: ...
    def mask_email_sql(self, column: str) -> str: ...
    def distance_sql(self, lat: str, lng: str) -> str: ...
    def list_holds_any(self, column: str, words: Sequence[str]) -> tuple[str, list[Any]]: ...
    def unindexed_sql(self, column: str, /) -> str: ...
    def estimate_count(self, queryset: QuerySet[Any], /) -> int | None: ...
    def violated_constraint(self, error: IntegrityError) -> Violation | None: ...


ENGINES: Final[dict[str, Engine]] = {"postgresql": postgresql, "sqlite": sqlite}


def engine_for(connection: BaseDatabaseWrapper) -> Engine:
    """The module with this connection's SQL. Raises NotSupportedError for other engines."""
    try:
        return ENGINES[connection.vendor]
    except KeyError:
        raise NotSupportedError(f"no SQL for the engine {connection.vendor}") from None
