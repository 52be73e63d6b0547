"""What the database keeps of users."""

from pathlib import Path

from crm.db import postgresql, sqlite
from crm.db.triggers.conditions import not_e164
from crm.db.triggers.freezing import Freeze
from crm.db.triggers.spec import Dialects, Guard, KeptTable

USER = KeptTable(
    table="users_user",
    versioned=(
        "email",
        "full_name",
        "phone",
        "role",
        "city_id",
        "district_id",
        "is_active",
        "password",
    ),
    has_version=False,
    search=(
        "NEW.full_name",
        Dialects(postgresql.email_words_sql("NEW.email"), sqlite.email_words_sql("NEW.email")),
    ),
    search_columns=("full_name", "email"),
    guards=(
        Guard("users_user_phone_e164", not_e164("NEW.phone"), columns=("phone",)),
        Guard(
            "users_user_district_in_city",
            "NEW.district_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM territory_district d"
            " WHERE d.id = NEW.district_id AND d.city_id = NEW.city_id)",
            columns=("city_id", "district_id"),
        ),
    ),
)

FROZEN = [Freeze(Path(__file__).parent / "migrations", "0002_kept", (USER,))]
