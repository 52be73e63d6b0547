"""Known holes in what the lock file installs: asks the advisory service of the package index, by pip-audit.

Fails when a version that we install has one. Where the service cannot be reached, or does not know the
packages, it says so and lets lint go on: a machine without a network can still check style and types.
It takes no longer than 20 seconds in all.
"""

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# What development installs: everything that the product does, and more.
LOCK = "requirements-dev.lock"
SECONDS = 20.0
# Whether anybody answers at all.
PROBE_SECONDS = 8.0
TOGETHER = 4
# Advisories that do not concern us, and why: {"GHSA-…": "we never call …"}.
ACCEPTED: dict[str, str] = {}

Package = dict[str, Any]


class Unreachable(Exception):
    """Nobody could be asked."""


def pinned(text: str) -> list[str]:
    """The lines `name==version` of a lock file that hold for this machine, without hashes."""
    from packaging.requirements import Requirement  # noqa: PLC0415 - comes along with pip-audit

    found = []
    for line in text.splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip(" \\"))
            if requirement.marker is None or requirement.marker.evaluate():
                found.append(f"{requirement.name}{requirement.specifier}")
    return found


def asked(requirements: list[str], seconds: float) -> list[Package]:
    """What pip-audit says of each. Raises Unreachable."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as file:
        file.write("\n".join(requirements))
        file.flush()
        try:
            done = subprocess.run(
                [
                    sys.executable, "-m", "pip_audit", "--requirement", file.name, "--no-deps",
                    "--disable-pip", "--format", "json", "--progress-spinner", "off", "--timeout", "5",
                ],
                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Unreachable(f"no answer within {seconds:.0f} s") from None
    try:
        packages: list[Package] = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = done.stderr.strip().splitlines()[-1:] or ["no output"]
        raise Unreachable(last[0][:200]) from None
    return packages


def audited(requirements: list[str]) -> list[Package]:
    """The packages that the service knows, with their holes. Raises Unreachable."""
    end = time.monotonic() + SECONDS
    if not requirements:
        raise Unreachable("the lock file pins nothing")
    if not known(asked(requirements[:1], PROBE_SECONDS)):
        raise Unreachable("the package index has no advisories")
    # One request for each package: several at once.
    parts = [requirements[n::TOGETHER] for n in range(min(TOGETHER, len(requirements)))]
    with ThreadPoolExecutor(TOGETHER) as pool:
        answers = list(pool.map(lambda part: asked(part, end - time.monotonic()), parts))
    return sorted(
        (each for answer in answers for each in answer), key=lambda each: str(each["name"])
    )


def known(packages: list[Package]) -> list[Package]:
    """Those that could be looked up."""
    return [package for package in packages if "vulns" in package]


def holes(packages: list[Package]) -> list[str]:
    """A line for each hole that is not accepted."""
    return [
        f"{package['name']} {package['version']}: {hole['id']}"
        f" ({', '.join(hole['fix_versions']) or 'no fix yet'})"
        for package in known(packages)
        for hole in package["vulns"]
        if not {hole["id"], *hole.get("aliases", [])} & {*ACCEPTED}
    ]


def main() -> int:
    """The exit status for `make lint`."""
    try:
        packages = audited(pinned((ROOT / LOCK).read_text(encoding="utf-8")))
    except Unreachable as reason:
        print(f"audit: NOT DONE, no advisory service could be asked ({reason}); going on without")
        return 0
    found = holes(packages)
    unknown = len(packages) - len(known(packages))
    rest = f", {unknown} unknown to the service" if unknown else ""
    print(
        f"audit: {len(known(packages))} packages of {LOCK} looked up{rest}, {len(found)} known holes"
    )
    for line in found:
        print(f"  {line}")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
