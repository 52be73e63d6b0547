"""`make lint` fails on a known hole in what is installed, and goes on where nobody can be asked."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
# Stands for pip-audit: answers for the packages that it is asked for as ANSWER says.
STAND_IN = """
import json, os, sys, time
time.sleep(float(os.environ.get("SLOW", "0")))
names = open(sys.argv[sys.argv.index("--requirement") + 1]).read().split()
answer = json.loads(os.environ["ANSWER"])
if answer is None:
    sys.exit("ERROR:pip_audit: ConnectionError")
told = []
for name, _, version in (each.partition("==") for each in names):
    told.append({"name": name, "version": version, **answer.get(name, answer.get("*", {}))})
print(json.dumps({"dependencies": told}))
sys.exit(1)
"""
NONE: dict[str, Any] = {"vulns": []}
HOLE = {"vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["9.9"]}]}
SKIPPED = {"skip_reason": "Dependency not found"}


def audited(answer: Any, tmp_path: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """`.ci/audit.py`, with that answer of the service."""
    (tmp_path / "pip_audit.py").write_text(STAND_IN, encoding="utf-8")
    return subprocess.run(
        [sys.executable, ".ci/audit.py"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path), "ANSWER": json.dumps(answer), **more},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_nothing_known(tmp_path: Path) -> None:
    done = audited({"*": NONE}, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "0 known holes" in done.stdout
    looked_up = int(done.stdout.split()[1])
    lines = (ROOT / "requirements-dev.lock").read_text(encoding="utf-8").splitlines()
    assert 0.7 < looked_up / sum(line[:1].isalnum() for line in lines) <= 1


def test_a_known_hole_fails(tmp_path: Path) -> None:
    done = audited({"*": NONE, "django": HOLE}, tmp_path)
    assert done.returncode == 1
    assert "PYSEC-1 (9.9)" in done.stdout


@pytest.mark.parametrize("answer", [None, {"*": SKIPPED}])
def test_nobody_to_ask_is_said_and_passed_over(answer: Any, tmp_path: Path) -> None:
    done = audited(answer, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "NOT DONE" in done.stdout


def test_a_service_that_does_not_answer_is_waited_for_shortly(tmp_path: Path) -> None:
    begun = time.monotonic()
    done = audited({"*": NONE}, tmp_path, SLOW="50")
    assert time.monotonic() - begun < 25
    assert done.returncode == 0
    assert "NOT DONE" in done.stdout
