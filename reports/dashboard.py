"""The home page's card of exports that failed."""

from typing import Any, Final

from django.http import HttpRequest
from django.urls import reverse

from crm.backoffice import dashboard
from crm.backoffice.pages import reader
from crm.jobs.models import JobStatus
from reports.models import ReportJob

MOST: Final = 99


@dashboard.card(template="reports/cards/failed.html", order=35, width=dashboard.NARROW)
def failed_exports(request: HttpRequest) -> dict[str, Any]:
    """One's own exports that failed; an administrator's are everybody's."""
    rows = ReportJob.objects.visible_to(reader(request)).filter(status=JobStatus.FAILED)
    number = rows.order_by().values("pk")[: MOST + 1].count()
    return {
        "number": number,
        "text": f"{MOST}+" if number > MOST else str(number),
        "url": f"{reverse('admin:jobs')}?kind=reports&status={JobStatus.FAILED.value}",
    }
