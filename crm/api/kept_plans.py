"""Plans of reads that were made lately, so that the same question costs no second planning.

Working out a list (checking its parameters, building the queryset, compiling it) takes several times as long
as the database needs to answer. A plan is kept for one person with one role and one territory and for one
set of parameters, word for word: whatever decides on its SQL is in its key, and people share none. It holds a
statement, not its rows: these are read anew each time.
"""

from collections.abc import Callable, Hashable, Mapping
from typing import Any, Final, TypeVar, cast

from django.core.signals import setting_changed

from crm.api.filters import ListFilters, says
from crm.recent import Recent
from crm.users.models import User

# How many plans a process keeps, at a few kilobytes each.
KEPT: Final = 1024

P = TypeVar("P")

_plans: Final[Recent[Any]] = Recent(KEPT)


def sight_of(user: User) -> tuple[Hashable, ...]:
    """Everything about a person that scope, masking and known orders go by."""
    return user.pk, user.role, user.city_id, user.district_id


def planned(key: Hashable | None, make: Callable[[], P]) -> P:
    """The plan kept under the key, or a new one. None: made anew each time."""
    found = None if key is None else _plans.get(key)
    if found is not None:
        return cast("P", found)
    plan = make()
    if key is not None:
        _plans.put(key, plan)
    return plan


def timeless(filters: type[ListFilters], parameters: Mapping[str, str]) -> bool:
    """Whether these filters make the same SQL of the same parameters at any time."""
    return all(
        says(declared, "timeless")
        or (says(declared, "only_when_given") and not parameters.get(name))
        for name, declared in filters.base_filters.items()
    )


def forget(**_: Any) -> None:
    """Make all plans anew."""
    _plans.clear()


# Time zone and phone region are in the SQL, too.
setting_changed.connect(forget, dispatch_uid="crm.api.kept_plans")
