"""The back office: Django's admin as supervisors and administrators use it."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.utils.translation import gettext_lazy as _


class BackofficeConfig(AppConfig):
    name = "crm.backoffice"
    label = "backoffice"
    verbose_name = _("Back office")
    default = True

    def ready(self) -> None:
        from crm.backoffice.bulk import running  # noqa: PLC0415 - models exist once apps are loaded
        from crm.backoffice.models import BulkJob  # noqa: PLC0415
        from crm.jobs import kinds  # noqa: PLC0415

        kinds.register(kinds.Kind(model=BulkJob, work=running.work))


class OfficeAdminConfig(admin.AdminConfig):
    """Django's admin with our site: `django.contrib.admin.site` is an OfficeSite."""

    default = False
    default_site = "crm.backoffice.site.OfficeSite"
