"""The OpenAPI schema: every parameter, every status, the error envelope on every operation.

What lists, details and writes have in common is said here once; views only say what is their own.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent, get_doc
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.permissions import SAFE_METHODS

from crm.api import schema_lists as lists
from crm.api.schema_errors import (
    CONFLICT,
    FORBIDDEN,
    INVALID,
    MALFORMED,
    MEDIA_TYPE,
    NOT_FOUND,
    RATE_LIMITED,
    REFUSALS,
    TOO_LARGE,
    UNAUTHORIZED,
    UNAVAILABLE,
)

F = TypeVar("F", bound=Callable[..., Any])
Schema = dict[str, Any]

KINDS = {
    "uuid": OpenApiTypes.UUID,
    "integer": OpenApiTypes.INT,
    "boolean": OpenApiTypes.BOOL,
    "string": OpenApiTypes.STR,
}

RECORD_ID = OpenApiParameter("id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The id.")
IF_MATCH = OpenApiParameter(
    "If-Match",
    {"type": "string", "pattern": r'^(\*|(W/)?"?[0-9]{1,9}"?)$', "example": '"3"'},
    OpenApiParameter.HEADER,
    description="The version that the change is based on, as the ETag says it; the same as `version`.",
)
IF_NONE_MATCH = OpenApiParameter(
    "If-None-Match",
    {"type": "string"},
    OpenApiParameter.HEADER,
    description="The ETag of the copy at hand: 304 while it still is right.",
)
HEADERS: dict[str, Schema] = {
    "X-Request-ID": {
        "description": "Names this request in the logs: the caller's own when it sent a sane one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
        "required": True,
    },
    "ETag": {
        "description": "The version in quotes, for If-Match. Of a dictionary: a digest, for If-None-Match.",
        "schema": {"type": "string", "pattern": '^"[0-9a-f]+"$'},
        "required": True,
    },
    "Retry-After": {
        "description": "Seconds until it is worth trying again.",
        "schema": {"type": "integer", "minimum": 1},
        "required": True,
    },
    "WWW-Authenticate": {
        "description": "How to authenticate: Bearer.",
        "schema": {"type": "string"},
        "required": True,
    },
}
HEADERS_OF_REFUSALS = {
    UNAUTHORIZED: "WWW-Authenticate",
    RATE_LIMITED: "Retry-After",
    UNAVAILABLE: "Retry-After",
}


def refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    """Documented error responses, for an operation that knows more of them than the conventions."""
    return {s: OpenApiResponse(REFUSALS[s][2], REFUSALS[s][1]) for s in statuses}


def documented(
    *,
    listing: bool = False,
    bare: bool = False,
    parameters: Mapping[str, str] | None = None,
    required: Sequence[str] = (),
    body: Any = None,
) -> Callable[[F], F]:
    """Describe an extra action: its parameters (name → kind), its body, whether it answers as a list does.

    `bare`: the list is a plain array unless a page or a cursor is asked for. `body=False` means that it
    takes none.
    """

    def describe(function: F) -> F:
        function.schema_listing = listing  # type: ignore[attr-defined]
        function.schema_bare = bare  # type: ignore[attr-defined]
        options: dict[str, Any] = {
            "parameters": [
                OpenApiParameter(name, KINDS[kind], required=name in required)
                for name, kind in (parameters or {}).items()
            ]
        }
        if body is False:
            options["request"] = None
        elif body is not None:
            options["request"] = body
        decorated: F = extend_schema(**options)(function)
        return decorated

    return describe


class EnvelopeSchema(AutoSchema):
    """The project's conventions, for drf-spectacular."""

    # --- what kind of operation it is ---

    @property
    def function(self) -> Any:
        """The view's method behind this operation."""
        return getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)

    @property
    def action(self) -> str:
        """The name of a viewset's action; empty for other views."""
        return str(getattr(self.view, "action", None) or "")

    @property
    def of_records(self) -> bool:
        """Whether it is about versioned records."""
        return hasattr(self.view, "services")

    @property
    def paged(self) -> bool:
        """Whether it answers with pages and cursors."""
        listing = self.action == "list" or getattr(self.function, "schema_listing", False)
        return bool(listing and hasattr(self.view, "sorts"))

    @property
    def tagged(self) -> bool:
        """Whether it changes one version of a record: a PATCH, or a move of its status."""
        if not self.of_records:
            return False
        return self.method == "PATCH" or (self.method == "POST" and self.has_version_in_body())

    def has_version_in_body(self) -> bool:
        """Whether a status move takes the version that it is based on."""
        body = self.get_request_serializer() if self.action != "create" else None
        kind = body if isinstance(body, type) else type(body)
        return "version" in getattr(kind, "_declared_fields", {})

    def _is_list_view(self, serializer: Any = None) -> bool:
        # The answer's shape of our own lists is added below.
        return False if self.paged else bool(super()._is_list_view(serializer))

    # --- names ---

    def get_operation_id(self) -> str:
        """`visits_complete`: the resource and what is done to it; generated clients name methods so."""
        basename = getattr(self.view, "basename", None)
        if basename and self.action:
            return f"{basename}_{self.action}".replace("/", "_").replace("-", "_")
        return str(super().get_operation_id())

    def get_summary(self) -> str:
        """The docstring's first paragraph."""
        return self.paragraphs()[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        """The rest of the docstring, what the resource is, and the conventions of lists."""
        said = self.paragraphs()[1:]
        if self.action:
            said.insert(0, get_doc(type(self.view)).replace("\n", " "))
        if self.paged:
            said.append(lists.CONVENTIONS)
        return "\n\n".join(said)

    def paragraphs(self) -> list[str]:
        """The docstring of the method, each paragraph on one line."""
        text = get_doc(self.function) or get_doc(type(self.view))
        return [" ".join(part.split()) for part in text.split("\n\n")]

    # --- what it takes ---

    def get_override_parameters(self) -> list[Any]:
        return [*super().get_override_parameters(), *self.conventional_parameters()]

    def conventional_parameters(self) -> Iterator[OpenApiParameter]:
        """The parameters that follow from what kind of operation it is."""
        view: Any = self.view
        if "{id}" in self.path:
            yield RECORD_ID
        if self.paged:
            yield from lists.filter_parameters(view.filters)
            known = dict(view.sorts)
            if "near" in view.filters.base_filters:
                known["distance_m"] = "distance_m"
            yield from lists.paging_parameters(known, view.default_sort)
        elif self.action == "list" and hasattr(view, "filters"):
            yield from lists.filter_parameters(view.filters)
            yield IF_NONE_MATCH
        if self.of_records and (self.paged or self.action == "retrieve"):
            yield lists.DELETED
        if self.tagged:
            yield IF_MATCH

    def get_request_serializer(self) -> Any:
        return None if self.action == "restore" else super().get_request_serializer()

    # --- what it answers ---

    def _get_response_bodies(self, direction: Any = "response") -> Schema:
        bodies: Schema = super()._get_response_bodies(direction)
        for status, body in bodies.items():
            if self.paged and status == "200":
                for media in body["content"].values():
                    media["schema"] = self.list_answer(media["schema"])
            body["description"] = str(body.get("description") or "") or self.success(status)
            body.setdefault("headers", {}).update(self.headers(*self.headers_of_success()))
        if self.is_dictionary_list():
            bodies["304"] = {
                "description": "The copy at hand is right.",
                "headers": self.headers("ETag"),
            }
        for code in sorted(self.statuses()):
            bodies.setdefault(str(code), self.refusal(code))
        return bodies

    def success(self, status: str) -> str:
        """A word on an answer without words of its own."""
        if status == "204":
            return "Done; the answer is empty."
        return "Created." if status == "201" else "OK."

    def is_dictionary_list(self) -> bool:
        """Whether it is a whole dictionary, which clients keep a copy of."""
        return self.action == "list" and not self.paged

    def headers_of_success(self) -> list[str]:
        """Headers beyond X-Request-ID that an answer has."""
        # An action on all of them (the map) answers with no record.
        one = getattr(self.function, "detail", True)
        tagged = self.of_records and one and not self.paged and self.method != "DELETE"
        return ["ETag"] if tagged or self.is_dictionary_list() else []

    def list_answer(self, item: Schema) -> Schema:
        """Either envelope, and the bare array where the list may be one."""
        name = item["$ref"].rpartition("/")[2]
        shapes = [
            self.component(f"{name}Page", ResolvedComponent.SCHEMA, lists.page_schema(item)),
            self.component(f"{name}Cursor", ResolvedComponent.SCHEMA, lists.cursor_schema(item)),
        ]
        if getattr(self.function, "schema_bare", False):
            shapes.insert(0, {"type": "array", "items": item})
        return {"oneOf": shapes}

    def component(self, name: str, kind: str, schema: Schema) -> Schema:
        """A reference to a component, registered when it is new."""
        made = ResolvedComponent(  # type: ignore[no-untyped-call]
            name=name, type=kind, schema=schema, object=f"{kind}:{name}"
        )
        self.registry.register_on_missing(made)
        return dict(made.ref)

    def headers(self, *names: str) -> Schema:
        """References to response headers; X-Request-ID is on everything."""
        return {
            name: self.component(name, ResolvedComponent.HEADER, HEADERS[name])
            for name in ("X-Request-ID", *names)
        }

    def refusal(self, status: int) -> Schema:
        """A reference to the response of a refusal."""
        # What this view says more of than the others: status → as in REFUSALS.
        own: Mapping[int, Any] = getattr(self.view, "refusals", {})
        name, meaning, serializer = own.get(status) or REFUSALS[status]
        content = {"schema": self.resolve_serializer(serializer, "response").ref}
        extra = HEADERS_OF_REFUSALS.get(status)
        response = {
            "description": meaning,
            "headers": self.headers(*([extra] if extra else [])),
            "content": {"application/json": content},
        }
        return self.component(name, ResolvedComponent.RESPONSE, response)

    def statuses(self) -> set[int]:
        """The refusals that this operation can give."""
        writes = self.method not in SAFE_METHODS
        routed = bool(self.action)
        # What only this view refuses with.
        own: Sequence[int] = getattr(self.view, "refuses", ())
        found = {UNAUTHORIZED, RATE_LIMITED, UNAVAILABLE, *own}
        if hasattr(self.view, "scope") or (writes and routed):
            found.add(FORBIDDEN)
        if "{" in self.path:
            found.add(NOT_FOUND)
        if writes and routed and not (self.of_records and self.method == "DELETE"):
            found.add(CONFLICT)
        if self._get_request_body():  # type: ignore[no-untyped-call]
            found |= {MALFORMED, TOO_LARGE, MEDIA_TYPE, INVALID}
        if any(parameter["in"] == "query" for parameter in self._get_parameters()):
            found.add(INVALID)
        return found

    # --- fields ---

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> Schema:
        schema: Schema = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        fields = getattr(serializer, "fields", {})
        if direction == "request":
            if not getattr(serializer, "partial", False) and "force" in fields:
                # A new record has no version to be compared with.
                for name in ("version", "force"):
                    schema["properties"].pop(name, None)
            return schema
        # An answer holds every field, even those that a request may leave out.
        schema["required"] = sorted(
            name
            for name, field in fields.items()
            if name in schema["properties"] and (field.required or not is_occasional(field))
        )
        if not schema["required"]:
            del schema["required"]
        return schema


def is_occasional(field: serializers.Field[Any, Any, Any, Any]) -> bool:
    """Whether an answer has the field only where it applies: declared both read-only and not required."""
    declared: Mapping[str, Any] = getattr(field, "_kwargs", {})
    return bool(field.read_only and declared.get("required") is False)
