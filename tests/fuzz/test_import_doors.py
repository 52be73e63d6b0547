"""Broken files at every door of the imports: the two commands and the pages of the back office.

Reading them by itself is tested in tests/importing/test_hostile.py; here: how each door answers, that a file
that is refused writes nothing, and what it costs in time and memory.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from crm.backoffice.imports.models import ImportJob, Upload
from crm.jobs import inprocess
from crm.jobs.models import JobStatus
from tests.cast import Cast
from tests.fuzz.answers import content, everything, in_time
from tests.fuzz.broken_files import FILES, LARGE
from tests.fuzz.effort import HUNT
from tests.fuzz.importing_process import COMMANDS, SECONDS
from tests.jobs.workers import ROOT, url_of_database
from tests.office.desk import desk
from tests.office.test_import_pages import BASE, chosen

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("reports_path")]

# How much an importing process may grow, whatever the file.
MEGABYTES = 150
SOUND = {"sound csv", "sound xlsx", "cp1251", "utf-16", "gzip", "formulas", "dates out of range"}
HOSTILE = {
    "zip bomb", "gzip bomb", "laughs in the sheet", "laughs in the styles", "a million columns", "nul", "koi8", "a foreign file in the sheet",
    "zip cut", "utf-8 broken in the middle", "no sheet", "gzip with a wrong sum",
}  # fmt: skip
# The records that an import writes.
WRITTEN = ("objects.Object", "objects.Unit", "clients.Customer")


def test_the_commands(cast: Cast, engine: str, tmp_path: Path) -> None:
    for number in range(1, 4):
        cast.object(address=f"ул. Мира, д. {number}")
    names = [*FILES, *LARGE]
    done = subprocess.run(
        (sys.executable, "-m", "tests.fuzz.importing_process", str(tmp_path)),
        cwd=ROOT, env={**os.environ, "DATABASE_URL": url_of_database(engine), "LANGUAGE_CODE": "en"},
        input=json.dumps(names) + "\n", capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    told = [json.loads(line) for line in done.stdout.splitlines()]
    if HUNT:
        sys.stderr.write("".join(f"{one}\n" for one in told))
    assert done.returncode == 0, (told[-1:], done.stderr[-3000:])
    assert [one[:2] for one in told] == [[each, name] for name in names for each in COMMANDS]
    for command, name, seconds, megabytes, written, ended in told:
        assert seconds < SECONDS / 2, (command, name, seconds)
        assert megabytes < MEGABYTES, (command, name, megabytes)
        # Whole or not at all.
        assert written == 0 or ended == "read", (command, name, written, ended)
        if name in SOUND:
            assert ended == "read", (command, name, ended)
        elif name in LARGE or name in HOSTILE:
            assert ended.startswith("refused"), (command, name)


@pytest.mark.parametrize("name", FILES)
def test_the_pages(cast: Cast, name: str) -> None:
    """Upload, columns, check, import: each step answers, and what was not checked writes nothing."""
    cast.object(address="ул. Мира, д. 1")
    sergei = desk(cast.sergei)
    kind = ("objects", "customers")[crc32(name.encode()) % 2]
    before = records()
    file = SimpleUploadedFile(f"{name}.xlsx", FILES[name]())
    with in_time(30):
        answer = sergei.post(BASE, {"kind": kind, "file": file})
    if answer.status_code != 302:
        assert answer.status_code == 422, content(answer)[:500]
        assert b"The file was not taken." in content(answer)
        assert not Upload.objects.exists()
        assert records() == before
        return
    url = str(answer["Location"]).removesuffix("columns/")
    with in_time(30):
        page = sergei.get(f"{url}columns/")
    assert page.status_code in {200, 422}, content(page)[:500]
    with in_time(30):
        answer = sergei.post(f"{url}columns/", chosen_or_guessed(sergei, url))
        inprocess.do_everything_due()
    assert answer.status_code in {302, 422}, content(answer)[:500]
    if answer.status_code == 422:
        assert not ImportJob.objects.exists()
        return
    assert records() == before
    with in_time(30):
        for path in (url, f"{url}?outcome=problem", f"{url}rows.csv", f"{url}columns/"):
            shown = sergei.get(path)
            assert content(shown) is not None
            assert shown.status_code < 400, (path, shown.status_code)
        checked = ImportJob.objects.get()
        assert sergei.post(f"{url}run/").status_code == 302
        inprocess.do_everything_due()
        assert sergei.get(url).status_code == 200
    assert checked.status in {JobStatus.DONE, JobStatus.FAILED}
    if checked.status == JobStatus.FAILED:
        assert checked.error_message
        assert records() == before


def records() -> dict[str, Any]:
    """What an import could write."""
    rows = everything()
    return {label: rows[label] for label in WRITTEN}


def chosen_or_guessed(client: Any, url: str) -> dict[str, str]:
    """The form of the columns as it stands; a first column that means nothing is the address."""
    try:
        form = chosen(client, url)
    except AssertionError:
        # A file that cannot be read any further has no form.
        return {"header_line": "1", "sheet": ""}
    if "address" not in form.values() and "column-0" in form:
        form["column-0"] = "address"
    return form
