"""The home page of the back office, as it comes and with every figure counted anew."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

from tests.benchmarks.ground import Ground
from tests.benchmarks.work import Ask, Work, always, over_http, request


def works(ground: Ground) -> list[Work]:
    """The rows of this kind."""
    cookies = {who: cookie_of(ground, who) for who in ("admin", "supervisor")}
    return [
        Work("dashboard", over_http(always(home(cookies["supervisor"])))),
        Work("dashboard, administrator", over_http(always(home(cookies["admin"])))),
        *(
            Work(f"dashboard, counted anew, {who}", over_http(uncounted(always(home(cookie)))))
            for who, cookie in cookies.items()
        ),
    ]


def home(cookie: str) -> bytes:
    """The request for the page."""
    return request("GET", "/admin/", headers={"Cookie": cookie})


def uncounted(ask: Ask) -> Callable[[], bytes]:
    """Before each request, forget what was counted. (Rate limits begin anew along with it.)"""
    from django.core.cache import cache

    def forgotten() -> bytes:
        cache.clear()
        return ask()

    return forgotten


def cookie_of(ground: Ground, who: str) -> str:
    """A browser in which that person has logged in."""
    from django.conf import settings

    from crm.backoffice.seats import KEY
    from crm.users.sessions import of_access_token

    # The session behind the person's token will do: it outlives the run.
    session = of_access_token(ground.tokens[who])
    engine: Any = import_module(settings.SESSION_ENGINE)
    store = engine.SessionStore()
    store[KEY] = str(session.pk)
    store.save()
    return f"{settings.SESSION_COOKIE_NAME}={store.session_key}"
