"""Somebody at a desk does something to many records: choose, read what the page says, send it off."""

import re
from typing import Any
from uuid import UUID

from django.test import Client

from crm.backoffice.models import BulkJob

LISTS = {"objects": "objects/object", "units": "objects/unit", "visits": "visits/visit"}


def asked(client: Client, path: str, action: str, ids: Any = (), **more: Any) -> Any:
    """The page that asks: `path` of the list with its filters; no ids = everything that it shows."""
    form = {
        "action": action,
        "index": "0",
        "select_across": "0" if ids else "1",
        "_selected_action": [str(one) for one in ids] or [str(UUID(int=0))],
        **more,
    }
    return client.post(f"/admin/{path}", form)


def hidden(html: str) -> dict[str, Any]:
    """What the page carries along."""
    found: dict[str, Any] = {}
    for name in ("action", "select_across", "seen", "_selected_action"):
        values = re.findall(rf'name="{name}" value="([^"]*)"', html)
        found[name] = values if name == "_selected_action" else values[0]
    return found


def done(client: Client, path: str, action: str, ids: Any = (), **form: Any) -> BulkJob:
    """Choose, and send the page off; the job."""
    page = asked(client, path, action, ids)
    assert page.status_code == 200, page.content.decode()
    answer = sent(client, path, page, **form)
    assert answer.status_code == 302, answer.content.decode()
    return job_of(answer)


def sent(client: Client, path: str, page: Any, **form: Any) -> Any:
    """Send the page off."""
    return client.post(f"/admin/{path}", {**hidden(page.content.decode()), **form})


def job_of(answer: Any) -> BulkJob:
    """The job whose page is next."""
    found: BulkJob = BulkJob.objects.get(pk=answer["Location"].rstrip("/").rpartition("/")[2])
    return found


def counts(job: BulkJob) -> tuple[int, int, int]:
    """Done, unchanged, refused."""
    return job.changed, job.unchanged, job.refused
