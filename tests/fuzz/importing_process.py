"""A process of its own that imports every broken file, and writes down what each cost and came to.

    python -m tests.fuzz.importing_process FOLDER

Standard input: a JSON list of their names. Standard output: a line of JSON for each of them and each command:
command, name, seconds, megabytes (how much the process had grown at its largest), rows written, how it ended.
The environment names the database.
"""

import io
import json
import os
import re
import signal
import sys
import time
from pathlib import Path

SECONDS = 60
COMMANDS = ("import_objects", "import_customers")


def largest() -> float:
    """How many megabytes the process held at its largest since it was asked last (proc(5): VmHWM).

    Not what `getrusage` says: a new process inherits that from the one that started it.
    """
    held = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return int(held[1]) / 1024 if held else 0.0


def one(command: str, path: Path) -> str:
    """How the import of the file ends. Anything but a sentence is a defect, and ends the process."""
    from django.core.management import CommandError, call_command

    try:
        call_command(command, str(path), stdout=io.StringIO(), stderr=io.StringIO())
    except CommandError as error:
        return f"refused: {error}"
    return "read"


def importing(folder: Path) -> None:
    """Import them all. What making the files takes is made in a child, so that it does not count here."""
    import django

    django.setup()
    from tests.importing.files import workbook

    sound = folder / "first.xlsx"
    # What the libraries take once is no matter of any file.
    sound.write_bytes(workbook(["Адрес", "Город"], ["ул. Первая, д. 1", "Москва"]))
    for command in COMMANDS:
        one(command, sound)
    largest()
    before = largest()
    for name in json.loads(sys.stdin.readline()):
        child = os.fork()
        if child == 0:
            made(name, folder / "file")
            os._exit(0)
        os.waitpid(child, 0)
        for command in COMMANDS:
            stood = rows()
            largest()
            began = time.monotonic()
            signal.alarm(SECONDS)
            ended = one(command, folder / "file")
            signal.alarm(0)
            took = time.monotonic() - began
            told = [command, name, took, largest() - before, rows() - stood, ended]
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()


def rows() -> int:
    """How many rows an import could have written; the trail has one for each change as well."""
    from audit.models import AuditEntry
    from clients.models import Customer
    from objects.models import Object, Unit

    return sum(model._base_manager.count() for model in (Object, Unit, Customer, AuditEntry))


def made(name: str, path: Path) -> None:
    """Write the file of that name."""
    from tests.fuzz.broken_files import FILES, LARGE, MB

    if name in FILES:
        path.write_bytes(FILES[name]())
        return
    with path.open("wb") as file:
        for _ in range(LARGE_MB):
            file.write(LARGE[name](MB))


LARGE_MB = 200

if __name__ == "__main__":
    importing(Path(sys.argv[1]))
