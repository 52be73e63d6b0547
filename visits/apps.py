"""App configuration."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VisitsConfig(AppConfig):
    name = "visits"
    label = "visits"
    verbose_name = _("Visits")

    def ready(self) -> None:
        from visits import call_backs  # noqa: F401, PLC0415 - importing registers it, once apps are loaded
