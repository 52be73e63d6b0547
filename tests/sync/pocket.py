"""The reference client (docs/examples/phone.py) in somebody's pocket: its requests go to the views.

The network is as bad as a test wants it, and every answer is read along: an engineer's holds no whole phone
or address, and no feed mentions what its reader never could have seen.
"""

import json
import random
from collections.abc import Callable, Iterable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qsl
from uuid import UUID

from rest_framework.renderers import JSONRenderer

from crm.users.models import User
from sync.entities import ENTITIES, TABLES
from tests.cast import Cast
from tests.leaks import SECRETS
from tests.sync.sight import Key

PATH = Path(__file__).resolve().parents[2] / "docs" / "examples" / "phone.py"
# Requests of one pull or push; a client that asks more often than that asks for ever.
PATIENCE = 2000
# What becomes of a request: answered, lost on the way there, or answered in vain.
FINE, LOST, UNANSWERED = "fine", "lost", "unanswered"


def reference_client() -> Any:
    """The module, loaded anew."""
    spec = spec_from_file_location("phone", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def seeded_ids(seed: int) -> Callable[[], UUID]:
    """Ids that come out the same in every run."""
    chance = random.Random(seed)
    return lambda: UUID(int=chance.getrandbits(128), version=4)


class Pocket:
    """One person's phone. `api` is a client that talks as that person.

    weather: what becomes of the next requests; fine when it is used up. may_know: the ids that the feed may
    mention, if that is to be watched. after_push runs after each batch that reached the server.
    """

    def __init__(self, cast: Cast, user: User, *, path: str = ":memory:", seed: int = 0) -> None:
        self.cast, self.user = cast, user
        self.module = reference_client()
        self.module.uuid4 = seeded_ids(seed)
        self.phone = self.module.Phone(path, "")
        self.phone.request = self.request
        self.log_in()
        self.weather: list[str] = []
        self.strategy: dict[str, Any] = {}
        self.may_know: set[Key] | None = None
        self.after_push: Callable[[], None] = lambda: None
        self.secrets: set[str] = set()
        self.reasons: list[str] = []
        self.results: list[dict[str, Any]] = []
        self.saved: dict[str, tuple[str, int]] = {}
        self.asked = 0

    def log_in(self) -> None:
        """A new session, as after a deactivation."""
        self.api = self.cast.api(self.user)

    # --- what the phone does ---

    def pull(self, *, page: int = 1000, weather: Iterable[str] = ()) -> bool:
        """Whether the pull came to its end."""
        self.module.PAGE = page
        return self.carried_out(self.phone.pull, weather)

    def push(self, *, batch: int = 200, weather: Iterable[str] = (), **strategy: Any) -> bool:
        """Whether the whole outbox was answered for."""
        self.module.BATCH, self.strategy = batch, strategy
        return self.carried_out(self.phone.push, weather)

    def carried_out(self, action: Callable[[], None], weather: Iterable[str]) -> bool:
        """Whether the action came to its end in that weather."""
        self.weather, self.asked = list(weather), 0
        try:
            action()
        except OSError:
            return False
        finally:
            self.weather = []
        return True

    def records(self) -> "Held":
        """(table, id) → version and data of everything that the copy holds."""
        rows = self.phone.db.execute("SELECT table_name, id, version, data FROM records")
        return {(table, id_): (version, json.loads(data)) for table, id_, version, data in rows}

    def outbox(self) -> list[tuple[Any, ...]]:
        """Everything that waits, in order."""
        columns = "table_name, id, action, payload, version, updated_at, refusal"
        found: list[tuple[Any, ...]] = self.phone.db.execute(
            f"SELECT {columns} FROM outbox ORDER BY number"
        ).fetchall()
        return found

    # --- the network ---

    def request(self, method: str, path: str, body: Any, expected: int = 200) -> tuple[int, Any]:
        """In place of the client's own: to the views, through the weather."""
        self.asked += 1
        assert self.asked < PATIENCE, "the client asks for ever"
        fate = self.weather.pop(0) if self.weather else FINE
        if fate == LOST:
            raise URLError("a cellar")
        address, _, query = path.partition("?")
        if method == "GET":
            answer = self.api.get(f"/api/v1{address}", dict(parse_qsl(query)))
        else:
            self.api.defaults["HTTP_X_DEVICE_ID"] = self.phone.device
            answer = self.api.post(f"/api/v1{address}", {**body, **self.strategy})
        content = answer.getvalue()
        self.read_along(content)
        told = json.loads(content)
        self.understand(address, answer.status_code, told)
        if address == "/sync/batch" and answer.status_code != 401:
            self.count_once(body["items"], told["results"])
        if fate == UNANSWERED:
            raise URLError("a lift")
        if answer.status_code not in (200, expected):
            raise HTTPError(path, answer.status_code, str(told), answer.headers, None)
        return answer.status_code, told

    def read_along(self, content: bytes) -> None:
        """Look for whole phones and addresses in what an engineer gets."""
        if User.objects.get(pk=self.user.pk).role != "ENGINEER":
            return
        text = content.decode()
        found = [secret for secret in self.secrets if secret in text]
        found += [
            str(match) for kind in ("phone", "e-mail") for match in SECRETS[kind].findall(text)
        ]
        assert not found, (found, text)

    def understand(self, address: str, status: int, told: Any) -> None:
        """Check what every answer promises, and note it."""
        # 401: the person has been deactivated.
        assert status in (200, 401, 409, 410), (status, told)
        if status == 410:
            self.reasons.append(told["error"]["details"]["reason"])
        if address == "/sync/batch" and status != 401:
            self.results += told["results"]
            self.after_push()
            assert "INTERNAL_ERROR" not in {one["error_code"] for one in told["results"]}, told
            if self.may_know is not None:
                existing = {one["existing_id"] for one in told["results"]} - {None}
                assert existing <= {record_id for _table, record_id in self.may_know}
        if address == "/sync/changes" and status == 200 and self.may_know is not None:
            mentioned = {(item["table_name"], item["id"]) for item in told["items"]}
            assert mentioned <= self.may_know, (str(self.user), mentioned - self.may_know)

    def count_once(self, items: list[dict[str, Any]], results: list[dict[str, Any]]) -> None:
        """What was saved and is sent again, unchanged, is answered as before and changes nothing."""
        for item, result in zip(items, results, strict=True):
            key = json.dumps(item, sort_keys=True)
            if key in self.saved:
                assert result["replayed"], (item, result)
                assert (result["status"], result["server_version"]) == self.saved[key]
            elif result["error_code"] is None:
                self.saved[key] = (result["status"], result["server_version"])


Held = dict[Key, tuple[int, dict[str, Any]]]
NESTED = {"city", "district", "responsible_user", "object", "unit", "customer", "engineer"}


def shown_by_the_api(pocket: Pocket) -> Held:
    """(table, id) → version and own fields of everything in the person's lists."""
    found = {}
    for table in TABLES:
        answer = pocket.api.get(f"/api/v1/{table}", {"limit": "1000"})
        assert answer.status_code == 200, answer.content
        pocket.read_along(answer.content)
        assert not answer.json()["has_next"]
        for row in answer.json()["items"]:
            own = {name: value for name, value in row.items() if name not in NESTED}
            found[table, row["id"]] = (row["version"], own)
    return found


def written_by_the_api(user: User) -> Held:
    """The same without the requests, several times as fast: the API's own fields over the rows in sight."""
    found: Held = {}
    for entity in ENTITIES:
        fields = entity.serializer(context={"reader": user}).fields
        for row in entity.model.objects.visible_to(user):
            shown = {}
            for name in entity.fields:
                value = getattr(row, str(fields[name].source))
                shown[name] = None if value is None else fields[name].to_representation(value)
            # As text and back: what travels is JSON.
            text = JSONRenderer().render(shown)
            found[entity.name, str(row.pk)] = (row.version, json.loads(text))
    return found
