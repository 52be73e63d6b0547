"""What processes cost, by /proc: seconds of CPU, and the most memory held."""

import os
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


# What /proc says of a process, or a thread, that has just ended.
GONE = (FileNotFoundError, ProcessLookupError)


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    with suppress(*GONE):
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(*GONE):
                for child in (task / "children").read_text(encoding="ascii").split():
                    found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its descendants so far."""
    return sum(_cpu(each) for each in family(pid))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except GONE:
        return 0.0
    words = fields.rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def peak_megabytes(pid: int) -> float:
    """The most memory that any one of them has held."""
    peaks = [0.0]
    for each in family(pid):
        with suppress(*GONE):
            status = Path(f"/proc/{each}/status").read_text(encoding="ascii", errors="replace")
            held = [line for line in status.splitlines() if line.startswith("VmHWM")]
            peaks += [int(line.split()[1]) / 1024 for line in held]
    return max(peaks)


def forget_peak(pid: int) -> None:
    """Begin anew to note the most memory, where the system lets us (proc(5), clear_refs)."""
    for each in family(pid):
        with suppress(OSError):
            Path(f"/proc/{each}/clear_refs").write_text("5", encoding="ascii")
