"""Lists of many rows: pages that do not count everything, and columns of higher floors."""

from functools import cached_property
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest
from unfold.views import ChangeList

from crm.api.listing import EXACT_TOTAL, total_of
from crm.backoffice.columns import columns_of
from crm.db.guesses import gathered, is_guess


class HonestPaginator(Paginator):
    """Counts exactly up to 10,000 rows; beyond that the planner's estimate, which `estimated` says."""

    estimated = False
    template_name = "backoffice/pagination.html"

    @cached_property
    def count(self) -> int:
        total, self.estimated = total_of(self.object_list)  # type: ignore[arg-type]
        return total

    def page(self, number: Any) -> Any:
        if self.count <= EXACT_TOTAL and is_guess(self.object_list):  # type: ignore[arg-type]
            self.object_list = gathered(self.object_list)  # type: ignore[arg-type]
        return super().page(number)


class OfficeChangeList(ChangeList):
    """Django's list of rows; what the page shows of other tables is fetched once for all of its rows."""

    result_list: list[Any]

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        # Nothing matches, as was just counted: reading it in order could take long.
        self.result_list = list(self.result_list) if self.result_count else []
        self.fill(self.result_list, request)

    def fill(self, rows: list[Any], request: HttpRequest) -> None:
        """Give each row the cells of the added columns."""
        ids = [row.pk for row in rows]
        for column in columns_of(self.model):
            values = column.values(ids, request.user) if ids else {}  # type: ignore[arg-type]
            for row in rows:
                row.__dict__.setdefault("_cells", {})[column.name] = values.get(row.pk)

    @property
    def estimated(self) -> bool:
        """Whether the number of rows is an estimate."""
        return bool(getattr(self.paginator, "estimated", False))


class RowsAlone(OfficeChangeList):
    """What the filters and the search leave, without a page of it."""

    def get_results(self, request: HttpRequest) -> None:
        self.result_list = []


def cell_of(name: str, title: Any) -> Any:
    """What `list_display` takes for an added column."""

    def cell(row: Any) -> Any:
        return row.__dict__.get("_cells", {}).get(name)

    cell.short_description = title  # type: ignore[attr-defined]
    cell.__name__ = name
    return cell
