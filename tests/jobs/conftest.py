"""A kind of jobs whose work is whatever a test says."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from crm.jobs import kinds
from reports.models import ReportJob
from tests.cast import Cast


@pytest.fixture
def work_is() -> Iterator[Callable[..., kinds.Kind]]:
    """Call it with the function that does the work (and `told`, `discard`); the kind, until the test ends."""
    real = kinds.kind_of("reports.ReportJob")

    def put(work: Callable[..., Any], **more: Any) -> kinds.Kind:
        plain = {"told": kinds.nothing_told, "discard": kinds.nothing_made, **more}
        kind = replace(real, work=work, **plain)
        kinds.register(kind)
        return kind

    yield put
    kinds.register(real)


@pytest.fixture
def job_of(cast: Cast) -> Callable[..., ReportJob]:
    """Make a waiting job."""

    def make(**values: Any) -> ReportJob:
        defaults: dict[str, Any] = {
            "owner": cast.sergei, "language": "en", "entity": "objects", "format": "csv", "origin": {},
        }  # fmt: skip
        return ReportJob.objects.create(**{**defaults, **values})

    return make
