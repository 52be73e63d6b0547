"""The watch over the trail and the logs (tests.leaks) finds what it is there for, and lets masks pass."""

import logging

import pytest

from audit.models import AuditEntry
from crm.masking import mask_email, mask_phone
from tests.cast import PASSWORD, Cast
from tests.leaks import Listener, secrets_in, stored_leaks


@pytest.mark.parametrize(
    "text",
    [
        "+79161234567", "phone=%2B79161234567", '{"email": "ivan@example.com"}', "i@crm.test",
        f"password {PASSWORD}",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
        "argon2$argon2id$v=19$m=19456",
    ],
)  # fmt: skip
def test_a_secret_is_found(text: str) -> None:
    assert secrets_in(f"a line with {text} in it")


@pytest.mark.parametrize("phone", ["+79161234567", "+14155550123"])
def test_a_mask_is_none(phone: str) -> None:
    assert not secrets_in(
        f"{mask_phone(phone)} {mask_email('ivan@example.com')} {mask_email('i@b.ru')}"
    )


@pytest.mark.leaks_on_purpose
@pytest.mark.django_db
def test_leaks_in_the_trail_are_found() -> None:
    AuditEntry.objects.create(
        action="create", entity_type="object", after={"notes": ["+79161234567"]}
    )
    AuditEntry.objects.create(action="create", entity_type="object", user_agent="ivan@example.com")
    assert sorted(leak.partition(":")[0] for leak in stored_leaks()) == [
        "audit.after",
        "audit.user_agent",
    ]


def test_leaks_in_the_logs_are_found() -> None:
    listener = Listener()
    line = logging.LogRecord("crm", logging.INFO, "", 1, "from %s", ("+79161234567",), None)
    listener.handle(line)
    assert len(listener.leaks) == 1


@pytest.mark.django_db
def test_what_people_search_and_mistype_is_in_no_log(cast: Cast) -> None:
    """Whatever is refused here: the watch looks at each line and entry that it leaves."""
    cast.customer(cast.object(), phone="+79161234567")
    ivan, anna = cast.api(cast.ivan), cast.api(cast.anna)
    for api in (ivan, anna, cast.api(None)):
        api.get("/api/v1/customers?phone=%2B79161234567&q=ivan@example.com")
        api.get("/api/v1/customers/+79161234567")
        api.post("/api/v1/customers", {"phone": "+79161234567", "email": "ivan@example.com"})
        api.post("/api/v1/auth/token", {"username": "+79161234567", "password": PASSWORD})
        api.post("/api/v1/auth/token", {"username": PASSWORD, "password": PASSWORD})
        api.post(
            "/api/v1/auth/token", {"username": "ivan@crm.test", "password": "a long enough phrase"}
        )
        api.post("/api/v1/auth/refresh", {"refresh_token": "eyJhbGciOi.eyJzdWIi.c2ln"})
        api.get("/api/v1/users/me", headers={"authorization": "Bearer eyJhbGciOi.eyJzdWIi.c2ln"})
        api.get("/health", headers={"user-agent": "bot (+mailto:ops@example.com)"})
    assert AuditEntry.objects.filter(action="login_failed").count() > 2
