"""How PostgreSQL keeps the trail."""

from django.db import migrations

from crm.db.operations import StorageParameters


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only")]

    operations = [
        # Only ever longer: a twentieth more, and its pages are known to be seen by all.
        StorageParameters("auditentry", {"autovacuum_vacuum_insert_scale_factor": 0.05}),
    ]
