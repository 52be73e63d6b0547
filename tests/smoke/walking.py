"""Documents as scripts: each ```bash block runs in one shell, the ```text block after it is what comes out.

`…` stands for any characters of one line. Nothing but Python's own library, bash and curl is needed.
"""

import re
import shutil
import subprocess
from collections.abc import Mapping
from typing import NamedTuple

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^## (.*)$", re.MULTILINE)
# Printed between blocks; no command prints it.
SEPARATOR = "\x1e"
PATIENCE_SECONDS = 300


class Step(NamedTuple):
    """One block of commands, the section it stands in, and what the document says that it prints."""

    section: str
    commands: str
    expected: str


def steps_of(text: str) -> list[Step]:
    """The document's steps. Raises AssertionError for commands whose outcome it does not tell."""
    blocks = list(FENCE.finditer(text))
    steps = []
    for position, block in enumerate(blocks):
        language, commands = block.groups()
        if language != "bash":
            continue
        following, expected = (
            blocks[position + 1].groups() if position + 1 < len(blocks) else ("", "")
        )
        assert following == "text", f"the document does not say what this prints:\n{commands}"
        headings = HEADING.findall(text[: block.start()])
        steps.append(Step(headings[-1] if headings else "", commands, expected))
    return steps


def prints(expected: str, printed: str) -> bool:
    """Whether a block printed what the document says."""
    pattern = ".+".join(re.escape(part) for part in expected.strip().split("…"))
    return re.fullmatch(pattern, printed.strip()) is not None


def walked(steps: list[Step], environment: Mapping[str, str]) -> list[str]:
    """What each step printed, its complaints included; fewer than there are steps when the shell ended."""
    bash = shutil.which("bash")
    if bash is None or shutil.which("curl") is None:
        raise SystemExit("bash and curl are needed.")
    script = "".join(f"{step.commands}printf '{SEPARATOR}'\n" for step in steps)
    try:
        done = subprocess.run(
            (bash, "-c", script),
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, encoding="utf-8", timeout=PATIENCE_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        return str((error.stdout or b"").decode()).split(SEPARATOR)
    return done.stdout.split(SEPARATOR)[: len(steps)]


def first_wrong(steps: list[Step], printed: list[str]) -> str | None:
    """What the first step that went wrong printed instead; None when all is as the document says."""
    for number, step in enumerate(steps):
        output = printed[number] if number < len(printed) else "(nothing: the shell has ended)"
        if not prints(step.expected, output):
            return (
                f"{step.section}\n\n{step.commands}\nprinted:\n{output}\nexpected:\n{step.expected}"
            )
    return None
