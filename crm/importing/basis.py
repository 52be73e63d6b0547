"""What a dry run saw, kept until the run: so that a change in between is told, not overwritten."""

from array import array
from bisect import bisect_left
from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID
from zlib import crc32

from django.utils.translation import gettext as _

from crm.importing.outcomes import Outcome, RowResult
from crm.merge import judge

_FORMAT = b"basis1"
_VERSION_BITS = 32


class ChangedSince(ValueError):
    """Somebody was faster. The message is a sentence for a person."""


class Basis:
    """For each row of a dry run the record that it matched, with its version: 12 bytes a row.

    Rows are noted in the order of their lines.
    """

    def __init__(self) -> None:
        self._lines = array("L" if array("L").itemsize == 4 else "I")  # noqa: PLR2004 - 4 bytes
        self._seen = array("Q")

    def note(self, row: RowResult) -> None:
        """Keep what the dry run saw of a row. A problem leaves nothing: it was going to change nothing."""
        if row.outcome in (Outcome.CREATE, Outcome.UPDATE, Outcome.UNCHANGED):
            self._lines.append(row.line)
            known = row.record_id is not None and row.version is not None
            self._seen.append(_mark(row.record_id, row.version) if known else 0)

    def to_bytes(self) -> bytes:
        """For storing between dry run and run."""
        return _FORMAT + self._lines.tobytes() + self._seen.tobytes()

    @classmethod
    def from_bytes(cls, stored: bytes) -> "Basis":
        """Raises ValueError for what `to_bytes` did not make."""
        basis = cls()
        body = stored.removeprefix(_FORMAT)
        count, rest = divmod(len(body), 12)
        if rest or body is stored:
            raise ValueError("This is no basis of an import.")
        basis._lines.frombytes(body[: count * 4])
        basis._seen.frombytes(body[count * 4 :])
        return basis

    def __len__(self) -> int:
        return len(self._lines)

    def refuse_new(self, line: int) -> None:
        """Raise ChangedSince when the row was to change a record that is not there any more."""
        if self._mark_of(line):
            raise ChangedSince(
                _("The record that this line was going to change is gone since the check.")
            )

    def refuse_changed(self, line: int, record: Any, changes: Mapping[str, Any]) -> None:
        """Raise ChangedSince when others changed the same fields since the dry run.

        A row that changes nothing passes: it may have been applied by a run that was broken off.
        """
        if not changes:
            return
        mark = self._mark_of(line)
        same = mark is not None and mark >> _VERSION_BITS == crc32(record.pk.bytes)
        verdict = judge(
            base_version=(mark or 0) % 2**_VERSION_BITS if same else None,
            current_version=record.version,
            field_versions=record.field_versions,
            server={name: getattr(record, name) for name in changes},
            client=changes,
        )
        if verdict.conflicting:
            raise ChangedSince(
                _("Somebody changed this record since the check: %(fields)s.")
                % {"fields": ", ".join(labels(record, verdict.conflicting))}
            )

    def _mark_of(self, line: int) -> int | None:
        """What was noted of the row: 0 for a new record, None for nothing."""
        at = bisect_left(self._lines, line)
        found = at < len(self._lines) and self._lines[at] == line
        return self._seen[at] if found else None


def _mark(record_id: UUID | None, version: int | None) -> int:
    return (crc32(record_id.bytes) << _VERSION_BITS) + version if record_id and version else 0


def labels(record: Any, columns: Collection[str]) -> list[str]:
    """What people call a record's columns."""
    fields = {field.attname: field for field in record._meta.concrete_fields}
    return [str(fields[column].verbose_name) for column in columns]
