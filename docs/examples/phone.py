"""A phone in plain Python: what a client of the offline sync has to do, and nothing else.

    phone = Phone("phone.sqlite3", "https://crm.example.com")
    phone.log_in("ivan@example.com", "password")
    phone.sync()
    house = phone.create("objects", address="ул. Тверская, д. 1")
    phone.edit("objects", house, status="INTEREST")  # works without a network
    phone.sync()  # when there is one, as often as you like

The rules, each marked in the code:
 1. What a person types goes into the outbox first and stays there until the server has answered for it.
 2. New records get their ids here, so that others can refer to them before the server has heard of any.
 3. An edit carries only the fields that changed and the version that the person saw.
 4. A page and its cursor are stored in one transaction.
 5. A version lower than the one at hand is old news.
 6. 410 means: start over without a cursor. The outbox stays; rows that do not come again go at the end.
 7. A lost answer is no problem: send the same items again, unchanged.
 8. A refused item waits for a person, never in the way of the others.
 9. What was saved becomes part of the copy at once: the next edit is based on it, pulled or not.
10. A replayed answer is old news, too: the record may have gone since, and its end may have been pulled.
11. Half an answer is none: a connection may break between any two bytes.
"""

import http.client
import json
import sqlite3
import urllib.error
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    table_name TEXT, id TEXT, version INTEGER, data TEXT, life INTEGER, PRIMARY KEY (table_name, id));
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, table_name TEXT, id TEXT, action TEXT, payload TEXT,
    version INTEGER, updated_at TEXT, refusal TEXT);
CREATE TABLE IF NOT EXISTS state (name TEXT PRIMARY KEY, value TEXT);
"""
BATCH = 200
PAGE = 1000
GONE = 410
CONFLICT = 409


class Phone:
    """One person's copy of what they may see, and what they have typed since."""

    def __init__(self, path: str, server: str) -> None:
        self.api = f"{server}/api/v1"
        self.db = sqlite3.connect(path)
        self.db.executescript(SCHEMA)
        self.device = self.state("device") or str(uuid4())
        self.remember("device", self.device)

    # --- what the person does -------------------------------------------------------------------------

    def log_in(self, username: str, password: str) -> None:
        """Get a token. (A real phone keeps the refresh token, too.)"""
        _status, body = self.request(
            "POST", "/auth/token", {"username": username, "password": password}
        )
        self.remember("token", body["access_token"])

    def create(self, table: str, **fields: Any) -> str:
        """Rule 2: a new record has its id at once."""
        record_id = str(uuid4())
        self.put(table, record_id, "upsert", fields, None)
        return record_id

    def edit(self, table: str, record_id: str, **fields: Any) -> None:
        """Rule 3: only what changed, based on the version at hand."""
        self.put(table, record_id, "upsert", fields, self.version_of(table, record_id))

    def delete(self, table: str, record_id: str) -> None:
        """Ask for a deletion."""
        self.put(table, record_id, "delete", {}, self.version_of(table, record_id))

    def show(self, table: str) -> dict[str, dict[str, Any]]:
        """Id → record as the person should see it: the copy, and what waits in the outbox over it."""
        rows = self.db.execute("SELECT id, data FROM records WHERE table_name = ?", [table])
        shown = {record_id: json.loads(data) for record_id, data in rows}
        waiting = self.db.execute(
            "SELECT id, action, payload FROM outbox WHERE table_name = ? AND refusal IS NULL ORDER BY number",
            [table],
        )
        for record_id, action, payload in waiting:
            if action == "delete":
                shown.pop(record_id, None)
            else:
                shown.setdefault(record_id, {"id": record_id}).update(json.loads(payload))
        return shown

    def refused(self) -> list[dict[str, Any]]:
        """Rule 8: the results of items that somebody has to look at, with the `number` of each."""
        rows = self.db.execute("SELECT number, refusal FROM outbox WHERE refusal IS NOT NULL")
        return [{"number": number, **json.loads(refusal)} for number, refusal in rows]

    def discard(self, number: int) -> None:
        """Take the server's side."""
        with self.db:
            self.db.execute("DELETE FROM outbox WHERE number = ?", [number])

    def insist(self, number: int) -> None:
        """Take one's own side: the edit again, based on the version that the conflict told of."""
        [row] = self.db.execute("SELECT refusal FROM outbox WHERE number = ?", [number])
        version = json.loads(row[0])["server_version"]
        with self.db:
            self.db.execute(
                "UPDATE outbox SET refusal = NULL, version = ? WHERE number = ?", [version, number]
            )

    # --- syncing --------------------------------------------------------------------------------------

    def sync(self) -> None:
        """Send what was typed, then fetch what is new. Raises OSError without a network: try again later."""
        self.push()
        self.pull()

    def push(self) -> None:
        """Send the outbox, oldest first. Rule 7: whatever is still in it is simply sent again."""
        sent = 0
        while True:
            rows = self.db.execute(
                "SELECT number, table_name, id, action, payload, version, updated_at FROM outbox"
                " WHERE refusal IS NULL AND number > ? ORDER BY number LIMIT ?",
                [sent, BATCH],
            ).fetchall()
            if not rows:
                return
            items = [
                {
                    "client_generated_id": record_id, "table_name": table, "action": action,
                    "payload": json.loads(payload), "version": version, "updated_at": updated_at,
                }
                for _number, table, record_id, action, payload, version, updated_at in rows
            ]  # fmt: skip
            # 409 says that some items conflict: the results are there all the same.
            _status, body = self.request(
                "POST", "/sync/batch", {"items": items, "strategy": "merge"}, CONFLICT
            )
            with self.db:
                for row, result in zip(rows, body["results"], strict=True):
                    self.settle(row, result)
            sent = rows[-1][0]

    def settle(self, row: tuple[Any, ...], result: dict[str, Any]) -> None:
        """Take note of one item's result."""
        number, table, record_id, action, payload = row[:5]
        if result["error_code"] is None:
            self.db.execute("DELETE FROM outbox WHERE number = ?", [number])
            self.take_over(table, record_id, action, json.loads(payload), result)
            # What was typed on the record meanwhile comes after what has just been saved.
            self.db.execute(
                "UPDATE outbox SET version = max(coalesce(version, 0), ?)"
                " WHERE table_name = ? AND id = ? AND number > ? AND refusal IS NULL",
                [result["server_version"], table, record_id, number],
            )
        elif result["error_code"] != "DEPENDENCY_FAILED":
            # Rule 8. (What failed only because of another item just goes along next time.)
            self.db.execute(
                "UPDATE outbox SET refusal = ? WHERE number = ?", [json.dumps(result), number]
            )

    def take_over(
        self,
        table: str,
        record_id: str,
        action: str,
        payload: dict[str, Any],
        result: dict[str, Any],
    ) -> None:
        """Rule 9. The next pull brings the record as the server shows it, or tells of its end."""
        version, late = result["server_version"], result["replayed"]
        change = {"table_name": table, "id": record_id, "action": action, "version": version}
        if action == "delete":
            if not late:  # rule 10: it may have been restored
                self.apply(change)
            return
        rows = self.db.execute(
            "SELECT data, version, life FROM records WHERE table_name = ? AND id = ?",
            [table, record_id],
        )
        data, held, life = next(rows, ("{}", None, self.life()))
        if held is not None and held >= version and life == self.life():
            # Nothing had to be changed, or it has been pulled already, as the server shows it: no pull
            # would mend what was typed (a phone with brackets, a field that the server does not know).
            return
        change["data"] = {"id": record_id, **json.loads(data), **payload, "version": version}
        # Rule 10: what is not held may have been deleted. It stays until a pull has ended without it.
        self.apply(change, life=self.life() - 1 if late and held is None else None)

    def pull(self) -> None:
        """Fetch page after page until there is no more. Raises OSError when it has to be tried again."""
        more, started_over = True, False
        while more:
            cursor = self.state("cursor") or ""
            if not cursor:
                # A new life of the copy: whatever does not come in it goes, for of what went earlier it is
                # not told, be it from the old copy or something that was saved meanwhile.
                self.remember("life", str(self.life() + 1))
            query = urllib.parse.urlencode({"cursor": cursor, "limit": PAGE})
            status, page = self.request("GET", f"/sync/changes?{query}", None, GONE)
            if status == GONE:
                # Rule 6: the outbox is not touched.
                self.remember("cursor", "")
                if started_over or not cursor:
                    raise ConnectionError("the server asks to start over again: later")
                started_over = True
                continue
            more = page["has_more"]
            with self.db:  # rule 4
                for change in page["items"]:
                    self.apply(change)
                if not more:
                    self.db.execute("DELETE FROM records WHERE life < ?", [self.life()])
                self.write_state("cursor", page["next_cursor"])

    def apply(self, change: dict[str, Any], life: int | None = None) -> None:
        """Take over one change. life: of which life of the copy it is, if not of this one."""
        key = [change["table_name"], change["id"]]
        if change["action"] == "delete":
            self.db.execute("DELETE FROM records WHERE table_name = ? AND id = ?", key)
            return
        self.db.execute(
            "INSERT INTO records (table_name, id, version, data, life) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT (table_name, id) DO UPDATE SET version = excluded.version, data = excluded.data,"
            " life = excluded.life WHERE excluded.version >= version OR excluded.life > life",  # rule 5
            [
                *key, change["version"], json.dumps(change["data"]),
                self.life() if life is None else life,
            ],
        )  # fmt: skip

    # --- small things ---------------------------------------------------------------------------------

    def put(
        self, table: str, record_id: str, action: str, fields: dict[str, Any], version: int | None
    ) -> None:
        """Rule 1: into the outbox. The moment makes two edits of the same content two items."""
        now = datetime.now(UTC).isoformat()
        with self.db:
            self.db.execute(
                "INSERT INTO outbox (table_name, id, action, payload, version, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                [table, record_id, action, json.dumps(fields), version, now],
            )

    def version_of(self, table: str, record_id: str) -> int | None:
        """The version at hand; None of a record that the server has not confirmed yet."""
        rows = self.db.execute(
            "SELECT version FROM records WHERE table_name = ? AND id = ?", [table, record_id]
        )
        return next((version for [version] in rows), None)

    def life(self) -> int:
        """How often the copy has started over."""
        return int(self.state("life") or 0)

    def state(self, name: str) -> str | None:
        """A remembered value."""
        rows = self.db.execute("SELECT value FROM state WHERE name = ?", [name])
        return next((value for [value] in rows), None)

    def remember(self, name: str, value: str) -> None:
        """Keep a value across restarts."""
        with self.db:
            self.write_state(name, value)

    def write_state(self, name: str, value: str) -> None:
        """The same inside of a transaction."""
        self.db.execute("REPLACE INTO state (name, value) VALUES (?, ?)", [name, value])

    def request(self, method: str, path: str, body: Any, expected: int = 200) -> tuple[int, Any]:
        """Status and JSON of an answer: 200 or the expected refusal. Raises urllib's errors for others.

        Rule 11: all of these are OSErrors, and so is half an answer.
        """
        headers = {"Content-Type": "application/json", "X-Device-ID": self.device}
        if token := self.state("token"):
            headers["Authorization"] = f"Bearer {token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.api + path, data, headers, method=method)  # noqa: S310
        try:
            try:
                answer = urllib.request.urlopen(request, timeout=60)  # noqa: S310
            except urllib.error.HTTPError as error:
                if error.code != expected:
                    raise
                answer = error
            with answer:
                return answer.status, json.load(answer)
        except (http.client.HTTPException, ValueError) as error:
            raise ConnectionError("the answer broke off") from error
