"""The system's Chromium, driven by Playwright, and a witness of all that it asks for and complains of."""

import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Response,
    WebError,
    expect,
    sync_playwright,
)

NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# No address but this machine's is ever found: whatever the browser would like to tell its makers stays here.
FLAGS: Final = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)  # fmt: skip
PATIENCE_MILLISECONDS: Final = 20_000
# An assertion of a busy machine waits as long as a click does.
expect.set_options(timeout=PATIENCE_MILLISECONDS)
SIZES: Final = {"desk": (1366, 768), "phone": (390, 844)}


def binary() -> Path | None:
    """The browser of this machine: what CHROMIUM names, or the first that is on the PATH."""
    named = os.environ.get("CHROMIUM")
    found = named or next(filter(None, map(shutil.which, NAMES)), None)
    return Path(found) if found and Path(found).exists() else None


@contextmanager
def chromium(path: Path, *, language: str = "en") -> Iterator[Browser]:
    """The browser, until the block ends. language: what its own words are in (“Choose file”)."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            headless=True,
            args=[*FLAGS, f"--lang={language}"],
            env={**os.environ, "LANGUAGE": language},
            timeout=PATIENCE_MILLISECONDS,
        )
        try:
            yield browser
        finally:
            browser.close()


class Witness:
    """Hears every request of a browser's window, every answer and every complaint.

    expected: statuses of refusals that are part of the story.
    """

    def __init__(
        self, context: BrowserContext, address: str, *, expected: Iterable[int] = ()
    ) -> None:
        self.address = address
        self.expected = frozenset(expected)
        self.asked: list[str] = []
        self.faults: list[str] = []
        context.on("request", lambda request: self.asked.append(request.url))
        context.on("response", self._response)
        context.on("console", self._console)
        context.on("weberror", self._script)

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.faults.append(f"{response.status}: {response.url}")

    def _console(self, message: ConsoleMessage) -> None:
        # What a policy forbids is an error of the console too; a refused request is one of ours above.
        refused = message.text.startswith("Failed to load resource: the server responded")
        if message.type in {"error", "warning"} and not refused:
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _script(self, error: WebError) -> None:
        where = error.page.url if error.page else ""
        self.faults.append(f"script: {error.error.stack or error.error} (on {where})")

    @property
    def elsewhere(self) -> list[str]:
        """Requests that left the server's own address."""
        own = (f"{self.address}/", "data:", f"blob:{self.address}/", "about:")
        return [url for url in self.asked if not url.startswith(own)]

    def swear(self) -> None:
        """Nothing went elsewhere, and nobody complained. Raises AssertionError."""
        assert self.asked, "the witness heard nothing at all"
        assert not self.elsewhere, self.elsewhere
        assert not self.faults, "\n".join(self.faults)


def window(
    browser: Browser,
    address: str,
    *,
    language: str = "ru",
    theme: str = "light",
    size: str = "desk",
    **more: Any,
) -> BrowserContext:
    """A fresh window: no cookies, this language, theme and size."""
    width, height = SIZES[size]
    context = browser.new_context(
        base_url=address,
        locale={"ru": "ru-RU", "en": "en-GB"}[language],
        timezone_id="Europe/Moscow",
        color_scheme="dark" if theme == "dark" else "light",
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
        **more,
    )
    context.set_default_timeout(PATIENCE_MILLISECONDS)
    return context


@contextmanager
def pictured(page: Page, directory: Path) -> Iterator[None]:
    """When the block fails: the page as it was then, as `last.png` and in the failure's notes."""
    try:
        yield
    except BaseException as error:
        with suppress(Error):
            page.screenshot(path=directory / "last.png", timeout=5000)
        error.add_note(f"The browser was at {page.url}: {directory / 'last.png'}")
        raise


def log_in(page: Any, email: str, password: str) -> None:
    """Through the door."""
    page.goto("/admin/login/")
    page.fill("input[name=username]", email)
    page.fill("input[name=password]", password)
    page.click("#login-form button[type=submit]")
    page.wait_for_url("**/admin/")
