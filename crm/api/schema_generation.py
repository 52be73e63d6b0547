"""The schema as one document: in English whoever asks, made once for each process."""

from functools import cache
from typing import Any

from django.utils import translation
from drf_spectacular.generators import SchemaGenerator

from crm.api.rendering import to_json


class EnglishSchemaGenerator(SchemaGenerator):
    """The schema is read by machines and developers: its words do not follow a browser's language."""

    def get_schema(self, request: Any = None, public: bool = False) -> dict[str, Any]:
        with translation.override("en"):
            return dict(super().get_schema(request=request, public=public))  # type: ignore[no-untyped-call]


@cache
def schema_json() -> bytes:
    """The whole schema as JSON. It follows from the code alone, so that it is made only once."""
    return to_json(EnglishSchemaGenerator().get_schema(public=True))  # type: ignore[no-untyped-call]
