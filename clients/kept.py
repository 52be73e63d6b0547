"""What the database keeps of customers."""

from pathlib import Path

from clients.models import Customer, Interest
from crm.db import postgresql, sqlite
from crm.db.triggers.conditions import (
    ALWAYS,
    hangs_on_deleted_object,
    joined,
    missing,
    not_among,
    not_e164,
    refuse_orphans,
)
from crm.db.triggers.freezing import STATEMENT_END, Freeze
from crm.db.triggers.spec import Dialects, Guard, KeptTable

CUSTOMER = KeptTable(
    table="clients_customer",
    versioned=Customer.versioned_columns(),
    kept=Customer.kept_columns(),
    derived=Customer.DERIVED,
    json_columns=("interests",),
    search=(
        "NEW.full_name",
        "(SELECT address FROM objects_object WHERE id = NEW.object_id)",
        "NEW.portrait_text",
        Dialects(postgresql.phone_words_sql("NEW.phone"), sqlite.phone_words_sql("NEW.phone")),
    ),
    search_columns=("full_name", "portrait_text", "phone"),
    guards=(
        Guard("clients_customer_object_stays", ALWAYS, columns=("object_id",), on=("UPDATE",)),
        Guard("clients_customer_object_live", hangs_on_deleted_object(), columns=("deleted_at",)),
        Guard(
            "clients_customer_unit_of_object",
            "NEW.unit_id IS NOT NULL AND "
            + missing("objects_unit", "t.id = NEW.unit_id AND t.object_id = NEW.object_id"),
            columns=("unit_id",),
        ),
        Guard("clients_customer_phone_e164", not_e164("NEW.phone"), columns=("phone",)),
        Guard(
            "clients_customer_interests_known",
            not_among("NEW.interests", Interest.values),
            columns=("interests",),
        ),
        Guard(
            "clients_customer_call_time",
            Dialects(
                "NEW.preferred_call_time IS NOT NULL"
                " AND NEW.preferred_call_time !~ '^([01][0-9]|2[0-3]):[0-5][0-9]$'",
                "NEW.preferred_call_time IS NOT NULL"
                " AND NOT (NEW.preferred_call_time GLOB '[01][0-9]:[0-5][0-9]'"
                " OR NEW.preferred_call_time GLOB '2[0-3]:[0-5][0-9]')",
            ),
            columns=("preferred_call_time",),
        ),
    ),
)

# Customers are found by their object's address.
ALSO = Dialects(
    postgresql="""
CREATE FUNCTION clients_customer_address_changed() RETURNS trigger LANGUAGE plpgsql AS $address$
BEGIN
  UPDATE clients_customer SET search_text = '' WHERE object_id = NEW.id;
  RETURN NULL;
END $address$;
CREATE TRIGGER clients_customer_address_changed AFTER UPDATE OF address ON objects_object
  FOR EACH ROW WHEN (NEW.address <> OLD.address) EXECUTE FUNCTION clients_customer_address_changed();
""",
    sqlite="""
CREATE TRIGGER clients_customer_address_changed AFTER UPDATE OF address ON objects_object
WHEN NEW.address <> OLD.address
BEGIN UPDATE clients_customer SET search_text = '' WHERE object_id = NEW.id; END;
""",
)
ALSO_DOWN = Dialects(
    postgresql="""
DROP TRIGGER clients_customer_address_changed ON objects_object;
DROP FUNCTION clients_customer_address_changed();
""",
    sqlite="DROP TRIGGER clients_customer_address_changed;",
)

INDEXES = Dialects(
    postgresql="\n".join(
        (
            postgresql.gin_search_index_sql(
                "clients_customer", "search_text", "clients_customer_search"
            ),
            (
                "CREATE INDEX clients_customer_interests ON clients_customer"
                " USING gin (interests jsonb_path_ops);"
            ),
        )
    ),
    sqlite="",
)
INDEXES_DOWN = Dialects(
    postgresql="DROP INDEX clients_customer_interests;\nDROP INDEX clients_customer_search;",
    sqlite="",
)

NO_ORPHANS, NO_ORPHANS_DOWN = refuse_orphans("clients_customer")

FOLDER = Path(__file__).parent / "migrations"
# What customers answer hangs together: who gives one star is not satisfied. A planner that takes answers for
# independent expects many such people, and walks along a whole list to meet the first twenty.
TOGETHER = Dialects(
    postgresql=STATEMENT_END.join(
        (
            (
                "CREATE STATISTICS clients_customer_answers_met (mcv)"
                " ON provider_rating, satisfied, gdpr_consent FROM clients_customer;"
            ),
            "ANALYZE clients_customer;",
        )
    ),
    sqlite="",
)
TOGETHER_DOWN = Dialects(postgresql="DROP STATISTICS clients_customer_answers_met;", sqlite="")

FROZEN = [
    Freeze(
        FOLDER,
        "0002_kept",
        (CUSTOMER,),
        joined(ALSO, NO_ORPHANS),
        joined(NO_ORPHANS_DOWN, ALSO_DOWN),
    ),
    Freeze(FOLDER, "0003_search_indexes", (), INDEXES, INDEXES_DOWN),
    Freeze(FOLDER, "0007_answers_together", (), TOGETHER, TOGETHER_DOWN),
]
