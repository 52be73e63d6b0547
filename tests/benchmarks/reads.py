"""Lists, details, and a request that does nothing."""

from itertools import cycle
from typing import Any
from urllib.parse import urlencode

from tests.benchmarks import bare
from tests.benchmarks.client import Connection
from tests.benchmarks.ground import Ground
from tests.benchmarks.work import Ask, Way, Work, always, by_hand, over_http, request


def works(ground: Ground) -> list[Work]:
    """The rows of this kind."""
    supervisor = ground.people["supervisor"]
    city, engineer = str(supervisor.city_id), str(ground.people["engineer"].pk)
    ids = seen_ids(ground)

    def get(who: str, path: str, **query: str) -> Way:
        token = ground.tokens[who]
        return over_http(always(request("GET", address(f"/api/v1/{path}", query), token=token)))

    def plain(view: str, **query: str) -> dict[str, Way]:
        if ground.engine != "postgresql":
            return {}
        made = always(request("GET", address(f"/bare/{view}", query)))
        return {
            "bare": over_http(made),
            "raw": by_hand(lambda: bare.VIEWS[f"/bare/{view}"](**query)),
        }

    first, last = cursors(ground)
    stepping = {"city": city, "counted": "0", "order": "r.id"}
    return [
        Work("an empty request", get("supervisor", "empty"), **plain("empty")),
        Work(
            "list, 20 objects, filter",
            get("supervisor", "objects", status="NEW"),
            **plain("objects", city=city, status="NEW"),
        ),
        Work(
            "the same, planned anew each time",
            over_http(never_the_same(ground, "supervisor", "objects?status=NEW")),
            **plain("objects", city=city, status="NEW"),
        ),
        *while_others_write(ground, get("supervisor", "objects", status="NEW"), plain, city),
        Work(
            "list, 100 objects",
            get("supervisor", "objects", limit="100"),
            **plain("objects", city=city, limit="100"),
        ),
        Work("list, 20 visits, administrator", get("admin", "visits"), **plain("visits")),
        Work(
            "list, 20 visits, supervisor", get("supervisor", "visits"), **plain("visits", city=city)
        ),
        Work(
            "list, 20 visits, engineer",
            get("engineer", "visits"),
            **plain("visits", engineer=engineer),
        ),
        Work("list, 20 objects, engineer", get("engineer", "objects")),
        Work(
            "object detail",
            over_http(
                walking(
                    [
                        request("GET", f"/api/v1/objects/{one}", token=ground.tokens["supervisor"])
                        for one in ids
                    ]
                )
            ),
            **details(ground, ids),
        ),
        Work("page 400 of objects", get("supervisor", "objects", page="400")),
        Work("first step of a cursor", over_http(first), **plain("objects", **stepping)),
        Work("last step of a cursor", over_http(last), **plain("objects", **stepping)),
    ]


def address(path: str, query: dict[str, str]) -> str:
    """A path with its query string."""
    return f"{path}?{urlencode(query)}" if query else path


def walking(requests: list[bytes]) -> Ask:
    """One after the other, over and over."""
    following = cycle(requests)
    return lambda: next(following)


def never_the_same(ground: Ground, who: str, path: str) -> Ask:
    """The same question in more spellings than a process keeps plans for."""
    spellings = cycle(
        f"&limit=20&size={size}&{rest}" for rest in ("page=1", "") for size in range(1, 1001)
    )

    def ask() -> bytes:
        return request("GET", f"/api/v1/{path}{next(spellings)}", token=ground.tokens[who])

    return ask


def while_others_write(ground: Ground, way: Way, plain: Any, city: str) -> list[Work]:
    """Before each request somebody commits: no count can be remembered."""
    ask = way.ask
    if ground.engine != "postgresql" or ask is None:
        return []

    def written() -> bytes:
        bare.connection().execute("SELECT pg_current_xact_id()")
        return ask()

    return [
        Work(
            "the same, after a commit each time",
            over_http(written),
            **plain("objects", city=city, status="NEW"),
        )
    ]


def seen_ids(ground: Ground) -> list[str]:
    """Some hundred objects of the supervisor, from all over the table."""
    from objects.models import Object

    seen = Object.objects.visible_to(ground.people["supervisor"]).order_by("address")
    ids = [str(pk) for pk in seen.values_list("pk", flat=True)[:20_000]]
    return ids[:: max(1, len(ids) // 500)]


def details(ground: Ground, ids: list[str]) -> dict[str, Way]:
    """The bare sides of a detail."""
    if ground.engine != "postgresql":
        return {}
    one = cycle(ids)
    return {
        "bare": over_http(walking([request("GET", f"/bare/detail?id={each}") for each in ids])),
        "raw": by_hand(lambda: bare.detail(next(one))),
    }


def cursors(ground: Ground) -> tuple[Ask, Ask]:
    """The first and the last step of 20 through all objects."""
    import orjson

    token, connection = ground.tokens["supervisor"], Connection(ground.port)
    first = request("GET", "/api/v1/objects?cursor=&size=20", token=token)
    cursor: str | None = ""
    last = ""
    while cursor is not None:
        # Big steps to the end; the cursor before the last one goes on with small ones.
        last = cursor
        query = urlencode({"cursor": cursor, "size": "1000"})
        _, body = connection.ask(request("GET", f"/api/v1/objects?{query}", token=token))
        cursor = orjson.loads(body)["next_cursor"]
    connection.close()
    query = urlencode({"cursor": last, "size": "20"})
    return always(first), always(request("GET", f"/api/v1/objects?{query}", token=token))
