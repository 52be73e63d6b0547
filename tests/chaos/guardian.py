"""Ends what a run leaves behind: `python -m tests.chaos.guardian DIRECTORY`.

Reads sessions of processes from its standard input, one a line. When the input closes, because the run has
ended or was killed, it kills whatever is left of them and deletes DIRECTORY.
"""

import os
import shutil
import signal
import sys
from contextlib import suppress
from pathlib import Path


def kill_sessions(wanted: set[int]) -> None:
    """kill -9 of every process of these sessions: a worker's horses have process groups of their own."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
                if int(after_name[3]) in wanted:
                    os.kill(int(entry.name), signal.SIGKILL)


def main(directory: str) -> None:
    """Wait for the end, then clean up."""
    kill_sessions({int(line) for line in sys.stdin})
    shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    # Whoever stops the run stops this only through the input.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    main(sys.argv[1])
