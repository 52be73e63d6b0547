"""Reports: what people export, as files that a worker writes."""

from datetime import timedelta

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReportsConfig(AppConfig):
    name = "reports"
    label = "reports"
    verbose_name = _("Reports")

    def ready(self) -> None:
        from crm.jobs import chores, kinds  # noqa: PLC0415 - models exist once apps are loaded
        from reports import cleanup, exporting  # noqa: PLC0415
        from reports.models import ReportJob  # noqa: PLC0415

        kinds.register(
            kinds.Kind(
                model=ReportJob,
                work=exporting.export,
                queue="reports",
                told=exporting.told,
                discard=exporting.discard,
            )
        )
        chores.register(
            chores.Chore("reports_cleanup", every=timedelta(hours=1), work=cleanup.clean_up)
        )
