"""How the schema tells of lists: what they can be narrowed and sorted by, and how they answer.

Everything is read from the view's own declarations, so that a filter cannot be forgotten here.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiParameter

from crm.api import filters, listing

Schema = dict[str, Any]

WORD: Schema = {"type": "string", "minLength": 1, "pattern": r"^[^,\s]([^,]*[^,\s])?$"}
MOMENT: Schema = {
    "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]
}
CONVENTIONS = (
    "Every filter may also be written `filters[name]=value`; a comma means any of the values. "
    "An unknown parameter, field or value is refused with a 422 that lists the known ones. "
    "Ask for pages with `page` and `limit`, or for a cursor with `cursor` (empty for the first step) "
    "and `size`."
)


def any_of(item: Schema, most: int = filters.MAX_LIST) -> Schema:
    """A comma-separated list."""
    return {"type": "array", "items": item, "minItems": 1, "maxItems": most}


def choices_of(declared: django_filters.Filter) -> list[str] | None:
    """The codes that a filter knows; None when any word will do."""
    known = declared.extra.get("choices")
    return None if known is None else [str(code) for code in known]


def schema_of(declared: django_filters.Filter) -> Schema:
    """The values of a filter. A filter of a kind of its own says so itself, in `openapi`."""
    own: Schema | None = getattr(declared, "openapi", None)
    if own is not None:
        return own
    match getattr(declared, "kind", "string"):
        case "boolean":
            return {"type": "boolean"}
        case "moment":
            return MOMENT
        case "integer":
            return {"type": "integer"}
        case "uuid":
            return any_of({"type": "string", "format": "uuid"}, filters.MAX_PARAMETER // 37)
    known = choices_of(declared)
    return any_of({"type": "string", "enum": known} if known else WORD)


# What filters without a label of their own say.
MEANINGS: dict[type[django_filters.Filter], str] = {
    filters.AnyOf: "Any of these values.",
    filters.AnyOfIds: "Any of these ids.",
    filters.AnyOfChoices: "Any of these codes.",
    filters.Contains: "Has any of these.",
    filters.Flag: "Whether it is so.",
}
BOUNDS = {"gte": "At least this.", "lte": "At most this."}


def meaning_of(declared: django_filters.Filter) -> str:
    """A sentence on the filter: its label, or what its kind says."""
    label = declared.extra.get("label") or getattr(declared, "_label", None)
    if label:
        return str(label)
    if isinstance(declared, filters.Whole):
        return BOUNDS[declared.lookup_expr]
    return MEANINGS.get(type(declared)) or (type(declared).__doc__ or "").partition("\n")[0]


def query(
    name: str, schema: Schema, description: str, *, required: bool = False
) -> OpenApiParameter:
    """A query parameter; a list is joined by commas."""
    listed = schema.get("type") == "array"
    separate: dict[str, Any] = {"style": "form", "explode": False} if listed else {}
    return OpenApiParameter(name, schema, description=description, required=required, **separate)


def filter_parameters(declared: type[filters.ListFilters]) -> Iterator[OpenApiParameter]:
    """A list's own filters, and its search."""
    if declared.searched:
        text: Schema = {"type": "string", "maxLength": filters.MAX_PARAMETER}
        yield query("q", text, "Every word of it begins a word of the record, in any case.")
        yield query("search", text, "The same as `q`.")
    for name, one in declared.base_filters.items():
        yield query(name, schema_of(one), meaning_of(one), required=one.extra["required"])


def paging_parameters(sorts: Mapping[str, str], default: str | None) -> Iterator[OpenApiParameter]:
    """Order, pages and cursors. sorts: the names that the list knows; default: its order without `sort`."""
    size: Schema = {"type": "integer", "minimum": 1, "maximum": listing.MAX_LIMIT}
    page: Schema = {"type": "integer", "minimum": 1, "maximum": listing.MAX_PAGE}
    order: Schema = any_of(
        {"type": "string", "enum": [word for name in sorts for word in (name, f"-{name}")]}
    )
    usual = f" Without it: {default}." if default else ""
    yield query(
        "sort",
        order,
        f"Fields in order of weight, `-` for descending; the id breaks ties.{usual}"
        " A cursor without it goes by id.",
    )
    yield query("page", page, "The page, from 1.")
    yield query("limit", size, f"Records on a page; {listing.DEFAULT_LIMIT} without it.")
    yield query("size", size, "The same as `limit`; the usual name for a cursor's steps.")
    yield query(
        "cursor",
        {"type": "string", "maxLength": filters.MAX_PARAMETER},
        "Empty for the first step, then the `next_cursor` of the last answer. Not together with `page`.",
    )
    yield query(
        "count",
        {"type": "string", "enum": ["exact", "estimate"]},
        f"`exact`: count all matches, even beyond {listing.EXACT_TOTAL}.",
    )


DELETED = OpenApiParameter(
    "deleted", {"type": "boolean"}, description="`true`: the deleted ones. Administrators only."
)


def page_schema(item: Schema) -> Schema:
    """The answer with pages."""
    number: Schema = {"type": "integer", "minimum": 0}
    return {
        "type": "object",
        "description": "One page of a list.",
        "properties": {
            "items": {"type": "array", "items": item},
            "page": {"type": "integer", "minimum": 1},
            "limit": {"type": "integer", "minimum": 1, "maximum": listing.MAX_LIMIT},
            "total": {**number, "description": "How many match."},
            "pages": number,
            "has_next": {"type": "boolean"},
            "has_prev": {"type": "boolean"},
            "total_estimated": {
                "type": "boolean",
                "description": (
                    f"There when `total` is an estimate: beyond {listing.EXACT_TOTAL} matches."
                ),
            },
        },
        "required": ["items", "page", "limit", "total", "pages", "has_next", "has_prev"],
        "additionalProperties": False,
    }


def cursor_schema(item: Schema) -> Schema:
    """The answer with a cursor."""
    return {
        "type": "object",
        "description": "One step of a cursor.",
        "properties": {
            "items": {"type": "array", "items": item},
            "next_cursor": {
                "type": "string",
                "nullable": True,
                "description": "For the next step; null after the last one.",
            },
            "has_more": {"type": "boolean"},
        },
        "required": ["items", "next_cursor", "has_more"],
        "additionalProperties": False,
    }
