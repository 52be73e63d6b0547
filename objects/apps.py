"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ObjectsConfig(AppConfig):
    name = "objects"
    label = "objects"
    verbose_name = _("Objects")

    def ready(self) -> None:
        from crm.importing.kinds import register  # noqa: PLC0415 - models are ready only now
        from objects.importing.kind import KIND  # noqa: PLC0415

        register(KIND)
