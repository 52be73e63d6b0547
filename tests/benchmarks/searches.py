"""Searches over many rows: `python -m tests.benchmarks.searches [--objects 1000000]`.

The API's first page, and the first step of its cursor, for a word that nobody has, that one city alone has,
that nearly all have, and for an empty place on the map; as an administrator and as two supervisors. Beside it
the same list with the road left to PostgreSQL's planner, in the same run. Milliseconds of the whole answer
with nothing remembered. The data are those of `tests.benchmarks.office`.
"""

import argparse
import os
from typing import Any, Final
from unittest.mock import patch

from tests.benchmarks.ground import environment
from tests.benchmarks.office import READERS, database, fill, forget, say, timed

WORDS: Final = {
    "objects": (
        "q=нетакого", "q=Ёлочная", "q=Баумана", "q=Ёлочная 12", "q=ул", "bbox=10,10,11,11", "tags=нет",
    ),
    "units": ("q=нетакого", "q=12"),
    "customers": ("q=нетакого", "q=Ёлочная", "q=Баумана", "q=Анна", "q=ул", "interests=CCTV"),
    "visits": ("q=нетакого", "q=Ёлочная", "q=Баумана", "q=ул"),
}  # fmt: skip


class Api:
    """A reader at the API, without HTTP."""

    def __init__(self, email: str) -> None:
        from rest_framework.test import APIClient

        from crm.users.models import User

        self.client = APIClient(HTTP_HOST="localhost")
        self.client.force_authenticate(User.objects.get(email=email))

    def took(self, path: str) -> tuple[float, Any]:
        """Milliseconds and the answer, nothing remembered."""
        from crm.api import kept_plans

        forget()
        kept_plans.forget()
        return timed(self.client, f"/api/v1/{path}")


def measured(api: Api, path: str) -> str:
    """A row of the table."""
    cells = []
    for asked in (path, f"{path}&cursor="):
        ours, answer = api.took(asked)
        with (
            patch("crm.api.pages.is_guess", return_value=False),
            patch("crm.db.counting.is_guess", return_value=False),
        ):
            planners, same = api.took(asked)
        if [row["id"] for row in answer.json()["items"]] != [
            row["id"] for row in same.json()["items"]
        ]:
            raise SystemExit(f"{asked}: the two roads lead to different rows")
        cells.append(f"{ours:.0f} | {planners:.0f}")
    return f"| {' | '.join(cells)} |"


def main(options: argparse.Namespace) -> None:
    """Print the tables."""
    with database(options.database_url) as url:
        os.environ |= environment(url, "", pool=False) | {"LOG_LEVEL": "ERROR"}
        import django

        django.setup()
        fill(options.objects)
        for who, (email, _password) in READERS.items():
            api = Api(email)
            api.took("objects")
            say(f"\n{who}\n\n| list | page, ms | planner's | cursor, ms | planner's |")
            say("|---|---|---|---|---|")
            for kind, questions in WORDS.items():
                for question in questions:
                    say(f"| `{kind}?{question}` {measured(api, f'{kind}?{question}')}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--objects", type=int, default=1_000_000)
    parser.add_argument("--database-url", default="")
    main(parser.parse_args())
