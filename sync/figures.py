"""What /metrics tells of sync. docs/sync.md says what to do when a figure looks wrong."""

from collections import Counter as Tally
from collections.abc import Iterable, Iterator

from django.db import connection

from crm.db.positions import horizon_age
from crm.figures import Counter, Gauge
from crm.merge import Hint
from sync.cursors import REASONS
from sync.outcomes import Outcome, Status, code_of

PUSHES = Counter("crm_sync_pushes_total", "Batches of offline edits that were worked off.")
ITEMS = Counter(
    "crm_sync_push_items_total",
    "Items of pushes by what became of them; replayed ones had been applied before.",
    outcome=(*Status, "replayed"),
)
ERRORS = Counter("crm_sync_push_errors_total", "Items refused, by error code.", code=())
CONFLICTS = Counter("crm_sync_conflicts_total", "Items in conflict, by how hard.", kind=tuple(Hint))
RETRIES = Counter(
    "crm_sync_push_retries_total",
    "Batches begun anew because others came in between (moved), or the database had to choose (deadlock).",
    reason=("moved", "deadlock"),
)
PULLS = Counter(
    "crm_sync_pulls_total",
    "Pages of the feed, by where they begin: nothing held yet, a cursor, or a moment.",
    begin=("first", "cursor", "since"),
)
ROWS = Counter("crm_sync_feed_rows_total", "Rows sent in pages of the feed.")
RESYNCS = Counter("crm_sync_resyncs_total", "Cursors refused with 410, by reason.", reason=REASONS)
HORIZON = Gauge(
    "crm_feed_horizon_age_seconds",
    "For how long, at most, the oldest open transaction that writes has held the feed back.",
    lambda: horizon_age(connection),
)


def count_push(outcomes: Iterable[Outcome]) -> None:
    """Count a batch and what became of its items."""
    PUSHES.add()
    ends, hints, codes = Tally[str](), Tally[str](), Tally[str]()
    for outcome in outcomes:
        ends["replayed" if outcome.replayed else str(outcome.status)] += 1
        if outcome.diff is not None:
            hints[outcome.diff["resolution_hints"]["code"]] += 1
        elif outcome.error is not None:
            codes[code_of(outcome.error)] += 1
    for end, number in ends.items():
        ITEMS.add(number, outcome=end)
    for hint, number in hints.items():
        CONFLICTS.add(number, kind=hint)
    for code, number in codes.items():
        ERRORS.add(number, code=code)


def counted(page: Iterator[bytes]) -> Iterator[bytes]:
    """The same page, its rows counted as they go: it comes as a beginning, its rows, and an end."""
    parts = 0
    try:
        for part in page:
            yield part
            parts += 1
        parts -= 1
    finally:
        ROWS.add(max(0, parts - 1))
