"""axe-core on the main pages: nothing that would keep somebody out."""

from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

pytestmark = pytest.mark.django_db(transaction=True)

GRAVE: Final = ("serious", "critical")
PAGES: Final = {
    "home": "/admin/",
    "objects": "/admin/objects/object/",
    "object": "/admin/objects/object/{object}/change/",
    "history": "/admin/objects/object/{object}/history/",
    "customers": "/admin/clients/customer/",
    "visits": "/admin/visits/visit/",
    "visit": "/admin/visits/visit/{visit}/change/",
    "call-backs": "/admin/call-backs/",
    "users": "/admin/users/user/",
    "jobs": "/admin/jobs/",
    "import": "/admin/imports/",
    "export": "/admin/export/objects/",
    "refused edits": "/admin/sync/refuseditem/",
    "trail": "/admin/audit/auditentry/",
    "map": "/admin/map/",
}


def grave(page: Page) -> list[str]:
    """What axe-core finds serious or worse: rule, and where."""
    found: list[Any] = Axe().run(page).response["violations"]
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node['html'][:160]} — {node['failureSummary']}"
        for each in found
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
