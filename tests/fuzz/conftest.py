"""What the tests of odd input share."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.cast import Cast
from tests.contracts.test_schemathesis import known_ids, schema

# Fixtures of the shorter look that the contracts take.
__all__ = ["ground", "known_ids", "schema"]


@pytest.fixture
def ground(cast: Cast) -> dict[str, str]:
    """A few rows of everything, with odd words in them; the id of one of each kind, by its place in paths."""
    now = timezone.now()
    home = cast.object(
        gps_lat=55.75, gps_lng=37.61, tags=["a,b", "%_", "ё"], contact_name="О'Нил %_\\",
        contact_phone="+79123456789", responsible_user=cast.ivan,
    )  # fmt: skip
    cast.object()
    flat = cast.unit(home, unit_number="%_'")
    cast.unit(home, unit_number="2")
    cast.customer(home)
    customer = cast.customer(home, unit=flat, provider_rating=3, interests=["TV"])
    due = now + timedelta(days=1)
    done = {"status": "DONE", "outcome_text": "Готово", "next_action_due_at": due}
    cast.visit(home, cast.ivan, unit=flat, customer=customer, **done)
    visit = cast.visit(home, cast.ivan)
    return {
        "objects": str(home.pk), "units": str(flat.pk), "customers": str(customer.pk),
        "visits": str(visit.pk), "users": str(cast.pyotr.pk), "cities": str(cast.moscow.pk),
        "districts": str(cast.centre.pk),
    }  # fmt: skip
