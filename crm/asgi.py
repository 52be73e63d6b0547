"""The application for ASGI servers."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
django.setup(set_prefix=False)

from crm.api.requests import Utf8ASGIHandler  # noqa: E402 - handlers need the settings

application = Utf8ASGIHandler()
