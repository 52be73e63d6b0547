"""`python -m tests.office.browser.pictures [ADDRESS]`: makes the pictures in docs/screenshots/ anew.

ADDRESS is where `make demo` runs (http://127.0.0.1:8000 unless said otherwise). It needs Chromium: the one
on the PATH, or the one that CHROMIUM names. The file that is uploaded for a picture is discarded again.
"""

import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from playwright.sync_api import Browser, Page

from tests.office.browser.chromium import SIZES, Witness, binary, chromium, log_in, window
from tests.office.browser.small_png import smaller

FOLDER: Final = Path(__file__).resolve().parents[3] / "docs" / "screenshots"
# What a README may cost its readers, each.
MOST_BYTES: Final = 150_000
SUPERVISOR: Final = ("supervisor@example.com", "supervisor123")


@dataclass(frozen=True, slots=True)
class Picture:
    """One file: a page as somebody sees it. show: does what leads there."""

    name: str
    show: Callable[[Page], None]
    language: str
    theme: str = "light"


def page_at(path: str) -> Callable[[Page], None]:
    """Just go there."""

    def show(page: Page) -> None:
        page.goto(path, wait_until="networkidle")

    return show


def checked_import(page: Page) -> None:
    """The check of a small file with a change, two new houses and two mistakes."""
    page.goto("/admin/objects/object/?status=NEW")
    known = page.locator("#result_list tbody th a").first.inner_text()
    lines = (
        "Адрес;Город;Широта;Долгота;Статус;Телефон",
        f"{known};Москва;;;в работе;8 916 123-45-67",
        "ул. Кленовая, д. 1;Москва;55.71;37.62;новый;",
        "ул. Кленовая, д. 2;Москва;155.72;37.63;новый;",
        "ул. Кленовая, д. 3;Казань;55.79;49.12;новый;",
        "ул. Кленовая, д. 4;Москва;55.73;37.64;новый;8 916 765-43-21",
    )
    with TemporaryDirectory() as directory:
        file = Path(directory) / "дома.csv"
        file.write_text("\n".join(lines), encoding="utf-8")
        page.goto("/admin/imports/")
        page.check("input[name=kind][value=objects]")
        page.set_input_files("#import-file", file)
        page.click("form.office-upload button.office-primary")
        page.wait_for_url("**/columns/")
    page.locator("form[method=post] button.office-primary").first.click()
    page.wait_for_url(re.compile(r"/admin/imports/[0-9a-f-]{36}/$"))
    page.locator(".office-outcomes").wait_for()


def discard_import(page: Page) -> None:
    """Leave nothing behind of the file, if this is its page."""
    button = page.locator('form[action$="/discard/"] button')
    if button.count():
        button.first.click()
        page.wait_for_load_state()


PICTURES: Final = (
    Picture("home.en.png", page_at("/admin/"), "en"),
    Picture("map.en.png", page_at("/admin/map/"), "en", theme="dark"),
    Picture("home.ru.png", page_at("/admin/"), "ru"),
    Picture("objects.ru.png", page_at("/admin/objects/object/?status=CALLBACK"), "ru"),
    Picture("call-backs.ru.png", page_at("/admin/call-backs/"), "ru"),
    Picture("import.ru.png", checked_import, "ru"),
)


def take(browser: Browser, address: str, picture: Picture) -> bytes:
    """The picture as a PNG. Raises AssertionError when the page complains or asks elsewhere."""
    context = window(browser, address, language=picture.language, theme=picture.theme)
    witness = Witness(context, address)
    page = context.new_page()
    log_in(page, *SUPERVISOR)
    picture.show(page)
    page.mouse.move(*SIZES["desk"])
    png = page.screenshot(animations="disabled", caret="hide")
    discard_import(page)
    witness.swear()
    context.close()
    return smaller(png)


def main() -> None:
    """Take them all."""
    address = (sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8000").rstrip("/")
    path = binary()
    if path is None:
        raise SystemExit("There is no browser: install Chromium, or name one in CHROMIUM.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language in ("en", "ru"):
        with chromium(path, language=language) as browser:
            for picture in PICTURES:
                if picture.language == language:
                    png = take(browser, address, picture)
                    if len(png) > MOST_BYTES:
                        raise SystemExit(f"{picture.name} would have {len(png)} bytes.")
                    (FOLDER / picture.name).write_bytes(png)
                    sys.stdout.write(f"{picture.name}: {len(png)} bytes\n")


if __name__ == "__main__":
    main()
