"""What the database keeps of cities and districts."""

from pathlib import Path

from crm.db.triggers.freezing import Freeze
from crm.db.triggers.spec import Guard, KeptTable

CITY = KeptTable(table="territory_city", versioned=("name", "time_zone"), has_version=False)
DISTRICT = KeptTable(
    table="territory_district",
    versioned=("name", "city_id"),
    has_version=False,
    guards=(
        Guard(
            "territory_district_city_stays",
            "EXISTS (SELECT 1 FROM users_user u WHERE u.district_id = NEW.id)",
            columns=("city_id",),
            on=("UPDATE",),
        ),
    ),
)

FROZEN = [Freeze(Path(__file__).parent / "migrations", "0002_kept", (CITY, DISTRICT))]
