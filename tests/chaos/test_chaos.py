"""Half a minute of `make chaos`: what it promises holds, and it leaves nothing behind."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from crm.demo import redis_command
from tests.servers import ROOT

PATIENCE_SECONDS = 400


@pytest.fixture
def place() -> Iterator[Path]:
    """Not tmp_path: PostgreSQL may have to run as somebody else, who must be able to enter."""
    with tempfile.TemporaryDirectory(prefix="crm-trouble-") as directory:
        Path(directory).chmod(0o755)
        yield Path(directory)


@pytest.mark.postgresql_only
@pytest.mark.skipif(redis_command(Path("x"), Path()) is None, reason="no Redis here to be killed")
def test_half_a_minute_of_trouble(place: Path) -> None:
    figures = place / "figures.json"
    done = subprocess.run(
        (
            sys.executable, "-m", "tests.chaos", "--minutes", "0.3", "--json", str(figures),
            "--faults", "web process,worker,PostgreSQL stopped,Redis,folder,cut",
        ),
        cwd=ROOT, env={**os.environ, "TMPDIR": str(place)}, timeout=PATIENCE_SECONDS,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    report = json.loads(figures.read_text(encoding="utf-8"))
    assert report["findings"] == []
    # It was a run, not a rest.
    assert len(report["faults"]) == 6
    assert report["writes_promised"] > 20
    assert report["records_on_phones"] > 100
    assert report["exports"].get("done", 0) > 0
    assert list(place.glob("crm-chaos-*")) == []
