"""Objects, as something that can be imported."""

from django.utils.translation import gettext_lazy as _

from crm.importing.kinds import ImportKind
from objects.importing.columns import FIELDS
from objects.importing.importer import begin
from objects.models import ObjectType

KIND = ImportKind(
    name="objects",
    label=_("objects"),
    fields=FIELDS,
    begin=begin,
    types=ObjectType.choices,
    record="objects.Object",
)
