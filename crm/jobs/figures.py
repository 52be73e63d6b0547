"""How many jobs there are, for whoever runs the installation."""

from collections.abc import Mapping
from typing import Final

from crm.jobs.kinds import kinds
from crm.jobs.models import ACTIVE

NOT_COUNTED: Final[Mapping[str, None]] = {f"jobs_{status.value}": None for status in ACTIVE}


def counts() -> dict[str, int]:
    """Jobs that wait, and jobs that are being worked on."""
    return {
        f"jobs_{status.value}": sum(
            kind.model.objects.filter(status=status).count() for kind in kinds()
        )
        for status in ACTIVE
    }
