"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClientsConfig(AppConfig):
    name = "clients"
    label = "clients"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from clients.importing.kind import KIND  # noqa: PLC0415
        from crm.importing.kinds import register  # noqa: PLC0415 - models are ready only now

        register(KIND)
