"""Cities and districts by id and by name, as a file names them."""

from collections.abc import Iterable
from uuid import UUID

from django.core.management.base import CommandError
from django.utils.translation import gettext as _

from crm.territory.models import City, District
from objects.importing.addresses import names_city, other_settlement


def _plain(name: str) -> str:
    return " ".join(name.casefold().replace("ё", "е").split())


def _bare(name: str, kind: str) -> str:
    """«г. Москва» is Москва, «Центральный район» is Центральный."""
    return " ".join(word for word in _plain(name).split() if word.rstrip(".") not in kind.split())


_CITY_WORDS, _DISTRICT_WORDS = "г город", "р-н район округ"


class Places:
    """The dictionaries, loaded once. Look-ups raise ValueError with a sentence for a person."""

    def __init__(self) -> None:
        self.city_names: dict[UUID, str] = dict(City.objects.values_list("pk", "name"))
        self._cities = {_bare(name, _CITY_WORDS): pk for pk, name in self.city_names.items()}
        self._districts = dict[tuple[UUID, str], UUID]()
        self._city_of = dict[UUID, UUID]()
        self.names = dict(self.city_names)
        for pk, name, city_id in District.objects.values_list("pk", "name", "city_id"):
            self._districts[city_id, _bare(name, _DISTRICT_WORDS)] = pk
            self._city_of[pk] = city_id
            self.names[pk] = name

    def city(self, text: str) -> UUID:
        """A city by id or name."""
        pk = _uuid(text)
        if pk in self.city_names:
            return pk
        if found := self._cities.get(_bare(text, _CITY_WORDS)):
            return found
        raise ValueError(_("There is no city “%(city)s” in the dictionary.") % {"city": text})

    def city_of(self, address: str, *, named: str | None, usual: UUID | None) -> UUID:
        """The city of a row: the one that it names, else the file's usual one, else the address's.

        An address that names another settlement than the usual city has no city here.
        """
        if named:
            return self.city(named)
        if usual is None:
            found = self.city_named_by(address)
            if found is None:
                raise ValueError(_("The row does not say which city it belongs to."))
            return found
        city = self.city_names[usual]
        if elsewhere := other_settlement(address, city=city):
            raise ValueError(
                _("The address lies outside %(city)s: it names “%(elsewhere)s”.")
                % {"city": city, "elsewhere": elsewhere}
            )
        return usual

    def district(self, text: str, *, city_id: UUID) -> UUID:
        """A district of the city, by id or name."""
        pk = _uuid(text) or self._districts.get((city_id, _bare(text, _DISTRICT_WORDS)))
        city = self.city_names[city_id]
        if pk not in self._city_of:
            raise ValueError(
                _("%(city)s has no district “%(district)s” in the dictionary.")
                % {"city": city, "district": text}
            )
        if self._city_of[pk] != city_id:
            raise ValueError(
                _("The district “%(district)s” does not lie in %(city)s.")
                % {"city": city, "district": text}
            )
        return pk

    def city_named_by(self, address: str) -> UUID | None:
        """The only city of the dictionary that the address itself names."""
        plain = _plain(address)
        candidates: Iterable[UUID] = (pk for name, pk in self._cities.items() if name in plain)
        named = [pk for pk in candidates if names_city(address, city=self.city_names[pk])]
        return named[0] if len(named) == 1 else None


def city_for_command(name: str | None) -> City | None:
    """The city that a command was told. Raises CommandError when there is no such city."""
    if name is None:
        return None
    try:
        return City.objects.get(pk=Places().city(name))
    except ValueError as error:
        raise CommandError(str(error)) from error


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
