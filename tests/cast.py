"""The fixed cast. Leaks are tested by name: who sees it, and who must not.

Anna (ADMIN), Sergei (SUPERVISOR, Moscow), Olga (SUPERVISOR, Kazan), Ivan (ENGINEER, Moscow Centre),
Pyotr (ENGINEER, Moscow North), Timur (ENGINEER, Kazan).
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.utils import timezone
from rest_framework.test import APIClient

from clients.models import Customer
from crm.territory.models import City, District
from crm.users import tokens
from crm.users.models import Session, User
from crm.users.roles import Role
from objects.models import Object, Unit
from visits.models import Visit

PASSWORD = "correct horse battery"
_hashed: list[str] = []


def hashed_password() -> str:
    """The cast's password, hashed once for the whole run."""
    if not _hashed:
        _hashed.append(make_password(PASSWORD))
    return _hashed[0]


@dataclass
class Cast:
    """People, cities and districts, and short ways to make records."""

    moscow: City
    kazan: City
    centre: District
    north: District
    vakhitovsky: District
    anna: User
    sergei: User
    olga: User
    ivan: User
    pyotr: User
    timur: User
    made: int = field(default=0)

    @property
    def everyone(self) -> list[User]:
        """All six."""
        return [self.anna, self.sergei, self.olga, self.ivan, self.pyotr, self.timur]

    def api(self, user: User | None, **headers: str) -> APIClient:
        """A client that talks to the API as `user`, with a real session and token; None = nobody."""
        client = APIClient(raise_request_exception=False)
        if user is not None:
            now = timezone.now()
            session = Session.objects.create(
                user=user, issued_at=now, expires_at=now + timedelta(days=1)
            )
            headers["authorization"] = f"Bearer {tokens.mint(session).access_token}"
        # English sentences are asserted on; Russian ones have tests of their own.
        headers.setdefault("accept-language", "en")
        client.defaults.update(
            {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        )
        return client

    def object(self, **values: Any) -> Object:
        """A live object, in Moscow's centre unless told otherwise."""
        self.made += 1
        defaults: dict[str, Any] = {
            "type": "MKD",
            "address": f"ул. Тверская, д. {self.made}",
            "city": self.moscow,
            "district": self.centre if values.get("city", self.moscow) == self.moscow else None,
        }
        return Object.objects.create(**{**defaults, **values})

    def unit(self, parent: Object, **values: Any) -> Unit:
        """A flat of the object."""
        self.made += 1
        return Unit.objects.create(object=parent, **{"unit_number": str(self.made), **values})

    def customer(self, parent: Object, **values: Any) -> Customer:
        """A resident of the object."""
        self.made += 1
        defaults = {"full_name": f"Мария Петрова {self.made}", "phone": f"+7999{self.made:07d}"}
        return Customer.objects.create(object=parent, **{**defaults, **values})

    def visit(self, parent: Object, engineer: User, **values: Any) -> Visit:
        """A visit, planned for tomorrow unless told otherwise."""
        defaults = {"scheduled_at": timezone.now() + timedelta(days=1)}
        return Visit.objects.create(object=parent, engineer=engineer, **{**defaults, **values})


def person(email: str, name: str, role: Role, **values: Any) -> User:
    """A user with the cast's password."""
    return User.objects.create(  # type: ignore[no-any-return]
        email=email, full_name=name, role=role, password=hashed_password(), **values
    )


@pytest.fixture
def cast(db: None) -> Cast:
    """Everybody, on empty ground."""
    return everybody()


def everybody() -> Cast:
    """The six and their places, written to an empty database."""
    moscow = City.objects.create(name="Москва")
    kazan = City.objects.create(name="Казань")
    centre = District.objects.create(name="Центральный", city=moscow)
    north = District.objects.create(name="Северный", city=moscow)
    vakhitovsky = District.objects.create(name="Вахитовский", city=kazan)
    return Cast(
        moscow=moscow,
        kazan=kazan,
        centre=centre,
        north=north,
        vakhitovsky=vakhitovsky,
        anna=person("anna@crm.test", "Анна Администратова", Role.ADMIN, phone="+79161110001"),
        sergei=person(
            "sergei@crm.test",
            "Сергей Московский",
            Role.SUPERVISOR,
            city=moscow,
            phone="+79161110002",
        ),
        olga=person(
            "olga@crm.test", "Ольга Казанская", Role.SUPERVISOR, city=kazan, phone="+79161110003"
        ),
        ivan=person(
            "ivan@crm.test",
            "Иван Центров",
            Role.ENGINEER,
            city=moscow,
            district=centre,
            phone="+79161110004",
        ),
        pyotr=person(
            "pyotr@crm.test",
            "Пётр Северов",
            Role.ENGINEER,
            city=moscow,
            district=north,
            phone="+79161110005",
        ),
        timur=person(
            "timur@crm.test",
            "Тимур Казанский",
            Role.ENGINEER,
            city=kazan,
            district=vakhitovsky,
            phone="+79161110006",
        ),
    )
