"""Logins come as forms, too (RFC 6749, section 4.3.2)."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from crm.errors import Malformed


class Utf8FormParser(BaseParser):
    """application/x-www-form-urlencoded in UTF-8, whatever character set its header claims."""

    media_type = "application/x-www-form-urlencoded"

    def parse(
        self,
        stream: Any,
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> QueryDict:
        """The fields. Raises Malformed."""
        try:
            return QueryDict(stream.read(), encoding="utf-8")
        except SuspiciousOperation as error:
            raise Malformed(_("The form cannot be read.")) from error
