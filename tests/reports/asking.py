"""Asking for exports as a client does, and reading the files."""

import csv
import io
from typing import Any

import openpyxl

from crm.jobs.kinds import kind_of
from crm.jobs.running import perform
from crm.users.models import User
from reports.models import ReportJob
from tests.cast import Cast

EXPORT = "/api/v1/reports/export"
JOBS = "/api/v1/reports/jobs"
KIND = "reports.ReportJob"


def asked(cast: Cast, user: User, **body: Any) -> ReportJob:
    """The job of a new export."""
    answer = cast.api(user).post(EXPORT, {"entity": "objects", "format": "csv", **body})
    assert answer.status_code == 201, answer.content.decode()
    return ReportJob.objects.get(pk=answer.json()["id"])


def done(job: ReportJob) -> ReportJob:
    """The job, once it was done here and now. Needs `django_db(transaction=True)`."""
    perform(kind_of(KIND), job.pk)
    job.refresh_from_db()
    assert job.status == "done", job.error_message
    return job


def content(answer: Any) -> bytes:
    """The bytes of a download."""
    assert answer.status_code == 200, answer.content
    found: bytes = b"".join(answer.streaming_content)
    assert len(found) == int(answer["Content-Length"])
    return found


def rows_of_csv(data: bytes) -> list[list[str]]:
    """Header and rows. The delimiter depends on the language."""
    text = data.decode("utf-8-sig")
    header = text.partition("\n")[0]
    return list(csv.reader(io.StringIO(text), delimiter=";" if ";" in header else ","))


def rows_of_xlsx(data: bytes) -> list[list[Any]]:
    """Header and rows."""
    sheet = openpyxl.load_workbook(io.BytesIO(data), read_only=True).worksheets[0]
    return [list(row) for row in sheet.iter_rows(values_only=True)]
