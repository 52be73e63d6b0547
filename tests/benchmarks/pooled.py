"""The product's settings with a psycopg pool instead of persistent connections, to compare the two."""

from crm.settings import *  # noqa: F403 - all of them
from crm.settings import DATABASES

DATABASES["default"]["CONN_MAX_AGE"] = 0
DATABASES["default"].setdefault("OPTIONS", {})["pool"] = {"min_size": 1, "max_size": 8}
