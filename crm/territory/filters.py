"""What the dictionaries can be narrowed by."""

from crm.api.filters import AnyOfIds, ListFilters


class CityFilters(ListFilters):
    """Filters of cities."""

    searched = False


class DistrictFilters(ListFilters):
    """Filters of districts."""

    searched = False
    city_id = AnyOfIds(field_name="city_id")
