"""Logging in, beside the hash that it has to compute."""

from tests.benchmarks.ground import PEOPLE, Ground
from tests.benchmarks.work import Work, always, by_hand, over_http, request


def works(ground: Ground) -> list[Work]:
    """The rows of this kind."""
    from django.contrib.auth.hashers import check_password

    email, password = PEOPLE["engineer"]
    stored = ground.people["engineer"].password
    login = request("POST", "/api/v1/auth/token", body={"username": email, "password": password})
    return [
        Work(
            "login",
            over_http(always(login)),
            raw=by_hand(lambda: check_password(password, stored)),
        ),
    ]
