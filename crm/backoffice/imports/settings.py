"""How a file is to be read, as it was chosen for one job."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Self
from uuid import UUID

from crm.importing.guessing import ColumnMapping
from crm.importing.kinds import Options


@dataclass(frozen=True, slots=True)
class Settings:
    """sheet, header_line: where the table is. fields: what each column holds. header: its headings.

    city_id, default_type: see crm.importing.kinds.Options.
    """

    sheet: str | None
    header_line: int
    header: Sequence[str]
    fields: Sequence[str | None]
    city_id: str | None = None
    default_type: str = ""
    # How many rows there are, as far as a check has counted them; 0 before.
    rows: int = 0

    @classmethod
    def of_json(cls, stored: Mapping[str, Any]) -> Self:
        """As a job keeps it."""
        return cls(**stored)

    def as_json(self) -> dict[str, Any]:
        """For a job."""
        return asdict(self)

    @property
    def mapping(self) -> ColumnMapping:
        """The columns."""
        return ColumnMapping(tuple(self.fields))

    @property
    def options(self) -> Options:
        """What holds for rows that do not say it."""
        return Options(
            city_id=None if self.city_id is None else UUID(self.city_id),
            default_type=self.default_type,
        )
