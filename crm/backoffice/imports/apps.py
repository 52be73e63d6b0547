"""App configuration."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImportsConfig(AppConfig):
    name = "crm.backoffice.imports"
    label = "imports"
    verbose_name = _("Imports")

    def ready(self) -> None:
        from crm.backoffice.imports import cleanup, work  # noqa: PLC0415 - once models are loaded
        from crm.backoffice.imports.models import ImportJob  # noqa: PLC0415
        from crm.jobs import chores, kinds  # noqa: PLC0415

        kinds.register(kinds.Kind(model=ImportJob, work=work.do))
        chores.register(
            chores.Chore("imports_cleanup", every=timedelta(minutes=15), work=cleanup.clean_up)
        )
