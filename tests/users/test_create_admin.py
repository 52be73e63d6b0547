"""manage.py create_admin."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from crm.changes import Action, Change
from crm.users.models import User
from crm.users.roles import Role
from tests.cast import Cast
from tests.users.conftest import log_in

pytestmark = pytest.mark.django_db

PHRASE = "a long enough phrase"


def create_admin(*words: str) -> str:
    said = StringIO()
    call_command("create_admin", *words, stdout=said)
    return said.getvalue()


def test_an_admin_is_made(cast: Cast, told: list[Change]) -> None:
    assert "boss@crm.test" in create_admin(" Boss@crm.test", PHRASE, "Борис Главный")
    boss = User.objects.get(email="boss@crm.test")
    assert (boss.role, boss.full_name, boss.is_active) == (Role.ADMIN, "Борис Главный", True)
    assert [change.action for change in told] == [Action.CREATE]
    assert log_in(cast, "boss@crm.test", PHRASE).status_code == 200


def test_a_name_from_the_address(db: None) -> None:
    create_admin("boss@crm.test", PHRASE)
    assert User.objects.get().full_name == "boss"


@pytest.mark.parametrize(
    ("email", "password", "word"),
    [
        ("IVAN@crm.test", PHRASE, "already"),
        ("boss", PHRASE, "email"),
        ("x" * 250 + "@crm.test", PHRASE, "email"),
        ("boss@crm.test", "short", "short"),
        ("boss@crm.test", "password123", "common"),
        ("boss@crm.test", "73916482057", "numeric"),
    ],
)
def test_refusals_are_sentences(cast: Cast, email: str, password: str, word: str) -> None:
    from django.utils import translation

    with translation.override("en"), pytest.raises(CommandError) as refusal:
        create_admin(email, password)
    assert word in str(refusal.value)
    assert User.objects.count() == 6
    cast.ivan.refresh_from_db()
    assert cast.ivan.role == Role.ENGINEER
