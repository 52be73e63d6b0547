"""The people of the demo: six accounts to log in with, and an engineer for every other district.

Only the demo and seed commands create them: their passwords stand in the documentation.
"""

from dataclasses import dataclass

from django.db import transaction

from crm.changes import Action, report, snapshot
from crm.editing import change_of
from crm.territory.dictionary_data import CITIES, fixed_id
from crm.territory.models import City, District
from crm.users.models import User
from crm.users.roles import Role
from visits.demo.draw import Draw
from visits.demo.people import person

# The passwords stand in the documentation: they are no secrets.
# ruff: noqa: S106


@dataclass(frozen=True, slots=True)
class DemoAccount:
    """Somebody who works in the demo company. Without a password nobody can log in as them."""

    email: str
    full_name: str
    role: Role
    phone: str
    city: str | None = None
    district: str | None = None
    password: str | None = None


ACCOUNTS: tuple[DemoAccount, ...] = (
    DemoAccount(
        "admin@example.com", "Орлова Анна Викторовна", Role.ADMIN, "+79760000001", password="admin123"
    ),
    DemoAccount(
        "supervisor@example.com", "Морозов Сергей Николаевич", Role.SUPERVISOR, "+79760000002",
        "Москва", password="supervisor123",
    ),
    DemoAccount(
        "engineer1@example.com", "Соколов Иван Алексеевич", Role.ENGINEER, "+79760000003",
        "Москва", "Центральный", "engineer123",
    ),
    DemoAccount(
        "engineer2@example.com", "Лебедев Пётр Андреевич", Role.ENGINEER, "+79760000004",
        "Москва", "Северный", "engineer123",
    ),
    DemoAccount(
        "supervisor.kazan@example.com", "Хасанова Ольга Рашитовна", Role.SUPERVISOR, "+79760000005",
        "Казань", password="supervisor123",
    ),
    DemoAccount(
        "engineer.kazan@example.com", "Галиев Тимур Ильдарович", Role.ENGINEER, "+79760000006",
        "Казань", "Вахитовский", "engineer123",
    ),
)  # fmt: skip


def colleagues() -> list[DemoAccount]:
    """An engineer without a login for each district that no demo account works in."""
    covered = {(account.city, account.district) for account in ACCOUNTS}
    free = [
        (city.name, district.name)
        for city in CITIES
        for district in city.districts
        if (city.name, district.name) not in covered
    ]
    # Always the same dice: the staff does not change with the seed of the houses.
    draw = Draw(seed=0)
    staff = []
    for number, (city, district) in enumerate(free, start=len(ACCOUNTS) + 1):
        draw.begin(number)
        full_name, _woman = person(draw, city)
        staff.append(
            DemoAccount(
                f"crew{number:02}@example.com",
                full_name,
                Role.ENGINEER,
                f"+7976{number:07}",
                city,
                district,
            )
        )
    return staff


def create_missing_accounts(
    districts: dict[tuple[str, str], District], cities: dict[str, City]
) -> list[User]:
    """Create those of the staff that do not exist, and return them; those who exist keep their passwords.

    districts and cities are looked up by the names of the dictionary data.
    """
    staff = [*ACCOUNTS, *colleagues()]
    with transaction.atomic():
        known = set(
            User.objects.filter(email__in=[member.email for member in staff]).values_list(
                "email", flat=True
            )
        )
        created = [
            _create(member, districts, cities) for member in staff if member.email not in known
        ]
        changes = [change_of(Action.CREATE, user, after=snapshot(user)) for user in created]
        report(changes, actor=None)
    return created


def _create(
    member: DemoAccount, districts: dict[tuple[str, str], District], cities: dict[str, City]
) -> User:
    """Make one account, past the service's rules for passwords: the documented ones are too weak for them."""
    user = User(
        id=fixed_id("user", member.email),
        email=member.email,
        full_name=member.full_name,
        phone=member.phone,
        role=member.role,
        city=cities[member.city] if member.city else None,
        district=districts[member.city, member.district]
        if member.city and member.district
        else None,
    )
    user.set_password(member.password)  # None makes the password unusable
    user.save(force_insert=True)
    user.refresh_from_db()
    return user
