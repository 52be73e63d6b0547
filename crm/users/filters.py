"""What the list of people can be narrowed by."""

from crm.api.filters import AnyOfChoices, AnyOfIds, Flag, ListFilters
from crm.users.roles import Role


class UserFilters(ListFilters):
    """Filters of people."""

    role = AnyOfChoices(field_name="role", choices=Role.values)
    city_id = AnyOfIds(field_name="city_id")
    district_id = AnyOfIds(field_name="district_id")
    is_active = Flag(field_name="is_active")
