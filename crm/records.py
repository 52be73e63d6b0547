"""The abstract record that objects, units, customers and visits are.

`version`, `field_versions`, `created_at`, `updated_at`, `feed_position` and `search_text` are computed by
database triggers (crm.db.triggers), whatever a writer supplies. Python only reads them back.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from crm.db.among import among
from crm.ids import uuid7

if TYPE_CHECKING:
    from crm.users.models import User

# Written to feed_position, this asks the database to send the row again: nothing else moves.
SEND_AGAIN = -1

# Computed by triggers; a save never sends them.
TRIGGER_KEPT = (
    "version",
    "field_versions",
    "created_at",
    "updated_at",
    "feed_position",
    "search_text",
)


class RecordQuerySet(models.QuerySet[Any]):
    """Questions that every kind of record answers."""

    def live(self) -> Self:
        """Without the deleted."""
        return self.filter(deleted_at__isnull=True)

    def in_sight_of(self, user: "User") -> Self:
        """What lies in the user's sight, tombstones included."""
        raise NotImplementedError

    def visible_to(self, user: "User") -> Self:
        """What the user may know of: live and in sight. Every query that meets a user starts here."""
        return self.in_sight_of(user).live()

    def send_again(self) -> int:
        """Put the rows at the feed's end again, touching nothing else. Returns how many."""
        return self.update(feed_position=SEND_AGAIN)

    def delete(self) -> tuple[int, dict[str, int]]:
        """Refused: a row that is really gone leaves no tombstone, and phones keep it for ever.

        Raises TypeError. Records are deleted by their services (crm.deletion).
        """
        raise TypeError("Records are deleted softly, by their services.")

    def bulk_create(self, objs: Iterable[Any], *args: Any, **kwargs: Any) -> list[Any]:
        """As Django's; afterwards the instances hold what the triggers made of them (one query a 500)."""
        created = super().bulk_create(objs, *args, **kwargs)
        self.model.read_back(created, using=self.db)
        return created


class Record(models.Model):
    """A row that phones keep a copy of: versioned, softly deleted, with a position in the change feed."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    version = models.PositiveIntegerField(_("version"), db_default=1, editable=False)
    field_versions = models.JSONField(
        db_default=models.Value({}, models.JSONField()), editable=False
    )
    created_at = models.DateTimeField(_("created"), db_default=Now(), editable=False)
    updated_at = models.DateTimeField(_("updated"), db_default=Now(), editable=False)
    deleted_at = models.DateTimeField(_("deleted"), null=True, blank=True, editable=False)
    deletion_id = models.UUIDField(null=True, blank=True, editable=False)
    feed_position = models.BigIntegerField(db_default=0, editable=False)
    search_text = models.TextField(db_default=" ", editable=False)

    # Columns that follow from other tables: only triggers move them.
    DERIVED: ClassVar[tuple[str, ...]] = ()

    objects: ClassVar[Any] = RecordQuerySet.as_manager()

    class Meta:
        abstract = True

    def save(self, **kwargs: Any) -> None:
        """Write the row, then read back what the triggers made of it.

        Server-kept columns are never sent on an update: they would be stale.
        """
        if not self._state.adding and not kwargs.get("force_insert"):
            wanted = kwargs.get("update_fields")
            never = {*TRIGGER_KEPT, *self.DERIVED, "id"}
            names = [f.name for f in self._meta.concrete_fields if f.name not in never]
            deferred = self.get_deferred_fields()
            kwargs["update_fields"] = [
                name
                for name in names
                if (wanted is None or name in wanted)
                and self._meta.get_field(name).attname not in deferred  # type: ignore[union-attr]
            ]
        super().save(**kwargs)
        self.read_back([self], using=self._state.db or "default")

    @classmethod
    def versioned_columns(cls) -> list[str]:
        """Columns whose change raises the version: what a caller may edit."""
        return [
            str(f.column) for f in cls._meta.concrete_fields if f.editable and not f.primary_key
        ]

    @classmethod
    def kept_columns(cls) -> list[str]:
        """Columns that the server keeps: their change moves updated_at and the feed position only."""
        skip = {"id", *TRIGGER_KEPT}
        fields = cls._meta.concrete_fields
        return [str(f.column) for f in fields if not f.editable and f.column not in skip]

    @classmethod
    def unique_alone(cls) -> dict[str, str]:
        """Field → unique constraint, of those that are unique by themselves, not within an object."""
        return {
            one.fields[0]: str(one.name)
            for one in cls._meta.constraints
            if isinstance(one, models.UniqueConstraint) and len(one.fields) == 1
        }

    @classmethod
    def read_back(cls, instances: Iterable[Any], *, using: str, searched: bool = True) -> None:
        """Copy what the database keeps into saved instances. searched: the text to search in, too."""
        columns = [*TRIGGER_KEPT, *cls.DERIVED]
        if not searched:
            columns.remove("search_text")
        key = cls._meta.pk.to_python
        pending = {key(instance.pk): instance for instance in instances}
        keys = list(pending)
        for start in range(0, len(keys), 500):
            rows = cls._base_manager.using(using).filter(among("pk", keys[start : start + 500]))
            for pk, *values in rows.values_list("pk", *columns):
                for column, value in zip(columns, values, strict=True):
                    setattr(pending[pk], column, value)

    def delete(self, *_args: Any, **_kwargs: Any) -> tuple[int, dict[str, int]]:
        """Refused, as RecordQuerySet.delete is. Raises TypeError."""
        raise TypeError("Records are deleted softly, by their services.")

    @property
    def is_deleted(self) -> bool:
        """A tombstone: gone for everyone, its id never used again."""
        return self.deleted_at is not None

    @classmethod
    def object_path(cls) -> str:
        """The lookup from this record to the building it hangs on; empty for the building itself."""
        return "object"
