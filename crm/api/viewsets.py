"""The base of every endpoint over records: scope, lists, locking and errors live here, once.

A subclass declares its model, serializer, filters, sorts and services. It cannot forget scope or locking:
every queryset starts with `visible_to`, and every write goes through a service that locks and compares.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Self, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import gettext as _
from rest_framework import serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from crm.api import listing
from crm.api.caller import caller_of
from crm.api.filters import ListFilters, filtered, parameters_of
from crm.api.json_members import members_of
from crm.api.kept_plans import planned, sight_of, timeless
from crm.api.pages import BySerializer, Plan, Rows, WalkPlan, bare_of, page_of, step_of, walk_of
from crm.api.permissions import HasScope
from crm.api.rendering import to_json
from crm.db.json_pages import ANY_ID, ROW, JsonRows, json_rows
from crm.db.json_text import Member
from crm.editing import MASKS, StaleRecord
from crm.errors import CallerError, Forbidden, Invalid, Malformed, NotFound
from crm.masking import is_masked
from crm.records import Record
from crm.users.models import User

# Stands for the cursor in what a plan is kept under. No cursor has spaces.
ANY_CURSOR: Final = "any cursor"


@dataclass(frozen=True, slots=True)
class Question:
    """What a list must know of a request, where there is none: who asks, and for what."""

    user: User
    query_params: Mapping[str, str]


class ReaderViewSet(GenericViewSet[Any]):
    """Lists and details of what the caller may see."""

    permission_classes = (IsAuthenticated, HasScope)
    http_method_names = ["get", "post", "patch", "delete", "head"]
    filter_backends = ()
    pagination_class = None
    lookup_value_regex = "[^/]+"

    scope: ClassVar[str]
    filters: ClassVar[type[ListFilters]]
    sorts: ClassVar[Mapping[str, str]]
    default_sort: ClassVar[str]
    # Names of `sorts` that hold personal data: an engineer's list could unmask by its order.
    personal_sorts: ClassVar[frozenset[str]] = frozenset()
    related: ClassVar[tuple[str, ...]] = ()
    # Fields that the query computes for some requests: shown when it does.
    annotated: ClassVar[tuple[str, ...]] = ()
    # The column whose value is a detail's entity tag.
    tagged_by: ClassVar[str] = ""
    # Whether rows are represented by the serializer, one by one, instead of by the database: where a field
    # is worked out in Python.
    by_serializer: ClassVar[bool] = False
    # Whether `visible_to` goes by the caller's role and territory alone, so that its SQL stays the same.
    sight_by_role: ClassVar[bool] = False
    # The order of a cursor without `sort`: by id, in the columns that the list's indexes have.
    cursor_keys: ClassVar[Sequence[listing.SortKey]] = listing.BY_ID

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "pk" in self.kwargs:
            # Whatever else is wrong with the request: what is no id is nobody's.
            self.record_id()

    @property
    def caller(self) -> User:
        """Who is asking."""
        return caller_of(self.request)

    def model(self) -> Any:
        """The kind of record."""
        return getattr(self, "queryset").model  # noqa: B009 - the stubs take `queryset` for a descriptor

    def record_id(self) -> UUID:
        """The id in the path; a malformed one is simply not found."""
        try:
            return UUID(str(self.kwargs["pk"]))
        except ValueError:
            raise NotFound from None

    def get_queryset(self) -> QuerySet[Any]:
        """What the caller may see, with the rows that nested summaries need."""
        return self.summarised(self.model().objects.visible_to(self.caller))

    def summarised(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """The rows with what their answer nests, in the same query."""
        return rows.select_related(*self.related) if self.related else rows

    def get_object(self) -> Any:
        found = self.get_queryset().filter(pk=self.record_id()).first()
        if found is None:
            raise NotFound
        return found

    def known_sorts(self) -> Mapping[str, str]:
        """The names that this caller may sort by."""
        if self.caller.sees_personal_data:
            return self.sorts
        return {name: path for name, path in self.sorts.items() if name not in self.personal_sorts}

    def represent(self, rows: list[Any]) -> list[Any]:
        """Rows as the caller sees them."""
        return list(self.get_serializer(rows, many=True).data)

    @classmethod
    def asked_by(cls, user: User, parameters: Mapping[str, str]) -> Self:
        """This list as that person asks for it, outside of any request: a report of it."""
        view = cls()
        view.request = cast("Request", Question(user, parameters))
        return view

    def json_of(
        self, rows: QuerySet[Any], *, keys: Sequence[listing.SortKey] = (), tell: Sequence[str] = ()
    ) -> JsonRows:
        """Rows as the caller sees them, as JSON that the database makes from the serializer's fields."""
        shown, masked = self.get_serializer_class(), not self.caller.sees_personal_data

        def members(computed: Mapping[str, str]) -> Sequence[Member]:
            annotated = tuple((name, computed.get(name, "")) for name in self.annotated)
            return members_of(
                shown, rows.model, ROW, masked=masked, annotated=annotated, using=rows.db
            )

        order = [(key.path, key.direction) for key in keys]
        return json_rows(rows, members, order=order, tell=tell)

    def read(
        self, rows: QuerySet[Any], keys: Sequence[listing.SortKey], *, telling: bool = False
    ) -> Rows:
        """How rows, in order and cut, are read."""
        if self.by_serializer:
            return BySerializer(rows, keys, self.represent)
        return self.json_of(rows, keys=keys, tell=[key.path for key in keys] if telling else ())

    def plan_key(self, parameters: Mapping[str, str], *, lasting: bool) -> Hashable | None:
        """What a plan of this request is kept under; None when it is not."""
        if self.by_serializer or not (lasting and self.sight_by_role):
            return None
        rest = tuple(sorted((name, value) for name, value in self.kwargs.items() if name != "pk"))
        asked = tuple(sorted(parameters.items()))
        return type(self), self.action, rest, sight_of(self.caller), asked

    def narrowed(
        self, rows: QuerySet[Any], parameters: Mapping[str, str]
    ) -> tuple[QuerySet[Any], Mapping[str, str], str]:
        """The rows that the parameters leave, what these can be sorted by, and their usual order."""
        rows = filtered(rows, parameters, self.filters, self.request)
        known = self.known_sorts()
        if "distance_m" in rows.query.annotations:
            return rows, {**known, "distance_m": "distance_m"}, "distance_m"
        return rows, known, self.default_sort

    def in_order(self) -> QuerySet[Any]:
        """All that is asked for, in the order asked for: the list without its pages."""
        parameters = parameters_of(self.request.query_params)
        rows, known, default = self.narrowed(self.get_queryset(), parameters)
        asked = parameters.get("sort", "").strip() or default
        return listing.ordered(rows, listing.sort_keys(asked, known, rows.model))

    def listed(self, rows: Callable[[], QuerySet[Any]], *, bare: bool = False) -> HttpResponse:
        """The list answer over `rows`: filtered, in order, as a page or a step of a cursor.

        bare: as a plain array of at most 1,000, unless a page or a cursor is asked for.
        """
        parameters = parameters_of(self.request.query_params)
        lasting = timeless(self.filters, parameters)
        if parameters.get("cursor") and not parameters.get("sort", "").strip():
            # Somebody walks on by id: their next cursor differs from this one in the id alone.
            walk = self.plan_key({**parameters, "cursor": ANY_CURSOR}, lasting=lasting)
            if walk is not None and "page" not in parameters and self.cursor_keys is listing.BY_ID:
                plan = planned(walk, lambda: self.walk(rows(), parameters))
                return json_response(plan.answer_after(parameters["cursor"]))
        key = self.plan_key(parameters, lasting=lasting and not parameters.get("cursor"))
        return json_response(
            planned(key, lambda: self.plan(rows(), parameters, bare=bare)).answer()
        )

    def walk(self, rows: QuerySet[Any], parameters: Mapping[str, str]) -> WalkPlan:
        """How any step by id is answered. Raises Invalid."""
        return walk_of(self.narrowed(rows, parameters)[0], parameters, self.read)

    def plan(self, rows: QuerySet[Any], parameters: Mapping[str, str], *, bare: bool) -> Plan:
        """How the list is answered. Raises Invalid."""
        rows, known, default = self.narrowed(rows, parameters)
        asked = parameters.get("sort", "").strip()
        if "cursor" in parameters:
            if "page" in parameters:
                raise Invalid({"cursor": _("Ask for either a page or a cursor.")})
            keys = listing.sort_keys(asked, known, rows.model) if asked else self.cursor_keys
            return step_of(rows, keys, parameters, self.read)
        keys = listing.sort_keys(asked or default, known, rows.model)
        if bare and "page" not in parameters:
            return bare_of(rows, keys, parameters, self.read)
        return page_of(rows, keys, parameters, self.read)

    def list(self, request: Request) -> HttpResponse:
        """What the caller may see, by page or cursor."""
        return self.listed(self.get_queryset)

    def retrieve(self, request: Request, pk: str) -> HttpResponse:
        """One record."""
        record_id = self.record_id()
        tag = (self.tagged_by,) if self.tagged_by else ()
        if self.by_serializer:
            record = self.get_object()
            text = to_json(self.get_serializer(record).data)
            return json_response(text, [getattr(record, column) for column in tag])
        parameters = parameters_of(self.request.query_params)
        key = self.plan_key(parameters, lasting=parameters.keys() <= {"deleted"})
        rows = planned(key, lambda: self.json_of(self.get_queryset().filter(pk=ANY_ID), tell=tag))
        found = rows.fetch_one(record_id)
        if found is None:
            raise NotFound
        return json_response(found.text.encode(), found.values)


def json_response(body: bytes, tag: Sequence[Any] = ()) -> HttpResponse:
    """An answer whose JSON is ready. tag: the value of its entity tag, if it has one."""
    headers = {"ETag": f'"{tag[0]}"'} if tag else None
    return HttpResponse(body, content_type="application/json", headers=headers)


class RecordViewSet(ReaderViewSet):
    """Create, read, edit, delete and restore one kind of record."""

    services: ClassVar[Any]
    tagged_by = "version"
    sight_by_role = True

    def get_queryset(self) -> QuerySet[Any]:
        word = parameters_of(self.request.query_params).get("deleted", "").strip().lower()
        return self.summarised(self.deleted_or_live(word)) if word else super().get_queryset()

    def deleted_or_live(self, word: str) -> QuerySet[Any]:
        """The rows that `?deleted=` asks for; tombstones are for administrators."""
        if word not in {"true", "false", "1", "0"}:
            raise Invalid(
                {
                    "deleted": _("Unknown value “%(value)s”. Known values: %(known)s.")
                    % {"value": word, "known": "true, false"}
                }
            )
        model = self.model()
        if word in {"false", "0"}:
            return model.objects.visible_to(self.caller)  # type: ignore[no-any-return]
        if not self.caller.is_admin:
            raise Forbidden(_("Only administrators see deleted records."))
        return model.objects.in_sight_of(self.caller).filter(deleted_at__isnull=False)  # type: ignore[no-any-return]

    def answer(self, record: Record, code: int = status.HTTP_200_OK) -> Response:
        """The record as the caller sees it, with its version as the entity tag."""
        model: Any = type(record)
        # Somebody may have deleted it since: the answer is still what this request wrote.
        shown = self.summarised(model.objects.filter(pk=record.pk)).first() or record
        return Response(
            self.get_serializer(shown).data, status=code, headers={"ETag": f'"{shown.version}"'}
        )

    def create(self, request: Request) -> Response:
        """Create a record in the caller's territory."""
        changes = self.checked(partial=False)[0]
        return self.answer(
            self.services.create(actor=self.caller, values=changes), status.HTTP_201_CREATED
        )

    def partial_update(self, request: Request, pk: str) -> Response:
        """Change some fields, if the record still is at the version that the change was based on."""
        changes, version, force = self.checked(partial=True)
        return self.answer(
            self.services.update(
                actor=self.caller,
                record_id=self.record_id(),
                changes=changes,
                version=version,
                force=force,
            )
        )

    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a record softly, along with what hangs on it."""
        self.services.delete(actor=self.caller, record_id=self.record_id())
        return Response(status=status.HTTP_204_NO_CONTENT)

    def restore(self, request: Request, pk: str) -> Response:
        """Bring back exactly what one deletion took."""
        return self.answer(self.services.restore(actor=self.caller, record_id=self.record_id()))

    def checked(self, *, partial: bool) -> tuple[dict[str, Any], int | None, bool]:
        """The body's fields by column, the version it was based on, and whether to overwrite."""
        body = self.request.data
        if not isinstance(body, Mapping):
            raise Malformed(_("The request body must be a JSON object."))
        serializer = self.get_serializer(data=body, partial=partial)
        serializer.is_valid(raise_exception=True)
        changes = dict(serializer.validated_data)
        version = changes.pop("version", None)
        force = bool(changes.pop("force", False))
        tagged = self.version_of_tag()
        if tagged is not None and version is not None and tagged != version:
            raise Invalid({"version": _("The version in the body differs from If-Match.")})
        return changes, version if version is not None else tagged, force

    def version_of_tag(self) -> int | None:
        """The version that `If-Match` names; `*` names any. Raises Invalid for anything else."""
        raw = self.request.headers.get("If-Match", "").strip()
        if raw in {"", "*"}:
            return None
        digits = raw.removeprefix("W/").strip('"')
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):  # noqa: PLR2004 - a 32-bit number
            raise Invalid({"If-Match": _('If-Match must hold a version, for example "3".')})
        return int(digits)

    def explain(self, error: CallerError) -> CallerError:
        """Give a stale edit both sides, as the caller may see them."""
        if isinstance(error, StaleRecord):
            error.details = {"diff": self.difference(error)}
        return error

    def difference(self, error: StaleRecord) -> dict[str, Any]:
        """The conflict's two sides: server_data, client_data, and the fields in which they differ."""
        # The very row that was compared: read anew, it could be a version later than the verdict's.
        server = dict(self.get_serializer(error.record).data)
        serializer = cast("serializers.Serializer[Any]", self.get_serializer())
        client = shown_input(serializer, error.client, self.caller)
        return conflict_details(error, server, client)


def shown_input(
    serializer: "serializers.Serializer[Any]", client: Mapping[str, Any], reader: User
) -> dict[str, Any]:
    """What the client sent, as it would be shown back: whole phones are masked for an engineer."""
    fields = {f.source or name: (name, f) for name, f in serializer.fields.items()}
    shown = {}
    for column, value in client.items():
        name, field = fields.get(column, (column, None))
        personal = column in MASKS
        if isinstance(field, serializers.Field) and value is not None and not is_masked(value):
            shown[name] = field.to_representation(value)
        elif personal and value is not None and not reader.sees_personal_data:
            shown[name] = value if is_masked(value) else MASKS[column](value)
        else:
            shown[name] = value
    return shown


def conflict_details(
    error: StaleRecord, server: Mapping[str, Any], client: Mapping[str, Any]
) -> dict[str, Any]:
    """The contract's `diff` object, for PATCH and for sync alike."""
    verdict = error.verdict
    messages = {
        "STALE_VERSION": _(
            "Others changed other fields. Take their version and send the change again."
        ),
        "HARD_CONFLICT": _(
            "Both sides changed the same field. Choose a value, or overwrite with force."
        ),
    }
    return {
        "expected_version": error.base_version,
        "current_version": error.record.version,
        "server_data": dict(server),
        "client_data": dict(client),
        "diff": {
            name: {"server": server.get(name), "client": client.get(name)}
            for name in verdict.differing
        },
        "conflicting_fields": list(verdict.conflicting),
        "resolution_hints": {
            "code": str(verdict.hint),
            "strategy": str(verdict.strategy),
            "message": messages[verdict.hint],
        },
    }
