"""`manage.py seed_dictionaries`: the cities and districts to start with."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils.translation import gettext as _

from crm.territory.seeding import seed_dictionaries


class Command(BaseCommand):
    """Safe to repeat: what exists stays as it is."""

    help = (
        "Add Москва, Санкт-Петербург, Казань and Екатеринбург with their districts, where missing."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        seeded = seed_dictionaries()
        if not any(seeded):
            self.stdout.write(_("All cities and districts were there already."))
            return
        self.stdout.write(
            _("Added %(cities)d cities and %(districts)d districts.")
            % {"cities": seeded.cities, "districts": seeded.districts}
        )
