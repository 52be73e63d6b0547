"""What the trail is about: every model of the product under its own name, unless it is listed here.

A model that is new falls under the trail by itself: its name is known to the filters, and a test asks for the
entries of its changes until it is listed with a reason.
"""

from functools import cache

from django.apps import apps

# Our own apps, on whichever floor.
PACKAGES = frozenset({"crm", "objects", "clients", "visits", "audit", "sync", "reports"})

# Pruning is about the trail as a whole.
TRAIL = "audit"
# An export is about many records at once.
REPORT = "report"

# Models whose rows get no entries of their own, and why.
UNTOLD = {
    "audit.AuditEntry": "the trail itself; pruning it is told as an event",
    "backoffice.BulkJob": "each record that it changes has its own entry",
    "reports.ReportJob": "a finished one is told as an event: export",
    "imports.ImportJob": "what it imports has its entries",
    "imports.Part": "what became of the rows of a file, for its owner, for a week",
    "imports.Upload": "a file that waits for its import",
    "objects.ObjectAccess": "follows from objects and visits, by triggers",
    "sync.FeedState": "the feed's own bookkeeping: its epoch and its purge watermark",
    "sync.Loss": "follows from moves of objects and visits, by triggers",
    "sync.Receipt": "remembers an outcome whose change has its entry",
    "sync.RefusedItem": "an edit that was not applied changed nothing; the row itself is the record of it",
    "users.KnownPlace": "keyed hashes; each login has its entry, login",
    "users.LoginFailure": "counts for minutes; each failure has its entry, login_failed",
    "users.Session": "its beginning and end are told as login and logout",
}


@cache
def entity_types() -> tuple[str, ...]:
    """The names by which entries say what they are about, in alphabetical order."""
    names = {
        str(model._meta.model_name)
        for model in apps.get_models()
        if model._meta.app_config.name.partition(".")[0] in PACKAGES
        and model._meta.label not in UNTOLD
    }
    return tuple(sorted({*names, TRAIL, REPORT}))


def plural(name: str) -> str:
    """object → objects, city → cities: as the API's paths say it."""
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


@cache
def entity_words() -> dict[str, str]:
    """Every word for an entity that a filter takes → its name."""
    return {word: name for name in entity_types() for word in (name, plural(name))}
