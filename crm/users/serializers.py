"""People as the API shows and takes them."""

from typing import Any

from django.core.validators import EmailValidator
from rest_framework import serializers

from crm.api.fields import (
    MaskedEmailField,
    MomentField,
    PhoneField,
    StrictBooleanField,
    TextField,
)
from crm.api.serializers import PlaceSerializer, ReferenceField
from crm.users.models import normalise_email
from crm.users.passwords import MAX_PASSWORD
from crm.users.roles import Role

MIN_PASSWORD, MAX_EMAIL, MAX_NAME = 8, 254, 200


class EmailAddressField(MaskedEmailField):
    """An e-mail address that is a login: checked, masked for engineers."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=MAX_EMAIL, **kwargs)
        self.validators.append(EmailValidator())

    def to_internal_value(self, data: Any) -> str:
        # As it is stored: a capital may become two small characters, and then it must still fit.
        return normalise_email(super().to_internal_value(data))


class OwnSerializer(serializers.Serializer[Any]):
    """What people change of themselves."""

    full_name = TextField(max_length=MAX_NAME, required=False)
    phone = PhoneField()


class UserSerializer(serializers.Serializer[Any]):
    """A person with a role and a territory."""

    id = serializers.UUIDField(read_only=True)
    email = EmailAddressField()
    full_name = TextField(max_length=MAX_NAME)
    phone = PhoneField()
    role = serializers.ChoiceField(choices=Role.choices)
    city_id = ReferenceField(
        required=False, allow_null=True, help_text="Defaults to the district's city."
    )
    district_id = ReferenceField(required=False, allow_null=True)
    city = PlaceSerializer(read_only=True, allow_null=True)
    district = PlaceSerializer(read_only=True, allow_null=True)
    is_active = StrictBooleanField(required=False)
    last_login_at = MomentField(source="last_login", read_only=True, allow_null=True)
    created_at = MomentField(read_only=True)
    updated_at = MomentField(read_only=True)
    password = TextField(
        write_only=True,
        min_length=MIN_PASSWORD,
        max_length=MAX_PASSWORD,
        trim_whitespace=False,
        help_text="In a change: administrators only; the person's sessions end.",
    )


class MeSerializer(UserSerializer):
    """The caller, with the scopes of their role."""

    scopes = serializers.ListField(child=serializers.CharField(), read_only=True)


class SupervisorSerializer(serializers.Serializer[Any]):
    """A supervisor to whom an object can be handed over: no personal data, for everybody."""

    id = serializers.UUIDField(read_only=True)
    full_name = serializers.CharField(read_only=True)
    city_id = serializers.UUIDField(
        read_only=True, allow_null=True, help_text="null: the whole company."
    )
    city = PlaceSerializer(read_only=True, allow_null=True)
