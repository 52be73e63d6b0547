"""The application for ASGI servers."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")
django.setup(set_prefix=False)

from crm.api.requests import Utf8ASGIHandler  # noqa: E402 - handlers need the settings
from crm.jobs import inprocess  # noqa: E402
from crm.warming import warm_up  # noqa: E402

application = Utf8ASGIHandler()
# Without Redis: jobs that an earlier process left.
inprocess.wake()
warm_up()
