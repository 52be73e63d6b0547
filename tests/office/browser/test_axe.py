"""axe-core on the main pages: nothing that would keep somebody out."""

from pathlib import Path
from typing import Any, Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from objects.models import Object
from tests.cast import PASSWORD, Cast
from tests.office.browser.chromium import Witness, log_in, pictured, window
from visits.models import Visit

# The pages are the same on the other engine.
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite_only]

GRAVE: Final = ("serious", "critical")
PAGES: Final = {
    "home": "/admin/",
    "objects": "/admin/objects/object/",
    "object": "/admin/objects/object/{object}/change/",
    "history": "/admin/objects/object/{object}/history/",
    "map": "/admin/map/",
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
}


@pytest.mark.parametrize("language", ["ru", "en"])
def test_no_page_keeps_anybody_out(
    town: Cast, address: str, browser: Browser, tmp_path: Path, language: str
) -> None:
    """Each page, light and dark; and none of them asks another server for anything, or complains."""
    context = window(browser, address, language=language)
    witness = Witness(context, address)
    page = context.new_page()
    names = {"object": Object.objects.first(), "visit": Visit.objects.get()}
    ids = {name: record.pk for name, record in names.items() if record}
    faults: dict[str, list[str]] = {}
    with pictured(page, tmp_path):
        page.goto("/admin/login/")
        look(page, "login", faults)
        log_in(page, town.sergei.email, PASSWORD)
        for name, path in PAGES.items():
            # The maps draw themselves once they have asked what is there.
            waiting = "networkidle" if name in {"map", "object"} else "load"
            page.goto(path.format(**ids), wait_until=waiting)
            assert page.locator("html").get_attribute("lang") == language
            look(page, name, faults)
    assert not faults, "\n".join(
        f"{where}: {what}" for where, all_ in faults.items() for what in all_
    )
    witness.swear()


def look(page: Page, name: str, faults: dict[str, list[str]]) -> None:
    """Add what is grave about the page. In the dark nothing but the colours is different."""
    colours = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
    for theme, options in (("light", {}), ("dark", colours)):
        page.evaluate(
            "dark => document.documentElement.classList.toggle('dark', dark)", bool(options)
        )
        found = grave(page, options)
        if found:
            faults[f"{name}, {theme}"] = found


def grave(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe-core finds serious or worse: rule, and where."""
    answer = Axe().run(page, options={"resultTypes": ["violations"], **options}).response
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node['html'][:160]} — {node['failureSummary']}"
        for each in answer["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]
