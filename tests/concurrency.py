"""Real races: callables in threads, each with a database connection of its own."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection, connections

PATIENCE_SECONDS = 60


def run_together(*callables: Callable[[], Any]) -> list[Any]:
    """Start all `callables` at one moment and return what each gave, in their order.

    What a callable raises stands in its place in the list. The test needs
    `@pytest.mark.django_db(transaction=True)`: other connections do not see an open transaction's
    rows, and on SQLite would wait for it in vain. Raises RuntimeError without that, TimeoutError
    when a callable has not come back after 60 seconds (a deadlock).
    """
    if connection.in_atomic_block:
        raise RuntimeError("run_together needs @pytest.mark.django_db(transaction=True)")
    start = threading.Barrier(len(callables))
    results: list[Any] = [None] * len(callables)

    def run(position: int, callable_: Callable[[], Any]) -> None:
        try:
            # Connect first, so that the race is about the work and not about connecting.
            connection.ensure_connection()
            start.wait(PATIENCE_SECONDS)
            results[position] = callable_()
        except BaseException as error:
            results[position] = error
        finally:
            connections.close_all()

    threads = [
        threading.Thread(target=run, args=pair, daemon=True) for pair in enumerate(callables)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
        if thread.is_alive():
            raise TimeoutError(f"{thread.name} has not come back after {PATIENCE_SECONDS} s")
    return results
