"""Who enters the back office, how, and when they are out again."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.sessions.models import Session as BrowserSession
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from audit.models import AuditEntry
from crm.users.models import Session, User
from crm.users.roles import Role
from tests.cast import PASSWORD, Cast
from tests.office.desk import LOGIN, browser, desk

pytestmark = pytest.mark.django_db

HOME = "/admin/"
NEW_PASSWORD = "a much longer phrase"


def enter(client: Client, email: str, password: str = PASSWORD, **extra: str) -> int:
    return client.post(LOGIN, {"username": email, "password": password}, **extra).status_code


def is_in(client: Client) -> bool:
    answer = client.get(HOME)
    assert answer.status_code in {200, 302}
    return answer.status_code == 200


def told() -> list[tuple[str, str | None]]:
    rows = AuditEntry.objects.order_by("pk").values_list("action", "actor_name")
    return list(rows)


@pytest.mark.parametrize("typed", ["sergei@crm.test", "  Sergei@CRM.test "])
def test_supervisors_and_administrators_enter(cast: Cast, typed: str) -> None:
    client = browser()
    assert enter(client, typed) == 302
    assert is_in(client)
    assert is_in(desk(cast.anna))
    session = Session.objects.get(user=cast.sergei)
    assert session.ended_at is None
    assert told()[0] == ("login", cast.sergei.full_name)


def test_an_engineer_does_not_and_is_told_why(cast: Cast) -> None:
    client = browser()
    answer = client.post(LOGIN, {"username": "ivan@crm.test", "password": PASSWORD})
    assert "Engineers work in the mobile app" in answer.content.decode()
    assert not is_in(client)
    assert not Session.objects.filter(user=cast.ivan).exists()
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.after["reason"]) == ("login_failed", "role")
    # Whoever does not know the password learns nothing of the role.
    wrong = client.post(LOGIN, {"username": "ivan@crm.test", "password": "wrong"})
    unknown = client.post(LOGIN, {"username": "nobody@crm.test", "password": "wrong"})
    assert "Wrong e-mail or password." in wrong.content.decode()
    assert "Wrong e-mail or password." in unknown.content.decode()
    assert "mobile app" not in wrong.content.decode()


def test_failures_are_limited_together_with_those_of_the_api(cast: Cast, settings: Any) -> None:
    settings.RATE_LIMIT_ENABLED = True
    client = browser()
    api = cast.api(None)
    for _ in range(3):
        enter(client, "sergei@crm.test", "wrong")
        api.post("/api/v1/auth/token", {"username": "sergei@crm.test", "password": "wrong"})
    answer = client.post(LOGIN, {"username": "sergei@crm.test", "password": PASSWORD})
    assert answer.status_code == 429
    assert int(answer["Retry-After"]) > 0
    assert not is_in(client)
    # Another account from the same address is let in.
    assert enter(browser(), "olga@crm.test") == 302


def test_logging_out_ends_the_session(cast: Cast) -> None:
    client = desk(cast.sergei)
    copy = browser()
    copy.cookies.update(client.cookies)
    assert client.get("/admin/logout/").status_code == 405
    assert is_in(client)
    assert client.post("/admin/logout/").status_code == 302
    assert not is_in(client)
    assert not is_in(copy)
    assert [action for action, _ in told()] == ["login", "logout"]


def test_a_planted_session_key_is_worth_nothing(cast: Cast) -> None:
    client = browser()
    client.get(LOGIN)
    planted = client.session
    planted["x"] = 1
    planted.save()
    client.cookies["crm_office"] = str(planted.session_key)
    enter(client, "sergei@crm.test")
    assert client.cookies["crm_office"].value != planted.session_key
    assert not BrowserSession.objects.filter(pk=planted.session_key).exists()


def test_deactivation_and_role_act_on_the_next_request(cast: Cast) -> None:
    for change in ({"is_active": False}, {"role": Role.ENGINEER}):
        client = desk(cast.sergei)
        User.objects.filter(pk=cast.sergei.pk).update(**change)
        assert not is_in(client)
        assert client.get("/admin/objects/object/").status_code == 302
        User.objects.filter(pk=cast.sergei.pk).update(is_active=True, role=Role.SUPERVISOR)


def test_deactivating_through_the_service_ends_the_session(cast: Cast) -> None:
    client = desk(cast.sergei)
    cast.api(cast.anna).patch(f"/api/v1/users/{cast.sergei.pk}", {"is_active": False})
    assert not is_in(client)
    assert Session.objects.get(user=cast.sergei).ended_at is not None


def test_a_new_password_ends_the_other_sessions(cast: Cast) -> None:
    client, other = desk(cast.sergei), desk(cast.sergei)
    phone = cast.api(cast.sergei)
    form = {"old_password": "wrong", "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    answer = client.post("/admin/password_change/", form)
    assert "The old password is wrong." in answer.content.decode()
    form["old_password"] = PASSWORD
    differing = client.post("/admin/password_change/", {**form, "new_password2": "another"})
    assert "The two passwords differ." in differing.content.decode()
    weak = {**form, "new_password1": "12345678", "new_password2": "12345678"}
    assert client.post("/admin/password_change/", weak).status_code == 200
    assert client.post("/admin/password_change/", form).status_code == 302
    assert is_in(client)
    assert not is_in(other)
    assert phone.get("/api/v1/users/me").status_code == 401
    assert enter(browser(), "sergei@crm.test", NEW_PASSWORD) == 302


def test_an_idle_desk_is_left(cast: Cast) -> None:
    client = desk(cast.sergei)
    Session.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert not is_in(client)
    busy = desk(cast.sergei)
    soon = timezone.now() + timedelta(minutes=5)
    Session.objects.filter(expires_at__gt=timezone.now()).update(expires_at=soon)
    assert is_in(busy)
    assert Session.objects.filter(expires_at__gt=soon + timedelta(minutes=30)).exists()


def test_every_form_needs_its_token(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    assert enter(strict, "sergei@crm.test") == 403
    client = desk(cast.sergei)
    client.handler.enforce_csrf_checks = True
    answer = client.post("/admin/language/", {"language": "ru"})
    assert answer.status_code == 403
    assert "out of date" in answer.content.decode()


def test_the_api_pays_nothing_for_browser_sessions(cast: Cast) -> None:
    client = desk(cast.sergei)
    api = cast.api(cast.sergei)
    api.cookies.update(client.cookies)
    with CaptureQueriesContext(connection) as captured:
        answer = api.get("/api/v1/users/me")
    assert answer.status_code == 200
    assert not [q for q in captured.captured_queries if "django_session" in q["sql"]]
    assert "Set-Cookie" not in answer
    for name in ("crm_office", "crm_csrf"):
        assert client.cookies[name]["path"] == "/admin/"


def test_the_browsers_session_is_no_way_into_the_api(cast: Cast) -> None:
    assert desk(cast.anna).get("/api/v1/users/me").status_code == 401


def test_pages_stay_in_the_house(cast: Cast) -> None:
    answer = desk(cast.sergei).get("/admin/objects/object/")
    policy = answer["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in policy
    assert "frame-ancestors 'none'" in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert "no-store" in answer["Cache-Control"]
    assert "https://" not in answer.content.decode().replace("http://www.w3.org", "")


def test_refusals_are_pages_here_and_envelopes_elsewhere(cast: Cast) -> None:
    client = desk(cast.sergei)
    page = client.get("/admin/no/such/page/")
    assert (page.status_code, page["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "Not found." in page.content.decode()
    envelope = client.get("/no/such/page")
    assert envelope.json()["error"]["code"] == "NOT_FOUND"


def test_two_languages(cast: Cast) -> None:
    client = desk(cast.sergei)
    assert "Objects" in client.get(HOME).content.decode()
    client.post("/admin/language/", {"language": "ru", "next": HOME})
    assert 'lang="ru"' in client.get(HOME).content.decode()
    # The API goes on following Accept-Language.
    assert client.cookies["crm_language"]["path"] == "/admin/"


def test_libraries_bring_no_pages_along(cast: Cast) -> None:
    from django.contrib import admin

    for model, pages in admin.site._registry.items():
        assert getattr(pages, "of_the_office", False), model
    assert "delete_selected" not in dict(admin.site.actions)
