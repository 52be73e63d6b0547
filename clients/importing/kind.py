"""Customers, as something that can be imported."""

from django.utils.translation import gettext_lazy as _

from clients.importing.columns import FIELDS
from clients.importing.importer import begin
from crm.importing.kinds import ImportKind

KIND = ImportKind(
    name="customers",
    label=_("customers"),
    fields=FIELDS,
    begin=begin,
    record="clients.Customer",
)
