"""What address is known already: in the database, and further up in the same file."""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Self
from uuid import UUID

# SQLite asks for at most this many parameters a statement, on the oldest versions in use.
_AT_ONCE = 900


class AddressIndex:
    """Keys of addresses (city id and addresses.address_key, 32 bytes) → object id and line of the file.

    It lies in a temporary file of SQLite's own, in memory while it is small: a city of a million
    objects must not cost hundreds of megabytes of dictionary. Close it, or use it in `with`.
    """

    def __init__(self) -> None:
        # "" is a private database on disk that vanishes when it is closed.
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA cache_size = -1000")
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute(
            "CREATE TABLE known (key BLOB PRIMARY KEY, id BLOB NOT NULL) WITHOUT ROWID"
        )
        self._database.execute(
            "CREATE TABLE seen (key BLOB PRIMARY KEY, line INTEGER NOT NULL, digest BLOB NOT NULL)"
            " WITHOUT ROWID"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def learn(self, pairs: Iterable[tuple[bytes, UUID]]) -> None:
        """Remember objects of the database. Of two with one address the first learnt stands."""
        self._database.executemany(
            "INSERT OR IGNORE INTO known VALUES (?, ?)", ((key, pk.bytes) for key, pk in pairs)
        )

    def known(self, keys: Iterable[bytes]) -> dict[bytes, UUID]:
        """Those of the keys that an object has."""
        wanted = list(keys)
        found: dict[bytes, UUID] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            part = wanted[start : start + _AT_ONCE]
            marks = ",".join("?" * len(part))
            rows = self._database.execute(
                f"SELECT key, id FROM known WHERE key IN ({marks})",  # noqa: S608 - only marks
                part,
            )
            found.update((key, UUID(bytes=pk)) for key, pk in rows)
        return found

    def first_seen(
        self, rows: Sequence[tuple[bytes, int, bytes]]
    ) -> Mapping[int, tuple[int, bool]]:
        """Note rows (key, line, digest of the values); tell which repeat an earlier line.

        A row that is noted a second time, because its batch is tried again, repeats nothing.
        The answer maps a repeating line to the first line with that address and whether both rows
        say the same.
        """
        repeats: dict[int, tuple[int, bool]] = {}
        for key, line, digest in rows:
            added = self._database.execute(
                "INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, line, digest)
            )
            if not added.rowcount:
                first, same = self._database.execute(
                    "SELECT line, digest = ? FROM seen WHERE key = ?", (digest, key)
                ).fetchone()
                if first != line:
                    repeats[line] = (first, bool(same))
        return repeats

    def seen(self, key: bytes) -> tuple[int, bytes] | None:
        """The line that noted this key first, and its digest."""
        found = self._database.execute(
            "SELECT line, digest FROM seen WHERE key = ?", (key,)
        ).fetchone()
        return None if found is None else (int(found[0]), bytes(found[1]))

    def note(self, key: bytes, line: int, digest: bytes) -> None:
        """Note a key, unless an earlier line did."""
        self._database.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, line, digest))
