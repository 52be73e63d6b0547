"""A supervisor's day, in a real browser on a real server."""

import csv
import io
import re
from datetime import timedelta
from pathlib import Path

import openpyxl
import pytest
from django.utils import timezone
from playwright.sync_api import Browser, Page, expect

from objects.models import Object
from tests.cast import PASSWORD, Cast
from tests.office.browser import day
from tests.office.browser.chromium import Witness, log_in, pictured, window
from tests.office.browser.town import NEW
from tests.office.desk import change_form, desk
from visits.models import Visit

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_supervisors_day(town: Cast, address: str, browser: Browser, tmp_path: Path) -> None:
    context = window(browser, address, accept_downloads=True)
    # The page that asks which side stays is an answer of its own.
    witness = Witness(context, address, expected=[409])
    page = context.new_page()
    with pictured(page, tmp_path):
        log_in(page, town.sergei.email, PASSWORD)
        look_at_the_home_page(page)
        filter_the_list(page)
        look_at_the_map(page)
        assign(page, town)
        plan(page, town)
        meet_a_conflict(page, town)
        export(page)
        import_with_errors(page, tmp_path)
        settle_a_call(page)
        log_out(page)
    witness.swear()


def look_at_the_home_page(page: Page) -> None:
    """Each number is a link to what it counts."""
    figures = page.locator("a.office-figure")
    assert figures.count() >= 3
    nobodys = page.locator('a.office-figure[href*="responsible=none"]')
    number = int("".join(filter(str.isdigit, nobodys.inner_text())))
    nobodys.click()
    page.wait_for_url(re.compile(r"/admin/objects/object/\?"))
    expect(day.rows(page)).to_have_count(number)


def filter_the_list(page: Page) -> None:
    day.go(page, day.OBJECTS)
    expect(day.rows(page)).to_have_count(NEW + 4)
    day.narrow(page, "status", "NEW")
    expect(day.rows(page)).to_have_count(NEW)
    page.fill("#searchbar", "елочная")
    page.press("#searchbar", "Enter")
    page.wait_for_url(re.compile(r"[?&]q="))
    # «е» finds «ё», and the filter stays.
    expect(day.rows(page)).to_have_count(NEW)
    assert "status=NEW" in page.url


def look_at_the_map(page: Page) -> None:
    """The narrowed list as a map: a group opens into houses, a house leads to its page."""
    page.click('a[href*="/admin/map/"][href*="status=NEW"]')
    expect(page.locator("#map-total")).to_contain_text(str(NEW))
    expect(page.locator(".crm-mark").first).to_be_visible()
    for _zoom in range(12):
        if page.locator(".leaflet-popup").count():
            break
        houses = page.locator(".crm-mark-one").locator("visible=true")
        mark = houses if houses.count() else page.locator(".crm-mark-many")
        # By keyboard: marks may lie upon each other.
        mark.first.press("Enter")
        page.wait_for_timeout(600)
    link = page.locator(".leaflet-popup a.crm-card-title")
    expect(link).to_contain_text("Ёлочная")
    address = link.inner_text()
    link.click()
    page.wait_for_url("**/change/")
    expect(page.locator("input[name=address]")).to_have_value(address)
    expect(page.locator("#map-small .crm-mark-here")).to_be_visible()


def mark_thirty(page: Page) -> None:
    """Thirty of the new ones, by hand."""
    page.goto(f"{day.OBJECTS}?status=NEW")
    boxes = page.locator("input.action-select")
    for at in range(30):
        boxes.nth(at).check()


def assign(page: Page, town: Cast) -> None:
    mark_thirty(page)
    day.ask_for(page, "objects.assign")
    expect(page.locator("#bulk_form h2")).to_contain_text("30")
    day.pick(page, "person", town.ivan.full_name)
    day.send(page)
    assert day.counts(page)[:3] == [30, 0, 0]
    assert Object.objects.filter(responsible_user=town.ivan, version=2).count() == 30


def plan(page: Page, town: Cast) -> None:
    page.goto(f"{day.OBJECTS}?responsible={town.ivan.pk}")
    expect(day.rows(page)).to_have_count(30)
    page.check("#action-toggle")
    day.ask_for(page, "visits.plan")
    day.pick(page, "engineer", town.pyotr.full_name)
    tomorrow = timezone.localdate() + timedelta(days=1)
    page.fill("input[name=day]", tomorrow.isoformat())
    day.send(page)
    assert day.counts(page)[:3] == [30, 0, 0]
    assert Visit.objects.filter(engineer=town.pyotr, status="PLANNED").count() == 30


def meet_a_conflict(page: Page, town: Cast) -> None:
    """Anna saves the same object meanwhile: nothing is lost, and the page asks."""
    house = Object.objects.get(address="ул. Ёлочная, д. 7")
    path = f"{day.OBJECTS}{house.pk}/change/"
    page.goto(path)
    page.fill("input[name=contact_name]", "Сергей Сергеевич")
    page.select_option("select[name=status]", "INTEREST")
    anna = desk(town.anna)
    theirs = {**change_form(anna, path), "contact_name": "Анна Андреевна", "_save": "1"}
    assert anna.post(path, theirs).status_code == 302
    page.locator("button[name=_save], input[name=_save]").locator("visible=true").first.click()
    conflict = page.locator("form.office-conflict")
    expect(conflict).to_contain_text("Анна Андреевна")
    expect(conflict).to_contain_text("Сергей Сергеевич")
    house.refresh_from_db()
    assert (house.contact_name, house.status) == ("Анна Андреевна", "NEW")
    # Mine of the one that both changed; the other one only I have.
    conflict.locator("tr.office-hard input[type=radio]").last.check()
    conflict.locator("button.office-primary").click()
    page.wait_for_url(f"**{day.OBJECTS}*")
    house.refresh_from_db()
    assert (house.contact_name, house.status) == ("Сергей Сергеевич", "INTEREST")


def export(page: Page) -> None:
    """The list as it is narrowed, as a file."""
    page.goto(f"{day.OBJECTS}?status=NEW")
    page.click('a[href*="/admin/export/objects/"]')
    page.select_option("select[name=format]", "xlsx")
    day.send(page)
    got = day.downloaded(page, page.locator('a[href$="/download/"]'))
    assert got.suggested_filename.endswith(".xlsx")
    sheet = openpyxl.load_workbook(io.BytesIO(Path(got.path()).read_bytes())).worksheets[0]
    lines = [[str(cell) for cell in line] for line in sheet.iter_rows(values_only=True)]
    found = [line for line in lines if any("Ёлочная" in cell for cell in line)]
    assert len(found) == NEW - 1
    assert not any("Баумана" in cell for line in lines for cell in line)


def import_with_errors(page: Page, directory: Path) -> None:
    """Two rows are good, two are not: the check says so, and so does the report."""
    file = directory / "дома.csv"
    file.write_text(
        "Адрес;Город;Широта;Долгота\n"
        "ул. Кленовая, д. 1;Москва;55.7;37.6\n"
        "ул. Кленовая, д. 2;Москва;155.7;37.6\n"
        "ул. Кленовая, д. 3;Казань;55.8;49.1\n"
        "ул. Кленовая, д. 4;Москва;;\n",
        encoding="utf-8",
    )
    day.go(page, "/admin/imports/")
    page.check("input[name=kind][value=objects]")
    page.set_input_files("#import-file", file)
    page.click("form.office-upload button.office-primary")
    page.wait_for_url("**/columns/")
    page.click(
        "main form[method=post] button.office-primary, form[method=post] button.office-primary"
    )
    page.wait_for_url("**/admin/imports/*/")
    expect(page.locator(".office-outcomes")).to_be_visible()
    assert not Object.objects.filter(address__contains="Кленовая").exists()
    outcomes = page.locator(".office-outcomes")
    expect(outcomes.locator('a[href="?outcome=create"] strong')).to_have_text("2")
    expect(outcomes.locator('a[href="?outcome=problem"] strong')).to_have_text("2")
    page.locator('form[action$="/run/"] button').click()
    expect(page.locator('a[href="/admin/imports/"].office-button')).to_be_visible()
    assert Object.objects.filter(address__contains="Кленовая", city__name="Москва").count() == 2
    page.click('.office-outcomes a[href="?outcome=problem"]')
    expect(page.locator(".office-rows tbody tr")).to_have_count(2)
    got = day.downloaded(page, page.locator('a[href*="rows.csv"]'))
    text = Path(got.path()).read_text(encoding="utf-8-sig")
    lines = list(csv.reader(io.StringIO(text), delimiter=";" if ";" in text else ","))
    assert [line for line in lines if any("д. 2" in cell for cell in line)]
    assert [line for line in lines if any("д. 3" in cell for cell in line)]
    assert not [line for line in lines if any("д. 4" in cell for cell in line)]


def settle_a_call(page: Page) -> None:
    """Made: it is off the list."""
    day.go(page, "/admin/call-backs/")
    late = page.locator("li.call-late")
    expect(late).to_have_count(1)
    late.locator("button[name=choice][value=done]").click()
    expect(page.locator("li.call")).to_have_count(0)
    assert not Visit.objects.filter(next_action_due_at__isnull=False).exists()


def log_out(page: Page) -> None:
    """Whoever sits down next meets the door."""
    # By keyboard: the menu opens like any button, once the page's script has come.
    menu = page.locator(".office-person-button").locator("visible=true")
    expect(menu).to_have_attribute("aria-expanded", "false")
    menu.press("Enter")
    page.locator("#logout-form button").locator("visible=true").press("Enter")
    page.wait_for_url("**/admin/login/**")
    page.goto(day.OBJECTS)
    page.wait_for_url("**/admin/login/**")
