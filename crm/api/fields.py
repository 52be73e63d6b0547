"""Serializer fields that every endpoint shares."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from crm.api.moments import parse_moment
from crm.geo import coordinate
from crm.masking import is_masked, mask_email, mask_phone
from crm.phones import InvalidPhone, normalise_phone

DAY_ALONE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def sees_personal_data(field: serializers.Field) -> bool:
    """Whether the reader of this answer sees phones and e-mails whole. Without a reader: no."""
    request = field.context.get("request")
    user = field.context.get("reader") or getattr(request, "user", None)
    return bool(user is not None and getattr(user, "sees_personal_data", False))


@extend_schema_field(OpenApiTypes.DATETIME)
class MomentField(serializers.DateTimeField):
    """A moment: out in UTC with `Z`; in as ISO 8601: UTC without an offset, local midnight without a time."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("default_timezone", UTC)
        super().__init__(**kwargs)

    def to_internal_value(self, value: Any) -> Any:
        day = value.strip() if isinstance(value, str) else ""
        if DAY_ALONE.fullmatch(day):
            # A day begins where the people are, not in Greenwich.
            try:
                return parse_moment(day, end=False)
            except ValueError:
                self.fail("invalid", format="YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]")
        return super().to_internal_value(value)

    def to_representation(self, value: Any) -> Any:
        if not value:
            return None
        if isinstance(value, str):
            return value
        return moment_text(value)


def moment_text(value: datetime) -> str:
    """ISO 8601 in UTC with `Z`, microseconds only where there are any."""
    return value.astimezone(UTC).isoformat().replace("+00:00", "Z")


class TextField(serializers.CharField):
    """A text that may be absent: '' and blanks mean absent where null is allowed."""

    def __init__(self, **kwargs: Any) -> None:
        if kwargs.get("allow_null"):
            kwargs["allow_blank"] = True
        super().__init__(**kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        value = super().run_validation(data)
        return None if value == "" and self.allow_null else value

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return str(super().to_internal_value(data))


@extend_schema_field(
    {"type": "string", "nullable": True, "maxLength": 32, "example": "+79123456789"}
)
class PhoneField(TextField):
    """A phone: in as people write it, stored in E.164, masked for engineers.

    A value with a mask's asterisk passes through: the service compares it with what is stored.
    """

    default_error_messages = {"phone": _("This is not a phone number.")}

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("allow_null", True)
        kwargs.setdefault("required", False)
        kwargs.setdefault("max_length", 32)
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        value = super().to_internal_value(data)
        if value == "" or is_masked(value):
            return value
        try:
            return normalise_phone(value, settings.PHONE_REGION)
        except InvalidPhone:
            self.fail("phone")

    def to_representation(self, value: Any) -> Any:
        return value if sees_personal_data(self) else mask_phone(value)


@extend_schema_field(OpenApiTypes.EMAIL)
class MaskedEmailField(TextField):
    """An e-mail address, masked for engineers."""

    def to_representation(self, value: Any) -> Any:
        return value if sees_personal_data(self) else mask_email(value)


class WordsField(serializers.ListField):
    """A list of distinct words in the order given."""

    MAX_WORDS = 50

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", self.MAX_WORDS)
        super().__init__(**kwargs)

    def run_child_validation(self, data: Any) -> Any:
        # Before the words themselves: a sentence about each of a million would be a very long answer.
        if self.max_length is not None and len(data) > self.max_length:
            self.fail("max_length", max_length=self.max_length)
        return super().run_child_validation(data)

    def to_internal_value(self, data: Any) -> list[Any]:
        return list(dict.fromkeys(super().to_internal_value(data)))


class StrictBooleanField(serializers.BooleanField):
    """true or false as JSON has them; words and numbers are refused."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictIntegerField(serializers.IntegerField):
    """A JSON integer; strings and booleans are refused."""

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return int(super().to_internal_value(data))


class DegreesField(serializers.FloatField):
    """A coordinate that may be absent: a JSON number between ±limit; strings and booleans are refused."""

    def __init__(self, *, limit: int) -> None:
        super().__init__(required=False, allow_null=True, min_value=-limit, max_value=limit)

    def to_internal_value(self, data: Any) -> float:
        if isinstance(data, bool) or not isinstance(data, int | float):
            self.fail("invalid")
        return coordinate(super().to_internal_value(data))


@extend_schema_field({"type": "object", "additionalProperties": {}})
class JSONObjectField(serializers.DictField):
    """A JSON object of any content, as deep as people need, with numbers that every reader can hold.

    PostgreSQL gives 1e30 back as an integer of 31 digits, which no JSON library but Python's own reads.
    """

    MAX_DEPTH = 32
    # RFC 8259, section 6: beyond it integers are not interoperable.
    MAX_NUMBER = 2**53 - 1
    default_error_messages = {
        "depth": _("The value is nested more than %(limit)s levels deep."),
        "number": _("A number lies beyond ±%(limit)s."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        value: dict[str, Any] = super().to_internal_value(data)
        level: list[Any] = [value]
        for _depth in range(self.MAX_DEPTH):
            held = (one.values() if isinstance(one, dict) else one for one in level)
            inner = [item for items in held for item in items]
            if any(isinstance(item, int | float) and abs(item) > self.MAX_NUMBER for item in inner):
                raise self.refusal("number", self.MAX_NUMBER)
            level = [item for item in inner if isinstance(item, dict | list)]
            if not level:
                return value
        raise self.refusal("depth", self.MAX_DEPTH)

    def refusal(self, code: str, limit: int) -> serializers.ValidationError:
        """The refusal of a value beyond a limit."""
        sentence = self.error_messages[code] % {"limit": limit}
        return serializers.ValidationError(sentence, code=code)


def numbers_by(codes: Sequence[str]) -> serializers.Field[Any, Any, Any, Any]:
    """A number for each code, of statuses for example; every code is there."""
    schema = {
        "type": "object",
        "properties": {code: {"type": "integer", "minimum": 0} for code in codes},
        "required": list(codes),
        "additionalProperties": False,
    }
    field: type[serializers.DictField] = extend_schema_field(schema)(
        type("NumbersField", (serializers.DictField,), {})
    )
    return field(read_only=True)
