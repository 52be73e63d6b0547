"""What a supervisor does with mouse and keyboard, in the words of the work."""

import re
from typing import Any, Final

from playwright.sync_api import Download, Locator, Page, expect

OBJECTS: Final = "/admin/objects/object/"
NAVIGATION: Final = "#nav-sidebar"


def go(page: Page, path: str) -> None:
    """By the navigation, as people do."""
    page.locator(f'a[href="{path}"]').locator("visible=true").first.click()
    page.wait_for_url(f"**{path}*")


def rows(page: Page) -> Locator:
    """The lines of a list."""
    return page.locator("#result_list tbody tr")


def narrow(page: Page, name: str, value: str) -> None:
    """Choose in one of the list's filters; it applies itself."""
    page.select_option(f"#office-filters select[name={name}]", value)
    page.wait_for_url(re.compile(rf"[?&]{name}={value}"))


def pick(page: Page, select: str, typed: str) -> None:
    """Find somebody while typing, in a select box that loads what fits."""
    box = page.locator(f"select[name={select}] + .select2-container")
    box.click()
    page.locator(".select2-search__field").last.press_sequentially(typed, delay=20)
    # Until the answer is there the box shows what it found for less.
    found = page.locator(".select2-results__option--highlighted", has_text=typed)
    found.click()
    expect(box).to_contain_text(typed)


def ask_for(page: Page, action: str) -> None:
    """Have something done to the marked rows: the page that says to how many."""
    page.select_option("select[name=action]", action)
    page.locator("#changelist-form button[name=index]").locator("visible=true").click()
    expect(page.locator("#bulk_form")).to_be_visible()


def send(page: Page) -> None:
    """Start the job that the page asks about, and wait for its end on its own page."""
    page.click("#bulk_form button[type=submit]")
    page.wait_for_url(re.compile(r"/admin/jobs/\w+/[0-9a-f-]{36}/$"))
    expect(page.locator("#job-progress")).to_have_count(0)


def counts(page: Page) -> list[int]:
    """Done, unchanged, refused: what the page of a job on many records says."""
    return [int(text) for text in page.locator(".office-counts dd").all_inner_texts()]


def downloaded(page: Page, link: Locator) -> Download:
    """The file behind a link."""
    with page.expect_download() as waiting:
        link.click()
    return waiting.value


def headline(page: Page) -> Any:
    """The main heading."""
    return page.locator("h1").first
