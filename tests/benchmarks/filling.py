"""Fills the database of the environment with demo data: `python -m tests.benchmarks.filling OBJECTS`."""

import sys


def main(objects: int) -> None:
    """Migrate, seed, and let the database look at what it has."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    from crm.db.bulk import refresh_statistics
    from sync.entities import ENTITIES

    call_command("migrate", verbosity=0)
    call_command("seed_dictionaries", verbosity=0)
    call_command("seed_demo", objects=objects, verbosity=0)
    refresh_statistics(connection, [entity.table for entity in ENTITIES])


if __name__ == "__main__":
    main(int(sys.argv[1]))
