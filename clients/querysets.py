"""Who sees which customers."""

from objects.querysets import HangingOnObjectQuerySet


class CustomerQuerySet(HangingOnObjectQuerySet):
    """Customers in sight: they follow their object."""
