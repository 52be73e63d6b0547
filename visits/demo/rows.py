"""The rows that the generator yields: plain tuples whose field names are the columns they go to.

Identifiers are 32 hexadecimal digits: both engines take them as they are, a million times without conversion.
Moments are aware and in UTC. What the database keeps itself (version, counters, search text …) is left out.
"""

from datetime import datetime
from typing import NamedTuple

HexId = str


class ObjectRow(NamedTuple):
    """A building or place."""

    id: HexId
    type: str
    address: str
    city_id: HexId
    district_id: HexId
    gps_lat: float
    gps_lng: float
    status: str
    tags: list[str]
    responsible_user_id: HexId | None
    contact_name: str | None
    contact_phone: str | None
    created_by_id: HexId
    updated_by_id: HexId


class UnitRow(NamedTuple):
    """A flat or an office."""

    id: HexId
    object_id: HexId
    unit_number: str
    floor: int
    entrance: int
    attributes: dict[str, int | bool]


class CustomerRow(NamedTuple):
    """A resident or the manager of a place."""

    id: HexId
    object_id: HexId
    unit_id: HexId | None
    full_name: str
    phone: str | None
    portrait_text: str
    current_provider: str | None
    provider_rating: int | None
    satisfied: bool | None
    interests: list[str]
    preferred_call_time: str | None
    desired_price: int | None
    notes: str | None
    gdpr_consent: bool


class VisitRow(NamedTuple):
    """A visit, past or planned."""

    id: HexId
    object_id: HexId
    unit_id: HexId | None
    customer_id: HexId
    engineer_id: HexId
    scheduled_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    status: str
    interests: list[str]
    outcome_text: str | None
    next_action_due_at: datetime | None
    geo_captured_lat: float | None
    geo_captured_lng: float | None


class House(NamedTuple):
    """A building with all that hangs on it."""

    object: ObjectRow
    units: list[UnitRow]
    customers: list[CustomerRow]
    visits: list[VisitRow]
