"""The contract, for every kind of record."""

import pytest

from tests.contracts.counting import CountingContract
from tests.contracts.kinds import CUSTOMERS, OBJECTS, UNITS, VISITS
from tests.contracts.listing import ListContract
from tests.contracts.writing import LockingContract, MannersContract, ScopeContract

pytestmark = pytest.mark.django_db


class RecordContract(
    ListContract, ScopeContract, LockingContract, MannersContract, CountingContract
):
    """Everything that an endpoint of records promises."""


class TestObjects(RecordContract):
    kind = OBJECTS


class TestUnits(RecordContract):
    kind = UNITS


class TestCustomers(RecordContract):
    kind = CUSTOMERS


class TestVisits(RecordContract):
    kind = VISITS
