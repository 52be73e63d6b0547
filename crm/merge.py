"""Who changed what since when: the one judgement behind optimistic locking and offline merging.

Pure functions. `field_versions` (field → the version of its last change) is the only source; a field that it
does not name has not changed since version 1.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Hint(StrEnum):
    """How the two sides relate."""

    STALE_VERSION = "STALE_VERSION"
    HARD_CONFLICT = "HARD_CONFLICT"


class Strategy(StrEnum):
    """What to do with a stale edit."""

    REJECT = "reject"
    MERGE = "merge"
    FORCE = "force"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What stands between an edit and the row.

    stale: the row is not at the version that the edit was based on.
    differing: fields of the edit whose value differs from the row's.
    conflicting: those of them that others changed since.
    """

    stale: bool
    differing: tuple[str, ...]
    conflicting: tuple[str, ...]

    @property
    def hint(self) -> Hint:
        """HARD_CONFLICT when both sides changed a field to different values."""
        return Hint.HARD_CONFLICT if self.conflicting else Hint.STALE_VERSION

    @property
    def strategy(self) -> Strategy:
        """What is worth trying next."""
        return Strategy.FORCE if self.conflicting else Strategy.MERGE

    def admits(self, strategy: Strategy) -> bool:
        """Whether the edit may be applied under `strategy`."""
        if not self.stale or strategy == Strategy.FORCE:
            return True
        return strategy == Strategy.MERGE and not self.conflicting


def same(one: Any, other: Any) -> bool:
    """Whether two values are the same to JSON, where `true` is not 1 as it is in Python, however deep."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def judge(
    *,
    base_version: int | None,
    current_version: int,
    field_versions: Mapping[str, int],
    server: Mapping[str, Any],
    client: Mapping[str, Any],
    own_versions: Collection[int] = (),
) -> Verdict:
    """Compare an edit (`client`: field → value) with the row (`server`, at `current_version`).

    A base version above the current one (a restored backup, an invented number) says nothing of what the
    client has seen: every differing field counts as conflicting. So does an absent base version.

    own_versions: those that earlier edits of the same client produced. They stand between nobody and the row:
    a chain of edits made offline, all based on one version, is no conflict with itself.
    """
    differing = tuple(name for name, value in client.items() if not same(server.get(name), value))
    if base_version is not None and own_versions:
        later = sum(base_version < version <= current_version for version in own_versions)
        if later == current_version - base_version:
            current_version = base_version
        field_versions = {
            name: version for name, version in field_versions.items() if version not in own_versions
        }
    if base_version == current_version:
        return Verdict(stale=False, differing=differing, conflicting=())
    if base_version is None or base_version > current_version:
        return Verdict(stale=True, differing=differing, conflicting=differing)
    conflicting = tuple(name for name in differing if field_versions.get(name, 1) > base_version)
    return Verdict(stale=True, differing=differing, conflicting=conflicting)
