"""The back office's own pages. Django imports this once all apps are loaded; importing registers them."""

from crm.backoffice import jobs_pages, queues  # noqa: F401
from crm.backoffice.bulk import showing  # noqa: F401
