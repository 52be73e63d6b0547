"""One entry of the trail: who did what to which record, from where, and what it was before and after."""

from typing import Any, ClassVar

from auditlog.models import AbstractLogEntry
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from audit.querysets import AuditEntryQuerySet
from audit.summary import ChangedField, changed_fields
from crm.api.client import MAX_USER_AGENT
from crm.changes import Action
from crm.ids import uuid7

# The kinds that most entries are of: looking for one of them needs no index.
EVERYDAY = [Action.CREATE.value, Action.UPDATE.value]


class AuditEntry(AbstractLogEntry):
    """django-auditlog's entry, made ours (AUDITLOG_LOGENTRY_MODEL). Written by `audit.trail`, never changed.

    Where the library has a word for something, the attribute has its name and the column the API's:
    `timestamp` is occurred_at, `cid` request_id, `remote_addr` ip_address. Its columns that could only repeat
    what is here, or would hold personal data, do not exist.
    """

    content_type = object_pk = object_id = object_repr = serialized_data = changes_text = None
    remote_port = additional_data = actor_email = None

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    # A kind of the change port (crm.changes.Action).
    action = models.CharField(_("action"), max_length=16)
    entity_type = models.CharField(_("entity"), max_length=32)
    entity_id = models.UUIDField(_("record"), null=True)
    version = models.PositiveIntegerField(_("version"), null=True)
    # The record's city of that moment: a supervisor's sight needs no join, and outlives the record.
    city_id = models.UUIDField(_("city"), null=True)
    # None: a command, or somebody who could not log in.
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
        verbose_name=_("actor"),
    )
    actor_name = models.CharField(_("actor's name"), max_length=200, null=True)
    before = models.JSONField(_("before"), null=True, db_column="before_json")
    after = models.JSONField(_("after"), null=True, db_column="after_json")
    # Fields that changed although before and after, being masks, look alike. Nearly always absent.
    alike = models.JSONField(null=True)
    remote_addr = models.GenericIPAddressField(_("address"), null=True, db_column="ip_address")
    user_agent = models.CharField(_("client"), max_length=MAX_USER_AGENT, null=True)
    cid = models.CharField(_("request"), max_length=128, null=True, db_column="request_id")
    timestamp = models.DateTimeField(_("time"), default=timezone.now, db_column="occurred_at")

    objects: ClassVar[Any] = AuditEntryQuerySet.as_manager()

    class Meta:
        get_latest_by = "timestamp"
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        indexes = [
            models.Index(
                fields=["entity_type", "entity_id", "timestamp"], name="audit_entity_time"
            ),
            models.Index(fields=["actor", "timestamp"], name="audit_actor_time"),
            models.Index(fields=["city_id", "timestamp"], name="audit_city_time"),
            # A supervisor's own actions in other cities, without reading all of theirs.
            models.Index(fields=["actor", "city_id", "timestamp"], name="audit_actor_city_time"),
            models.Index(fields=["timestamp"], name="audit_time"),
            models.Index(
                fields=["action", "timestamp"],
                name="audit_rare_action_time",
                condition=~Q(action__in=EVERYDAY),
            ),
            models.Index(fields=["cid"], name="audit_request", condition=Q(cid__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.entity_type} {self.entity_id or ''}".rstrip()

    @property
    def changes_summary(self) -> dict[str, ChangedField]:
        """Field → its old and new value, of those that changed."""
        return changed_fields(self.before, self.after, alike=self.alike or ())

    @property
    def changes(self) -> dict[str, list[str]]:
        """The same in the library's shape, for its `changes_dict` and `changes_str`."""
        return {
            name: [str(change["old"]), str(change["new"])]
            for name, change in self.changes_summary.items()
        }
