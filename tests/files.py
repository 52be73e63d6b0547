"""A pytest plugin: each test that asks for it has a directory of its own for reports."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def reports_path(settings: Any, tmp_path: Path) -> Path:
    """The directory in which reports are written and kept, empty."""
    directory = tmp_path / "reports"
    settings.REPORTS_PATH = str(directory)
    options = {**settings.STORAGES["default"]["OPTIONS"], "location": str(directory)}
    default = {**settings.STORAGES["default"], "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": default}
    return directory
