"""The ground app: shared database objects, translations and system checks."""

import time
from typing import Final

from django.apps import AppConfig

# When this process began, in seconds since 1970.
STARTED: Final = time.time()


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "CRM Backend"

    def ready(self) -> None:
        from django.core.signals import request_finished, request_started  # noqa: PLC0415
        from django.db.backends.signals import connection_created  # noqa: PLC0415

        # Importing registers checks and signals, once apps are loaded.
        from crm import checks, tally  # noqa: F401, PLC0415
        from crm.db import drivers  # noqa: F401, PLC0415
        from crm.db.json_text import leave_stream  # noqa: PLC0415
        from crm.statements import count_statements  # noqa: PLC0415

        connection_created.connect(count_statements)
        request_started.connect(leave_stream)
        request_finished.connect(tally.hand_over_soon)
