"""docs/sync.md: its examples are what happens, its tables are whole, and both languages agree."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from crm import figures
from crm.errors import Code
from objects.models import Unit
from sync.changes_serializers import ChangeSerializer, ChangesSerializer
from sync.cursors import REASONS
from sync.entities import BY_NAME
from sync.outcomes import ItemCode, Status
from sync.serializers_batch import BatchSerializer, ItemSerializer, ResultSerializer
from tests.cast import Cast
from tests.contracts.envelope import refused

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    name: (ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("sync.md", "sync.ru.md")
}
PAGE = PAGES["sync.md"]
EXAMPLES = [
    json.loads(each) for each in re.findall(r"^```json\n(.*?)\n```", PAGE, re.MULTILINE | re.DOTALL)
]
CHANGES, REFUSED_CURSOR, BATCH, ANSWER, DIFF = EXAMPLES


def said(page: str) -> list[list[str]]:
    """What stands in back quotes, part by part: names are the same in every language."""
    prose = re.sub(r"```.*?```", "", page, flags=re.DOTALL)
    return [
        sorted(re.findall(r"`([^`]+)`", part))
        for part in re.split(r"^#+ ", prose, flags=re.MULTILINE)
    ]


def test_both_languages_have_the_same_parts() -> None:
    shapes = [
        (
            re.findall(r"^(#+) ", text, re.MULTILINE),
            re.findall(r"^```json\n.*?\n```", text, re.MULTILINE | re.DOTALL),
        )
        for text in PAGES.values()
    ]
    assert shapes[0] == shapes[1]
    for english, russian in zip(*map(said, PAGES.values()), strict=True):
        assert english == russian
    numbers = [
        [len(re.findall(mark, text, re.MULTILINE)) for mark in (r"^\| ", r"^- ", r"^\d\. ")]
        for text in PAGES.values()
    ]
    assert numbers[0] == numbers[1]


@pytest.mark.parametrize("page", PAGES)
def test_tables_are_whole(page: str) -> None:
    text = PAGES[page]
    reasons = re.findall(
        r"^\| `(\w+)` \| [^|]+ \|$", text.partition("410 `RESYNC_REQUIRED`")[2], re.MULTILINE
    )
    assert set(reasons[: len(REASONS)]) == set(REASONS)
    table = re.findall(
        r"^\| (`\w+`(?:, `\w+`)*) \| (null|`[A-Z_]+`) \| [^|]+ \|$", text, re.MULTILINE
    )
    listed = {name for names, _code in table for name in re.findall(r"\w+", names)}
    assert {*Status} <= listed
    codes = {code.strip("`") for _names, code in table} - {"null"}
    general = {
        "CONFLICT",
        "VALIDATION_ERROR",
        "FORBIDDEN",
        "DUPLICATE",
        "NOT_FOUND",
        "INTERNAL_ERROR",
    }
    assert codes == {*ItemCode} | general
    assert general <= {*Code}


@pytest.mark.parametrize("page", PAGES)
def test_every_figure_of_sync_is_explained(page: str) -> None:
    listed = re.findall(r"^\| `(crm_\w+)` \|", PAGES[page], re.MULTILINE)
    own = {name for name in figures._figures if name.startswith(("crm_sync_", "crm_feed_"))}
    assert set(listed) == own


def test_examples_have_the_members_that_there_are() -> None:
    assert CHANGES.keys() == ChangesSerializer().fields.keys()
    for change in CHANGES["items"]:
        assert change.keys() == ChangeSerializer().fields.keys()
        if change["data"] is not None:
            assert change["data"].keys() == BY_NAME[change["table_name"]].fields.keys()
    assert BATCH.keys() | {"force"} == BatchSerializer().fields.keys()
    for item in BATCH["items"]:
        assert item.keys() == ItemSerializer().fields.keys()
    for result in ANSWER["results"]:
        assert result.keys() == ResultSerializer().fields.keys()
    assert DIFF["server_data"].keys() == BY_NAME["units"].fields.keys()


@pytest.fixture
def unit(cast: Cast) -> Unit:
    """The flat that the examples speak of."""
    [change] = [each for each in CHANGES["items"] if each["table_name"] == "units"]
    house = cast.object(id=UUID(change["data"]["object_id"]))
    return cast.unit(house, id=UUID(change["id"]), unit_number=change["data"]["unit_number"])


def without_times(value: Any) -> Any:
    if isinstance(value, dict):
        times = {"created_at", "updated_at", "server_time", "next_cursor", "request_id"}
        return {name: without_times(one) for name, one in value.items() if name not in times}
    return [without_times(one) for one in value] if isinstance(value, list) else value


@pytest.mark.django_db(transaction=True)
def test_the_examples_happen_as_they_are_told(cast: Cast, unit: Unit) -> None:
    api = cast.api(cast.ivan)
    page = json.loads(api.get("/api/v1/sync/changes?tables=units").getvalue())
    assert without_times(page["items"]) == without_times(CHANGES["items"][:1])
    answer = api.post("/api/v1/sync/batch", BATCH)
    assert (answer.status_code, answer.json()) == (200, ANSWER)
    Unit.objects.filter(pk=unit.pk).update(floor=3)
    edit = {**BATCH["items"][2], "payload": DIFF["client_data"], "version": 1}
    conflict = api.post("/api/v1/sync/batch", {"items": [edit]})
    assert conflict.status_code == 409
    assert without_times(conflict.json()["error"]["details"]["diff"]) == without_times(DIFF)
    type(cast.ivan).objects.filter(pk=cast.ivan.pk).update(district=cast.north)
    query = {"cursor": page["next_cursor"], "tables": "units"}
    gone = api.get("/api/v1/sync/changes", query)
    assert refused(gone, 410) == {"reason": "scope_changed"}
    assert without_times(gone.json()) == without_times(REFUSED_CURSOR)
