"""Pages speak to people: no codes, no brackets, no sentence in the wrong gender, the safest choice first."""

import re
from typing import Any

import pytest

from crm.backoffice.fields import JsonObjectField, line_of, value_of
from crm.backoffice.telling import Telling
from objects.models import Object
from tests.cast import Cast
from tests.office.desk import change_form, desk

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"rooms": 3},
        {"door": "steel", "code": "12"},
        {"true": "true", "lift": True, "none": None},
        {"keys": [1, 2], "note": "two: words", "inner": {"a": "б"}},
        {" spaced ": 1},
        {"a:b": "c"},
        {"text": "two\nlines", "padded": " x "},
    ],
)
def test_attributes_survive_being_shown(attributes: dict[str, Any]) -> None:
    field = JsonObjectField()
    assert field.clean(field.prepare_value(attributes)) == attributes
    assert not field.has_changed(attributes, field.prepare_value(attributes))


def test_attributes_are_lines() -> None:
    field = JsonObjectField()
    assert field.prepare_value({"rooms": 3, "door": "steel"}) == "door: steel\nrooms: 3"
    assert field.clean("rooms: 4\n\n door :  oak ") == {"rooms": 4, "door": "oak"}
    assert field.clean('{"door": "steel"}') == {"door": "steel"}
    for wrong in ("rooms", ": 3", "[1]", "{"):
        with pytest.raises(Exception, match=r".+"):
            field.clean(wrong)
    assert (line_of("3"), value_of('"3"')) == ('"3"', "3")


def test_a_saved_record_is_named(cast: Cast) -> None:
    """«клиент … был изменён» would have to know the gender of each kind."""
    client = desk(cast.sergei, "ru")
    home = cast.object(address="ул. Садовая, д. 1")
    path = f"/admin/objects/object/{home.pk}/change/"
    answer = client.post(path, {**change_form(client, path), "contact_name": "Пётр", "_save": "1"})
    assert answer.status_code == 302
    html = client.get(answer.headers["Location"]).content.decode()
    assert "ул. Садовая, д. 1" in html
    assert "был изменен" not in html


def test_saving_and_staying_keeps_the_lists_filters(cast: Cast) -> None:
    client = desk(cast.sergei)
    home = cast.object()
    path = f"/admin/objects/object/{home.pk}/change/?_changelist_filters=status%3DNEW"
    sent = {**change_form(client, path), "contact_name": "Пётр", "_continue": "1"}
    assert client.post(path, sent).headers["Location"] == path
    sent = {**change_form(client, path), "contact_name": "Павел", "_save": "1"}
    assert client.post(path, sent).headers["Location"] == "/admin/objects/object/?status=NEW"


def test_a_new_account_is_the_least_unless_chosen(cast: Cast) -> None:
    assert change_form(desk(cast.anna), "/admin/users/user/add/")["role"] == "ENGINEER"


def test_a_deleted_record_is_read_without_brackets(cast: Cast) -> None:
    anna = desk(cast.anna)
    home = cast.object(tags=["шлагбаум", "лифт"])
    bare = cast.object()
    for each in (home, bare):
        assert anna.post(f"/admin/objects/object/{each.pk}/delete/").status_code == 302
    html = anna.get(f"/admin/objects/object/{home.pk}/change/").content.decode()
    assert "шлагбаум, лифт" in html
    empty = anna.get(f"/admin/objects/object/{bare.pk}/change/").content.decode()
    assert re.search(r"\[\s*\]", re.sub(r"<script.*?</script>", "", empty, flags=re.DOTALL)) is None
    # Nothing can be hung on what is deleted.
    assert f"unit/add/?object={bare.pk}" not in empty
    # «units: 0, customers: 0» says nothing.
    assert "<li>" not in main_of(
        anna.get(f"/admin/objects/object/{bare.pk}/restore/").content.decode()
    )


def test_what_stands_in_the_way_of_a_restoration_is_named(cast: Cast) -> None:
    anna = desk(cast.anna)
    home = cast.object()
    gone = cast.customer(home, full_name="Мария Старая", phone="+79161112233")
    assert anna.post(f"/admin/clients/customer/{gone.pk}/delete/").status_code == 302
    now = cast.customer(home, full_name="Мария Новая", phone="+79161112233")
    answer = anna.post(f"/admin/clients/customer/{gone.pk}/restore/")
    html = main_of(answer.content.decode())
    assert answer.status_code == 409
    assert "Мария Новая" in html
    assert f"/admin/clients/customer/{now.pk}/change/" in html


def test_phones_are_told_in_groups(cast: Cast) -> None:
    telling = Telling(cast.sergei)
    assert telling.text(Object, "contact_phone", "+79161112233") == "+7 916 111-22-33"
    assert telling.text(Object, "contact_phone", "+7 (***) ***-**33") == "+7 (***) ***-**33"


@pytest.mark.redis
def test_the_queues_pages_have_no_script_that_would_be_stopped(cast: Cast) -> None:
    html = desk(cast.anna).get("/admin/queues/queues/0/").content.decode()
    inline = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>", html)
    assert inline == []
    assert "backoffice/queues.css" in html


def main_of(html: str) -> str:
    """The page without what stands around it."""
    return html[html.index("<main") : html.index("</main>")]
