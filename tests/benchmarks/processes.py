"""What processes cost, by /proc: seconds of CPU, and the most memory held."""

import os
from contextlib import suppress
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and all its descendants."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text(encoding="ascii").split():
            found += family(int(child))
    return found


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process and its descendants so far."""
    return sum(_cpu(each) for each in family(pid))


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except FileNotFoundError:
        return 0.0
    words = fields.rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / TICKS


def peak_megabytes(pid: int) -> float:
    """The most memory that any one of them has held."""
    peaks = []
    for each in family(pid):
        status = Path(f"/proc/{each}/status").read_text(encoding="ascii", errors="replace")
        line = next(
            (line for line in status.splitlines() if line.startswith("VmHWM")), "VmHWM: 0 kB"
        )
        peaks.append(int(line.split()[1]) / 1024)
    return max(peaks)


def forget_peak(pid: int) -> None:
    """Begin anew to note the most memory, where the system lets us (proc(5), clear_refs)."""
    for each in family(pid):
        with suppress(OSError):
            Path(f"/proc/{each}/clear_refs").write_text("5", encoding="ascii")
