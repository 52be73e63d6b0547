"""How the schema tells of refusals: their envelope, and what each status means."""

from typing import Any, Final

from rest_framework import serializers

from crm.errors import Code

# Status → the response's name among the components, what it means, and its envelope.
MALFORMED, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404
CONFLICT, RESYNC, TOO_LARGE, MEDIA_TYPE, INVALID = 409, 410, 413, 415, 422
RATE_LIMITED, UNAVAILABLE = 429, 503


class ErrorBodySerializer(serializers.Serializer[Any]):
    """The machine's part of a refusal."""

    code = serializers.ChoiceField(choices=[(code.value, code.value) for code in Code])
    message = serializers.CharField()
    details = serializers.DictField(help_text="What else there is to say; depends on the code.")
    request_id = serializers.CharField(help_text="The X-Request-ID of this answer.")


class ErrorSerializer(serializers.Serializer[Any]):
    """The envelope of every refusal. Branch on `error.code`; the sentences are for people."""

    detail = serializers.CharField()
    error = ErrorBodySerializer()


class FieldErrorsSerializer(serializers.Serializer[Any]):
    """What is wrong with the input."""

    fields = serializers.DictField(  # type: ignore[assignment]
        child=serializers.ListField(child=serializers.CharField()),
        help_text="Field or parameter → sentences. `interests.0` is the first of a list.",
    )


class ValidationErrorBodySerializer(ErrorBodySerializer):
    """The machine's part of a refusal of input."""

    details = FieldErrorsSerializer()  # type: ignore[assignment]


class ValidationErrorSerializer(ErrorSerializer):
    """A refusal of input."""

    error = ValidationErrorBodySerializer()


class BothSidesSerializer(serializers.Serializer[Any]):
    """One field of a conflict."""

    server = serializers.JSONField(allow_null=True)
    client = serializers.JSONField(allow_null=True)


class ResolutionHintsSerializer(serializers.Serializer[Any]):
    """What to do about a conflict."""

    code = serializers.ChoiceField(choices=["STALE_VERSION", "HARD_CONFLICT"])
    strategy = serializers.ChoiceField(choices=["merge", "force", "reject"])
    message = serializers.CharField()


class DifferenceSerializer(serializers.Serializer[Any]):
    """Both sides of an edit that was based on another version."""

    expected_version = serializers.IntegerField(allow_null=True)
    current_version = serializers.IntegerField()
    server_data = serializers.DictField()
    client_data = serializers.DictField()
    diff = serializers.DictField(child=BothSidesSerializer())
    conflicting_fields = serializers.ListField(child=serializers.CharField())
    resolution_hints = ResolutionHintsSerializer()


class ConflictDetailsSerializer(serializers.Serializer[Any]):
    """What stands in the way: each of these where it applies."""

    diff = DifferenceSerializer(required=False, read_only=True)
    field = serializers.CharField(
        required=False, read_only=True, help_text="DUPLICATE: the field whose value is taken."
    )
    existing_id = serializers.UUIDField(
        required=False,
        read_only=True,
        help_text="DUPLICATE: the record that has the value, if the caller may see it.",
    )
    clashes = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        read_only=True,
        help_text="Restore: the live records that hold a unique value by now.",
    )
    object_id = serializers.UUIDField(
        required=False, read_only=True, help_text="Restore: the object to restore instead."
    )
    in_use_by = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        read_only=True,
        help_text="Delete of a dictionary entry: what refers to it.",
    )


class ConflictErrorBodySerializer(ErrorBodySerializer):
    """The machine's part of a conflict."""

    details = ConflictDetailsSerializer()  # type: ignore[assignment]


class ConflictErrorSerializer(ErrorSerializer):
    """A conflict with the state of things."""

    error = ConflictErrorBodySerializer()


REFUSALS: Final[dict[int, tuple[str, str, type[serializers.Serializer[Any]]]]] = {
    MALFORMED: ("Malformed", "The request cannot be read (MALFORMED).", ErrorSerializer),
    UNAUTHORIZED: (
        "Unauthorized",
        "No token, a dead one, or nobody any more (UNAUTHORIZED).",
        ErrorSerializer,
    ),
    FORBIDDEN: ("Forbidden", "The role does not allow it (FORBIDDEN).", ErrorSerializer),
    NOT_FOUND: (
        "NotFound",
        "It does not exist or lies outside the caller's sight (NOT_FOUND).",
        ErrorSerializer,
    ),
    CONFLICT: (
        "Conflict",
        "Another version, a duplicate, or a state that does not allow it (CONFLICT, DUPLICATE).",
        ConflictErrorSerializer,
    ),
    RESYNC: (
        "ResyncRequired",
        (
            "The cursor cannot be honoured (RESYNC_REQUIRED): start over without one, keep unsent edits. "
            "`details.reason`: epoch, purged, tables, user, scope_changed, ahead, signature or format."
        ),
        ErrorSerializer,
    ),
    TOO_LARGE: ("PayloadTooLarge", "The body is too large (PAYLOAD_TOO_LARGE).", ErrorSerializer),
    MEDIA_TYPE: (
        "UnsupportedMediaType",
        "The body is of another media type (UNSUPPORTED_MEDIA_TYPE).",
        ErrorSerializer,
    ),
    INVALID: (
        "Invalid",
        "A field, parameter or rule is broken (VALIDATION_ERROR).",
        ValidationErrorSerializer,
    ),
    RATE_LIMITED: (
        "RateLimited",
        "Too many requests; Retry-After says when to come back (RATE_LIMIT_EXCEEDED).",
        ErrorSerializer,
    ),
    UNAVAILABLE: (
        "Unavailable",
        "Something that the server needs is away for the moment (SERVICE_UNAVAILABLE).",
        ErrorSerializer,
    ),
}
