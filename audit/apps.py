"""The audit trail: what the change port reports becomes entries that nobody can change."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = _("audit trail")

    def ready(self) -> None:
        from audit.trail import write  # noqa: PLC0415 - models exist once apps are loaded
        from crm.changes import listen  # noqa: PLC0415

        listen(write)
