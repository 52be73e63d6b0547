"""What a web process does before its first request, so that requests need not."""

import gc
from typing import Final

from django.urls import get_resolver

# New containers that outlive others before the collector looks at the youngest; Python's own number is 700.
YOUNG: Final = 20_000


def warm_up() -> None:
    """Load every address, and keep Python's collector from walking through the program again and again.

    What is loaded stays to the end. The collector would look through all of it at every full collection,
    which a batch of 1,000 edits causes several times: a third of the batch's time. Frozen, it is passed over.
    https://docs.python.org/3/library/gc.html#gc.freeze
    """
    list(get_resolver().url_patterns)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)
