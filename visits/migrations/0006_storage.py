"""How PostgreSQL keeps the table of visits."""

from django.db import migrations

from crm.db.operations import StorageParameters

# Each write moves a record to the feed's end: vacuumed after every fiftieth, the place of its old entries in the
# index is used again, and indexes alone can answer counts.
OFTEN = {
    "autovacuum_vacuum_scale_factor": 0.02,
    "autovacuum_vacuum_insert_scale_factor": 0.05,
    "autovacuum_analyze_scale_factor": 0.02,
}


class Migration(migrations.Migration):
    dependencies = [("visits", "0005_home_indexes")]

    operations = [
        StorageParameters("visit", OFTEN),
    ]
