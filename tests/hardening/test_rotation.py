"""A new secret takes over while what the old one signed is still believed; and ceases to be when it is named
no more."""

import json
from typing import Any

import jwt
import pytest
from django.conf import LazySettings

from tests.cast import Cast
from tests.users.conftest import log_in, refresh, status_of_me

pytestmark = pytest.mark.django_db

NEW = "the-new-secret-that-takes-over-0123456789"
OLDER = "one-from-long-ago-that-nobody-uses-987654"


def test_tokens(cast: Cast, settings: LazySettings) -> None:
    old = settings.JWT_SECRET
    pair = log_in(cast, "ivan@crm.test").json()
    assert status_of_me(cast, pair["access_token"]) == 200
    settings.JWT_SECRET = NEW
    assert status_of_me(cast, pair["access_token"]) == 401
    assert refresh(cast, pair["refresh_token"]).status_code == 401
    settings.JWT_SECRET_FALLBACKS = [OLDER, old]
    assert status_of_me(cast, pair["access_token"]) == 200
    renewed = refresh(cast, pair["refresh_token"]).json()
    # What is made now is signed with the new one alone.
    assert jwt.decode(renewed["access_token"], NEW, algorithms=["HS256"])["sub"] == str(
        cast.ivan.pk
    )
    settings.JWT_SECRET_FALLBACKS = []
    assert status_of_me(cast, pair["access_token"]) == 401
    assert status_of_me(cast, renewed["access_token"]) == 200


def test_an_old_secret_does_not_make_a_refresh_token_an_access_token(
    cast: Cast, settings: LazySettings
) -> None:
    pair = log_in(cast, "ivan@crm.test").json()
    settings.JWT_SECRET, settings.JWT_SECRET_FALLBACKS = NEW, [settings.JWT_SECRET]
    assert status_of_me(cast, pair["refresh_token"]) == 401
    assert refresh(cast, pair["access_token"]).status_code == 401


def test_the_key_for_cursors_signs_no_tokens(cast: Cast, settings: LazySettings) -> None:
    """Each secret for its own purpose: who learns one does not have the other."""
    pair = log_in(cast, "ivan@crm.test").json()
    claims = jwt.decode(pair["access_token"], settings.JWT_SECRET, algorithms=["HS256"])
    settings.SECRET_KEY_FALLBACKS = [OLDER]
    for key in (settings.SECRET_KEY, OLDER):
        assert status_of_me(cast, jwt.encode(claims, key)) == 401


def goes_on(page: Any) -> None:
    """A page of the feed, read to its end: before, the database's connection is not free again."""
    assert page.status_code == 200
    assert page.getvalue()


@pytest.mark.django_db(transaction=True)
def test_cursors_of_the_feed(cast: Cast, settings: LazySettings) -> None:
    cast.object()
    client, path = cast.api(cast.ivan), "/api/v1/sync/changes"
    cursor = json.loads(client.get(path).getvalue())["next_cursor"]
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLDER, settings.SECRET_KEY]
    goes_on(client.get(path, {"cursor": cursor}))
    fresh = json.loads(client.get(path).getvalue())["next_cursor"]
    settings.SECRET_KEY_FALLBACKS = []
    answer = client.get(path, {"cursor": cursor})
    assert answer.status_code == 410
    assert answer.json()["error"]["details"]["reason"] == "signature"
    goes_on(client.get(path, {"cursor": fresh}))


def test_cursors_of_lists(cast: Cast, settings: LazySettings) -> None:
    for _ in range(3):
        cast.object()
    client, path = cast.api(cast.ivan), "/api/v1/objects"
    step = {"cursor": client.get(path, {"cursor": "", "size": 2}).json()["next_cursor"], "size": 2}
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [settings.SECRET_KEY]
    assert len(client.get(path, step).json()["items"]) == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert client.get(path, step).status_code == 422
