"""The ground app: shared database objects, translations and system checks."""

from django.apps import AppConfig


class CrmConfig(AppConfig):
    name = "crm"
    verbose_name = "CRM Backend"

    def ready(self) -> None:
        from crm import checks  # noqa: F401, PLC0415 - importing registers them, once apps are loaded
