"""People who log in, and their sessions."""

from typing import Any, ClassVar, Self
from uuid import UUID

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from crm.ids import uuid7
from crm.territory.models import City, District, Timestamped
from crm.territory.sight import Territory
from crm.users.roles import Role, scopes_of


def normalise_email(email: str) -> str:
    """The form in which addresses are stored and compared: trimmed, lower case."""
    return email.strip().lower()


class UserQuerySet(models.QuerySet["User"]):
    """Questions about people."""

    def visible_to(self, user: "User") -> Self:
        """ADMIN: everyone. SUPERVISOR: the people of their city (everyone, without one) and themselves.

        ENGINEER: themselves.
        """
        if user.role == Role.ADMIN:
            return self
        if user.role == Role.SUPERVISOR:
            if user.city_id is None:
                return self
            return self.filter(Q(city_id=user.city_id) | Q(pk=user.pk))
        return self.filter(pk=user.pk)

    def active(self) -> Self:
        """People who may log in and be given work."""
        return self.filter(is_active=True)

    def supervisors_for(self, city_id: UUID | None) -> Self:
        """Active supervisors whose territory holds that city."""
        whole_company = Q(city_id__isnull=True)
        return self.active().filter(Q(city_id=city_id) | whole_company, role=Role.SUPERVISOR)

    def active_admins(self) -> Self:
        """The people who can still administer the installation."""
        return self.active().filter(role=Role.ADMIN)


class UserAccounts(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    """Accounts are found by e-mail in any case, as people type it."""

    def get_by_natural_key(self, username: str | None) -> "User":
        found: User = self.get(email=normalise_email(username or ""))
        return found


class User(AbstractBaseUser, Timestamped):
    """A person with a role and a territory. `email` is the login."""

    email = models.EmailField(_("e-mail"), max_length=254, unique=True)
    full_name = models.CharField(_("full name"), max_length=200)
    phone = models.CharField(_("phone"), max_length=16, blank=True, null=True)
    role = models.CharField(_("role"), max_length=16, choices=Role.choices)
    city = models.ForeignKey(
        City,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("city"),
    )
    district = models.ForeignKey(
        District,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="users",
        verbose_name=_("district"),
    )
    is_active = models.BooleanField(_("active"), default=True)
    last_login = models.DateTimeField(
        _("last login"), null=True, blank=True, db_column="last_login_at"
    )
    search_text = models.TextField(db_default=" ", editable=False)

    objects: ClassVar[Any] = UserAccounts()

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    class Meta:
        ordering = ["full_name", "id"]
        verbose_name = _("user")
        verbose_name_plural = _("users")
        constraints = [
            models.UniqueConstraint(Lower("email"), name="users_user_email_lower_unique"),
            models.CheckConstraint(condition=Q(role__in=Role.values), name="users_user_role_known"),
        ]
        indexes = [
            models.Index(fields=["city", "role"], name="users_user_city_role"),
            models.Index(fields=["full_name", "id"], name="users_user_full_name"),
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    def clean(self) -> None:
        super().clean()
        self.email = normalise_email(self.email)

    @property
    def territory(self) -> Territory:
        """The part of the map that the role gives this person now."""
        return Territory.of(self)

    @property
    def scopes(self) -> list[str]:
        """The scopes of the role."""
        return scopes_of(self.role)

    @property
    def is_admin(self) -> bool:
        """Runs the whole installation."""
        return self.role == Role.ADMIN

    @property
    def is_supervisor(self) -> bool:
        """Plans and controls the work of a territory."""
        return self.role == Role.SUPERVISOR

    @property
    def is_engineer(self) -> bool:
        """Works in the field: sees personal data masked."""
        return self.role == Role.ENGINEER

    @property
    def sees_personal_data(self) -> bool:
        """Whether phones and e-mails are shown whole."""
        return not self.is_engineer

    # What Django's admin and its theme ask for.
    def get_full_name(self) -> str:
        """The name in the corner of the back office."""
        return self.full_name or self.email

    @property
    def is_staff(self) -> bool:
        """May open the back office."""
        return self.role in (Role.ADMIN, Role.SUPERVISOR)

    @property
    def is_superuser(self) -> bool:
        """May do anything in the back office."""
        return self.is_admin


class Session(models.Model):
    """One login on one device. The tokens carry its id; ending it kills both at once.

    A refresh raises `generation`; a refresh token of an older generation is dead, and its use ends the
    session, unless it repeats the last refresh with the same idempotency key (only its hash is kept).
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sessions")
    generation = models.PositiveIntegerField(default=1)
    issued_at = models.DateTimeField(default=timezone.now)
    refresh_key_hash = models.CharField(max_length=64, blank=True, default="")
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    ip_address = models.GenericIPAddressField(null=True, blank=True)
    user_agent = models.CharField(max_length=300, blank=True, default="")

    class Meta:
        verbose_name = _("session")
        verbose_name_plural = _("sessions")
        indexes = [models.Index(fields=["expires_at"], name="users_session_expires_at")]

    def __str__(self) -> str:
        return str(self.pk)


class KnownPlace(models.Model):
    """Where an account has logged in: a keyed hash of account and address, or of account and device."""

    key = models.CharField(max_length=64, primary_key=True)
    seen_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("known place")
        verbose_name_plural = _("known places")
        indexes = [models.Index(fields=["seen_at"], name="users_knownplace_seen_at")]

    def __str__(self) -> str:
        return f"{self.key} {self.seen_at:%d.%m.%Y}"


class LoginFailure(models.Model):
    """A failed login, counted here when there is no Redis to count in. Rows live for minutes."""

    key = models.CharField(max_length=64)
    occurred_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("failed login")
        verbose_name_plural = _("failed logins")
        indexes = [models.Index(fields=["key", "occurred_at"], name="users_loginfailure_key")]

    def __str__(self) -> str:
        return f"{self.key} {self.occurred_at:%H:%M:%S}"
