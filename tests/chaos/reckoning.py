"""Afterwards: what was promised is compared with what the database holds. Each check gives what is wrong."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, Q

from audit.models import AuditEntry
from crm.jobs.models import ACTIVE
from crm.users.models import User
from objects.models import Object
from reports.models import ReportJob
from sync.entities import ENTITIES
from tests.chaos.faults import Told
from tests.chaos.load import PhoneUser
from tests.chaos.witness import NO_ANSWER, Seen, Witness, Write
from tests.sync.pocket import written_by_the_api
from tests.sync.sight import Sight
from visits.models import Visit

MODELS: Final = {entity.name: entity.model for entity in ENTITIES}
RECOVERY_SECONDS: Final = 10.0
# Clients hang when an answer takes that long.
ANSWER_SECONDS: Final = 20.0

Key = tuple[str, str]


class Trail:
    """The audit trail since the run began, by record."""

    def __init__(self, known: set[UUID]) -> None:
        self.by_record: dict[UUID, list[AuditEntry]] = defaultdict(list)
        self.by_value: Counter[str] = Counter()
        for entry in AuditEntry.objects.exclude(pk__in=known).order_by("pk"):
            if entry.entity_id is not None:
                self.by_record[entry.entity_id].append(entry)
            for change in entry.changes_summary.values():
                self.by_value[spelt(change["new"])] += 1

    def times(self, value: Any) -> int:
        """How many entries tell that something became this value."""
        return self.by_value[spelt(value)]

    def of(self, record: Any, action: str) -> list[AuditEntry]:
        """The entries of a record."""
        return [entry for entry in self.by_record[record] if entry.action == action]


def spelt(value: Any) -> str:
    """A value as one text."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False)


def writes(witness: Witness, trail: Trail) -> Iterator[str]:
    """Every acknowledged write is there exactly once: in the trail, in the version, and in the value."""
    promised = {spelt(write.value): write for write in witness.promised}
    versions: dict[tuple[str, str, int | None], str] = {}
    for value, write in promised.items():
        if (times := trail.times(write.value)) != 1:
            yield f"{write.table} {write.record}: promised once, in the trail {times} times ({value})"
        other = versions.setdefault((write.table, write.record, write.version), value)
        if other != value and write.record:
            yield f"{write.table} {write.record}: two writers were promised version {write.version}"
    for write in witness.refused:
        if spelt(write.value) not in promised and trail.times(write.value):
            yield f"{write.table} {write.record}: refused, and done all the same"
    for write in witness.unknown:
        if trail.times(write.value) > 1:
            yield f"{write.table} {write.record}: done {trail.times(write.value)} times"
    yield from values(promised.values())


def values(promised: Iterable[Write]) -> Iterator[str]:
    """The last value that was promised for a field is the one that stands there."""
    by_table: dict[str, list[Write]] = defaultdict(list)
    for write in promised:
        by_table[write.table].append(write)
    for table, all_ in by_table.items():
        rows = MODELS[table]._base_manager.in_bulk({UUID(write.record) for write in all_})
        for write in all_:
            row = rows.get(UUID(write.record))
            if row is None:
                yield f"{table} {write.record}: promised, and not there"
                continue
            last = row.field_versions.get(write.field, 1)
            if last < (write.version or 0):
                yield f"{table} {write.record}: version {write.version} of {write.field} is lost"
            if last == write.version and getattr(row, write.field) != write.value:
                yield f"{table} {write.record}: another value than promised in version {last}"


def creations(witness: Witness, trail: Trail) -> Iterator[str]:
    """Every record that somebody was told was created was created once."""
    for (table, record), promised in Counter(witness.created).items():
        if not MODELS[table]._base_manager.filter(pk=record).exists():
            yield f"{table} {record}: created, and not there"
        if (times := len(trail.of(UUID(record), "create"))) != 1:
            yield f"{table} {record}: created {times} times (told {promised} times)"


def versions(before: dict[UUID, int], trail: Trail) -> Iterator[str]:
    """A record's version has grown by one for each of its entries: neither is there without the other."""
    for table, model in MODELS.items():
        for pk, version in model._base_manager.filter(deleted_at=None).values_list("pk", "version"):
            updates = len(trail.of(pk, "update"))
            if version != before.get(pk, 1) + updates:
                yield f"{table} {pk}: version {version} from {before.get(pk, 1)} with {updates} entries"


def counters() -> Iterator[str]:
    """What objects know of their visits is what their visits say."""
    done = (
        Visit.objects.filter(status="DONE", deleted_at=None)
        .values("object_id")
        .annotate(n=Count("pk"))
    )
    known = {row["object_id"]: row["n"] for row in done}
    for pk, count in Object.objects.filter(deleted_at=None).values_list("pk", "visits_count"):
        if count != known.get(pk, 0):
            yield f"objects {pk}: {count} visits counted, {known.get(pk, 0)} there"


def phones(all_: Sequence[PhoneUser]) -> Iterator[str]:
    """Every phone holds exactly what its person may see, as the API shows it; nothing is left to send."""
    sight = Sight()
    for phone in all_:
        user = User.objects.get(email=phone.email)
        if phone.left:
            yield f"{phone.who}: {len(phone.left)} items were never answered for"
        seen, held = sight.of(user), set(phone.held)
        if seen != held:
            yield f"{phone.who}: lacks {len(seen - held)} records, holds {len(held - seen)} too many"
        elif phone.held != (true := written_by_the_api(user)):
            differ = [key for key in true if phone.held[key] != true[key]]
            yield f"{phone.who}: {len(differ)} records differ, one is {differ[0]}"


def jobs(witness: Witness) -> Iterator[str]:
    """No job hangs; each is there once, and what is done has its one entry in the trail."""
    rows = {str(job.pk): job for job in ReportJob.objects.all()}
    yield from (
        f"export {one}: promised, and not there" for one in witness.exports if one not in rows
    )
    for job in rows.values():
        if job.status in ACTIVE:
            yield f"export {job.pk}: still {job.status}, after {job.attempts} attempts"
        if job.status == "failed" and not job.error_message:
            yield f"export {job.pk}: failed without a word"
        told = AuditEntry.objects.filter(Q(entity_id=job.pk), action="export").count()
        if told != (job.status == "done"):
            yield f"export {job.pk}: {job.status}, with {told} entries in the trail"


def answers(seen: Sequence[Seen], troubles: Sequence[Told]) -> Iterator[str]:
    """No 500; nothing was refused for the moment, and no connection broke, but while something was broken."""
    flaws = Counter(f"{each.what}: {each.flaw}" for each in seen if each.flaw)
    yield from (f"{count} × {flaw}" for flaw, count in flaws.items())
    start = min((each.at - each.seconds for each in seen), default=0.0)
    for each in seen:
        if each.seconds > ANSWER_SECONDS:
            begun = each.at - each.seconds - start
            yield f"{each.who}, {each.what}: {each.seconds:.1f} s without an answer, from {begun:.1f} s on"
    for each in seen:
        if each.status not in (NO_ANSWER, 503):
            continue
        begun = each.at - each.seconds
        if not any(one.began - 0.5 <= each.at and begun <= one.ended + 0.5 for one in troubles):
            yield f"{each.who}, {each.what}: {each.status or 'no answer'} while nothing was broken"


def recoveries(troubles: Sequence[Told], cold_start: float) -> Iterator[str]:
    """Everything works again within ten seconds, without a hand.

    cold_start: seconds that the web server took before anybody was at work. Nobody can be quicker than that
    on a machine that is busy with other things, and clients make it busier.
    """
    most = max(RECOVERY_SECONDS, 3 * cold_start)
    for told in troubles:
        if not 0 <= told.recovered_in <= most:
            yield f"{told.name}: {'never' if told.recovered_in < 0 else f'{told.recovered_in:.1f} s'}"
