"""`python3 -m tests.smoke [DOCUMENT]`: run a document's commands against a running server ($BASE)."""

import os
import sys
from pathlib import Path

from tests.smoke.walking import first_wrong, steps_of, walked

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "smoke-tests.md"


def main() -> int:
    """Walk, and tell section by section."""
    document = Path(sys.argv[1]) if len(sys.argv) > 1 else DOCUMENT
    steps = steps_of(document.read_text(encoding="utf-8"))
    printed = walked(steps, os.environ)
    wrong = first_wrong(steps, printed)
    for section in dict.fromkeys(step.section for step in steps):
        if wrong is not None and wrong.startswith(f"{section}\n"):
            sys.stdout.write(f"FAILED  {wrong}\n")
            return 1
        sys.stdout.write(f"ok      {section}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
