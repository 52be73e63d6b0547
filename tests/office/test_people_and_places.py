"""People within the rules of roles; dictionaries kept by administrators."""

from typing import Any

import pytest

from audit.models import AuditEntry
from crm.territory.models import City, District
from crm.users.models import Session, User
from tests.cast import Cast
from tests.office.desk import change_form, desk, errors_of

pytestmark = pytest.mark.django_db

LAST = "This is the last active administrator."
NINA = {
    "full_name": "Нина",
    "email": "Nina@crm.test",
    "role": "ENGINEER",
    "password": "another long phrase",
}


def path_of(user: User) -> str:
    return f"/admin/users/user/{user.pk}/change/"


def saved(client: Any, path: str, form: dict[str, Any], **changes: Any) -> list[str] | None:
    """None when it was saved; else what was said."""
    answer = client.post(path, {**form, **changes, "_save": "1"})
    if answer.status_code == 302:
        return None
    text = answer.content.decode()
    return [*errors_of(text), *([LAST] if LAST in text else [])] or [str(answer.status_code)]


def test_a_supervisor_makes_engineers_of_their_city(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    assert saved(sergei, "/admin/users/user/add/", NINA) is None
    nina = User.objects.get(email="nina@crm.test")
    assert (nina.city_id, nina.role) == (cast.moscow.pk, "ENGINEER")
    assert AuditEntry.objects.filter(entity_id=nina.pk, action="create").exists()
    assert saved(sergei, "/admin/users/user/add/", NINA) == [
        "There is a user with this e-mail address already."
    ]
    other = {**NINA, "email": "boss@crm.test"}
    assert saved(sergei, "/admin/users/user/add/", {**other, "role": "ADMIN"})
    assert saved(sergei, "/admin/users/user/add/", {**other, "city": cast.kazan.pk})
    assert saved(sergei, "/admin/users/user/add/", {**other, "password": "12345"})
    assert not User.objects.filter(email="boss@crm.test").exists()


def test_a_supervisor_edits_engineers_and_nobody_else(cast: Cast) -> None:
    sergei = desk(cast.sergei)
    form = change_form(sergei, path_of(cast.ivan))
    assert "email" not in form
    assert "role" not in form
    assert "password" not in form
    assert (
        saved(
            sergei,
            path_of(cast.ivan),
            form,
            phone="8 916 000 00 09",
            email="x@crm.test",
            role="ADMIN",
            password="a long new phrase",
        )
        is None
    )
    before = cast.ivan.password
    cast.ivan.refresh_from_db()
    assert (cast.ivan.phone, cast.ivan.email, cast.ivan.role) == (
        "+79160000009",
        "ivan@crm.test",
        "ENGINEER",
    )
    assert cast.ivan.password == before
    # Themselves they read, and do not edit.
    page = sergei.get(path_of(cast.sergei)).content.decode()
    assert 'name="_save"' not in page
    assert sergei.post(path_of(cast.sergei), {"full_name": "Царь", "_save": "1"}).status_code == 403
    assert sergei.get(path_of(cast.anna)).status_code == 404


def test_deactivating_ends_sessions(cast: Cast) -> None:
    phone = cast.api(cast.ivan)
    sergei = desk(cast.sergei)
    form = change_form(sergei, path_of(cast.ivan))
    form.pop("is_active")
    assert saved(sergei, path_of(cast.ivan), form) is None
    assert phone.get("/api/v1/users/me").status_code == 401
    assert Session.objects.get(user=cast.ivan).ended_at is not None


def test_an_administrator_sets_passwords_and_roles_but_not_their_own_role(cast: Cast) -> None:
    anna = desk(cast.anna)
    form = change_form(anna, path_of(cast.olga))
    assert form["password"] == ""
    assert saved(anna, path_of(cast.olga), form) is None
    phone = cast.api(cast.olga)
    assert (
        saved(anna, path_of(cast.olga), form, password="a long new phrase", role="ENGINEER") is None
    )
    assert phone.get("/api/v1/users/me").status_code == 401
    actions = set(
        AuditEntry.objects.filter(entity_id=cast.olga.pk).values_list("action", flat=True)
    )
    assert {"password", "role", "logout"} <= actions
    own = change_form(anna, path_of(cast.anna))
    assert "role" not in own
    own.pop("is_active")
    assert saved(anna, path_of(cast.anna), own) == [LAST]


def test_no_hash_is_on_any_page(cast: Cast) -> None:
    anna = desk(cast.anna)
    for path in (
        "/admin/users/user/",
        path_of(cast.ivan),
        f"/admin/users/user/{cast.ivan.pk}/history/",
    ):
        assert "argon2" not in anna.get(path).content.decode()


def test_nobody_is_deleted(cast: Cast) -> None:
    anna = desk(cast.anna)
    assert (
        anna.post(f"/admin/users/user/{cast.ivan.pk}/delete/", {"post": "yes"}).status_code == 403
    )
    assert User.objects.filter(pk=cast.ivan.pk).exists()


def test_dictionaries(cast: Cast) -> None:
    anna, sergei = desk(cast.anna), desk(cast.sergei)
    assert (
        saved(anna, "/admin/territory/city/add/", {"name": "Омск", "time_zone": "Asia/Omsk"})
        is None
    )
    omsk = City.objects.get(name="Омск")
    assert saved(anna, "/admin/territory/city/add/", {"name": "Омск", "time_zone": "Asia/Omsk"})
    assert saved(
        anna, f"/admin/territory/city/{omsk.pk}/change/", {"name": "Омск", "time_zone": "Нигде"}
    )
    assert (
        saved(anna, "/admin/territory/district/add/", {"name": "Советский", "city": omsk.pk})
        is None
    )
    district = District.objects.get(name="Советский")
    assert anna.post(f"/admin/territory/city/{omsk.pk}/delete/").status_code == 409
    assert anna.post(f"/admin/territory/district/{district.pk}/delete/").status_code == 302
    assert anna.post(f"/admin/territory/city/{omsk.pk}/delete/").status_code == 302
    assert set(AuditEntry.objects.filter(entity_id=omsk.pk).values_list("action", flat=True)) == {
        "create",
        "delete",
    }
    assert sergei.get("/admin/territory/city/").status_code == 200
    assert sergei.get("/admin/territory/city/add/").status_code == 403
    assert (
        sergei.post(f"/admin/territory/city/{cast.moscow.pk}/change/", {"name": "М"}).status_code
        == 403
    )
    assert sergei.post(f"/admin/territory/city/{cast.moscow.pk}/delete/").status_code in {403, 409}
    assert City.objects.filter(name="Москва").exists()


def test_districts_of_the_chosen_city(cast: Cast) -> None:
    asked = {"app_label": "objects", "model_name": "object", "field_name": "district", "term": ""}
    anna = desk(cast.anna)
    texts = [
        one["text"]
        for one in anna.get("/admin/autocomplete/", {**asked, "city": cast.kazan.pk}).json()[
            "results"
        ]
    ]
    assert texts == ["Вахитовский (Казань)"]
    assert len(anna.get("/admin/autocomplete/", asked).json()["results"]) == 3
    assert anna.get("/admin/autocomplete/", {**asked, "city": "nonsense"}).json()["results"] == []
    assert anna.get("/admin/autocomplete/", {**asked, "page": "99999"}).status_code == 404
