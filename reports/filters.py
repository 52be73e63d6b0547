"""What the list of exports can be narrowed by."""

from crm.api.filters import AnyOfChoices, AnyOfIds, ListFilters
from crm.jobs.models import JobStatus
from reports.models import ReportEntity, ReportFormat


class ReportJobFilters(ListFilters):
    """Filters of exports."""

    searched = False

    owner_id = AnyOfIds(field_name="owner_id", label="Of these people; administrators only.")
    entity = AnyOfChoices(field_name="entity", choices=ReportEntity.values)
    status = AnyOfChoices(field_name="status", choices=JobStatus.values)
    format = AnyOfChoices(field_name="format", choices=ReportFormat.values)
