"""A deployment that is broken on purpose: `make chaos`, or `python -m tests.chaos --minutes 3`."""
