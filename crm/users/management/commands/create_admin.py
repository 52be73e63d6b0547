"""`manage.py create_admin EMAIL PASSWORD [NAME]`: the first account of an installation, or another one."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email

from crm.errors import Duplicate, Invalid
from crm.users.models import normalise_email
from crm.users.roles import Role
from crm.users.serializers import MAX_EMAIL, MAX_NAME
from crm.users.services import create_user


class Command(BaseCommand):
    """Makes an administrator; changes nobody who is there already."""

    help = "Make an administrator's account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", help="the login")
        parser.add_argument("password", help="at least 8 characters, not a common word")
        parser.add_argument(
            "name", nargs="?", default="", help="full name; default: from the e-mail"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        email = normalise_email(options["email"])
        name = (options["name"].strip() or email.partition("@")[0])[:MAX_NAME]
        try:
            validate_email(email[: MAX_EMAIL + 1])
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        values = {
            "email": email,
            "password": options["password"],
            "full_name": name,
            "role": Role.ADMIN,
        }
        try:
            create_user(actor=None, values=values)
        except Duplicate as error:
            raise CommandError(str(error.message)) from error
        except Invalid as error:
            sentences = [str(each) for listed in error.fields.values() for each in listed]
            raise CommandError(" ".join(sentences)) from error
        self.stdout.write(self.style.SUCCESS(f"{email} is an administrator now."))
