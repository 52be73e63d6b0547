"""Web processes keep the collector away from what is loaded for good."""

import subprocess
import sys

from tests.servers import ROOT

PROGRAM = """
import gc
import {module}
from django.urls import get_resolver
assert gc.isenabled()
assert gc.get_freeze_count() > 100_000, gc.get_freeze_count()
assert "url_patterns" in vars(get_resolver())
class Ring:
    pass
first, second = Ring(), Ring()
first.other, second.other = second, first
del first, second
assert gc.collect() >= 2
"""


def test_both_applications_are_warm_and_still_collect() -> None:
    for module in ("crm.wsgi", "crm.asgi"):
        program = [sys.executable, "-c", PROGRAM.format(module=module)]
        subprocess.run(program, cwd=ROOT, check=True, timeout=120)
