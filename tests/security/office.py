"""The table of the back office: every page of it, for everybody, in sight and out of it.

Its records are those of Moscow's centre (tests/security/matrix.py). In sight of them are Sergei (SUPERVISOR
of Moscow) and Anna (ADMIN); out of sight is Olga (SUPERVISOR of Kazan). Whoever is not logged in, and an
engineer whose desk was left open, are led to the door by every page but the OPEN ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Three = tuple[int, int, int]


@dataclass(frozen=True)
class Page:
    """One page. route: below /admin/, parts that vary as `{}`; ids: names of the records that stand there.

    get, post: statuses for Sergei, Olga and Anna. query, form: what is asked and posted. tells: whether those
    who see the records read a word of them on the page. writes: whether a POST that is not refused may write.
    """

    route: str
    get: Three
    post: Three
    ids: tuple[str, ...] = ()
    form: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    tells: bool = False
    writes: bool = False

    def __str__(self) -> str:
        return f"/admin/{self.route}"


# Without a desk, too: the language of a page, the door itself, and the way out through it.
OPEN: Final = {"language/": (405, 302), "login/": (200, 200), "logout/": (302, 302)}

ALL: Final[Three] = (200, 200, 200)
SEEN: Final[Three] = (200, 404, 200)
AWAY: Final[Three] = (302, 302, 302)
DONE: Final[Three] = (302, 404, 302)
NOT_HERE: Final[Three] = (405, 405, 405)
NOBODY: Final[Three] = (403, 403, 403)
NOTHING: Final[Three] = (404, 404, 404)
ADMIN: Final[Three] = (403, 403, 200)
IN_USE: Final[Three] = (403, 403, 409)
ADMIN_DONE: Final[Three] = (403, 403, 302)


# No word of the records is there: places are everybody's, and an entry of the trail has no history.
SILENT: Final = {
    *((name, tail) for name in ("cities", "districts") for tail in ("", *(f"{{}}/{each}/" for each in ("change", "delete", "history")))),
    ("audit", "{}/history/"),
}  # fmt: skip


def model(path: str, name: str, **pages: tuple[Three, Three]) -> list[Page]:
    """The pages that Django's admin has for each model; those that are as everywhere need not be named."""
    usual = {
        "": (ALL, ALL), "add/": (ALL, ALL), "{}/change/": (SEEN, SEEN), "{}/delete/": (SEEN, DONE),
        "{}/history/": (SEEN, SEEN), "{}/": (AWAY, AWAY),
    }  # fmt: skip
    words = {
        "list": "",
        "add": "add/",
        "change": "{}/change/",
        "delete": "{}/delete/",
        "history": "{}/history/",
    }
    usual |= {words[word]: statuses for word, statuses in pages.items()}
    told = {"", "{}/change/", "{}/delete/", "{}/history/"}
    return [
        Page(
            f"{path}/{tail}", *statuses, ids=(name,) if "{}" in tail else (), form={"post": "yes"} if "delete" in tail else {},
            tells=tail in told and statuses[0][0] == 200 and (name, tail) not in SILENT,
            writes="delete" in tail or statuses[1][2] == 302,
        )
        for tail, statuses in usual.items()
    ]  # fmt: skip


RECORDS: Final = [
    page
    for path, name in (
        ("objects/object", "objects"), ("objects/unit", "units"), ("clients/customer", "customers"), ("visits/visit", "visits"),
    )
    for page in (
        # A form that holds nothing is asked for what a record must have.
        *model(path, name),
        # Only an administrator brings back what was deleted; to the others it does not exist.
        Page(f"{path}/{{}}/restore/", (404, 404, 200), (404, 404, 302), ids=(f"deleted_{name}",), form={"post": "yes"}, writes=True),
    )
]  # fmt: skip

OTHERS: Final = [
    *model(
        "territory/city", "cities",
        add=(ADMIN, ADMIN), change=(ALL, ADMIN_DONE), delete=(ADMIN, IN_USE), history=(ALL, ALL),
    ),
    *model(
        "territory/district", "districts",
        add=(ADMIN, ADMIN), change=(ALL, ADMIN), delete=(ADMIN, IN_USE), history=(ALL, ALL),
    ),
    # A form that holds nothing takes the territory away: only an administrator may.
    *model("users/user", "users", change=(SEEN, (200, 404, 302)), delete=(NOBODY, NOBODY)),
    # Only to be looked at: what is posted is not read.
    *model("audit/auditentry", "audit", add=(NOBODY, NOBODY), delete=(NOBODY, NOBODY)),
    *model("sync/refuseditem", "refused", add=(NOBODY, NOBODY), delete=(NOBODY, NOBODY), history=(AWAY, AWAY)),
    Page("sync/refuseditem/{}/deal/", NOT_HERE, DONE, ids=("refused",), form={"done": "yes"}, writes=True),
]  # fmt: skip

PAGES: Final = [
    Page("", ALL, ALL),
    Page("{}/", AWAY, AWAY, ids=("app",)),
    Page("{}", NOTHING, NOTHING, ids=("nowhere",)),
    Page("r/{}/{}/", NOTHING, NOTHING, ids=("zero", "objects")),
    Page("search/", ALL, ALL, query={"s": "Тверская"}, tells=True),
    Page(
        "autocomplete/", ALL, NOT_HERE, tells=True,
        query={"app_label": "visits", "model_name": "visit", "field_name": "object", "term": "Тверская"},
    ),
    Page("jsi18n/", ALL, NOT_HERE),
    Page("password_change/", ALL, ALL),
    Page("password_change/done/", ALL, NOT_HERE),
    Page("bulk/supervisors/", ALL, ALL),
    Page("map/", ALL, ALL),
    Page("map/clusters/", ALL, (422, 422, 422), query={"bbox": "30,50,40,60", "zoom": "17"}),
    Page("call-backs/", ALL, ALL, tells=True),
    # Olga is told on the list that there is no such visit.
    Page("call-backs/{}/", NOT_HERE, AWAY, ids=("reminded_visits",), form={"choice": "done", "version": "1"}, writes=True),
    Page("visit-moves/{}/", NOT_HERE, DONE, ids=("visits",), form={"move": "start", "version": "1"}, writes=True),
    Page("jobs/", ALL, ALL),
    Page("jobs/{}/{}/", SEEN, SEEN, ids=("reports", "jobs")),
    Page("jobs/{}/{}/state/", SEEN, SEEN, ids=("reports", "jobs")),
    Page("jobs/{}/{}/cancel/", (405, 404, 405), DONE, ids=("reports", "jobs"), writes=True),
    # A job acts as its owner: an administrator only looks on.
    Page("jobs/{}/{}/again/", (405, 404, 405), (302, 404, 404), ids=("bulk", "bulk_jobs"), writes=True),
    Page("jobs/bulk/{}/problems.csv", SEEN, SEEN, ids=("bulk_jobs",)),
    # Its file is gone.
    Page("jobs/reports/{}/download/", (410, 404, 410), (410, 404, 410), ids=("done_jobs",)),
    Page("export/{}/", ALL, AWAY, ids=("objects_table",), form={"format": "csv", "columns": "address"}, writes=True),
    Page("imports/", ALL, (422, 422, 422), tells=True),
    # Its file is away. It is imported with its owner's eyes: an administrator only looks on.
    Page("imports/{}/", (302, 404, 404), NOT_HERE, ids=("uploads",)),
    Page("imports/{}/columns/", (422, 404, 403), (422, 404, 403), ids=("uploads",)),
    Page("imports/{}/run/", NOT_HERE, DONE, ids=("uploads",)),
    Page("imports/{}/cancel/", NOT_HERE, DONE, ids=("uploads",)),
    Page("imports/{}/discard/", NOT_HERE, DONE, ids=("uploads",), writes=True),
    Page("imports/{}/rows.csv", NOTHING, NOT_HERE, ids=("uploads",)),
    Page("language/", NOT_HERE, AWAY, form={"language": "ru"}),
    Page("login/", AWAY, ALL),
    Page("logout/", NOT_HERE, AWAY, writes=True),
]  # fmt: skip

# django-rq's own pages: administrators only; the others are told that they do not exist.
QUEUE: Final = ("zero",)
JOB: Final = ("zero", "nowhere")
QUEUES: Final = [
    Page(f"queues/{route}", (404, 404, get), (404, 404, post), ids=ids)
    for route, ids, get, post in (
        ("", (), 200, 200),
        ("stats.json/?", (), 200, 200),
        ("stats.json/{}?/?", ("nowhere",), 200, 200),
        ("queues/{}/", QUEUE, 200, 200),
        ("queues/{}/details/", QUEUE, 200, 200),
        ("queues/{}/finished/", QUEUE, 200, 200),
        ("queues/{}/failed/", QUEUE, 200, 200),
        ("queues/{}/failed/clear/", QUEUE, 200, 302),
        ("queues/{}/scheduled/", QUEUE, 200, 200),
        ("queues/{}/started/", QUEUE, 200, 200),
        ("queues/{}/deferred/", QUEUE, 200, 200),
        ("queues/{}/empty/", QUEUE, 200, 302),
        ("queues/{}/requeue-all/", QUEUE, 200, 302),
        ("queues/{}/{}/", JOB, 404, 404),
        ("queues/{}/{}/results/{}/", (*JOB, "nowhere"), 404, 404),
        ("queues/{}/{}/delete/", JOB, 404, 404),
        ("queues/{}/{}/requeue/", JOB, 404, 404),
        ("queues/{}/{}/enqueue/", JOB, 404, 404),
        ("queues/{}/{}/stop/", JOB, 405, 302),
        ("queues/confirm-action/{}/", QUEUE, 302, 302),
        ("queues/actions/{}/", QUEUE, 302, 302),
        ("workers/{}/", QUEUE, 200, 200),
        ("workers/{}/{}/", JOB, 404, 404),
        ("schedulers/{}/", QUEUE, 404, 404),
        ("cron-schedulers/{}/{}/", JOB, 404, 404),
        ("cron-schedulers/{}/{}/jobs/{}/", (*JOB, "nowhere"), 404, 404),
    )
]

ALL_PAGES: Final = [*RECORDS, *OTHERS, *PAGES, *QUEUES]
