"""What happens to people's accounts: the one room behind every door."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm import editing
from crm.changes import Action, Change, report, snapshot
from crm.editing import Changes
from crm.errors import Conflict, Forbidden, Invalid, NotFound, Sentence, Unauthorized
from crm.territory.models import City, District
from crm.users import passwords, sessions
from crm.users.models import User, normalise_email
from crm.users.roles import Role

TAKEN: Final = ("email", gettext_lazy("There is a user with this e-mail address already."))
REFUSALS: Mapping[str, tuple[str, Sentence]] = {
    "users_user_email_lower_unique": TAKEN,
    "users_user_email_key": TAKEN,
    "email": TAKEN,
    "users_user_district_in_city": (
        "district_id",
        gettext_lazy("The district does not lie in the city."),
    ),
    "users_user_phone_e164": ("phone", gettext_lazy("This is not a phone number.")),
}
OWN_FIELDS: Final = frozenset({"full_name", "phone"})


def create_user(*, actor: User | None, values: Changes) -> User:
    """Make an account. values: columns, and `password` as it is typed. No actor = a command.

    A supervisor makes engineers of their territory, in their own city unless told otherwise. Raises Invalid,
    Forbidden, Duplicate.
    """
    values = editing.without_masks(None, dict(values))
    # Hashing takes a while: nobody should wait for it in a transaction.
    password = values.pop("password")
    encoded = passwords.hash_of(password, user=User(**values))
    with transaction.atomic():
        if actor is not None:
            actor = still_there(locked_people([actor.pk]).get(actor.pk))
            if actor.is_supervisor and values.get("city_id") is None:
                values["city_id"] = actor.city_id
        draft = User(**values, password=encoded)
        draft.email = normalise_email(draft.email)
        settle_place(draft, values)
        check_authority(draft, actor=actor)
        with editing.refusals(REFUSALS, duplicate=lambda _: namesake(draft.email, actor=actor)):
            draft.save(force_insert=True)
        draft.refresh_from_db()
        report([editing.change_of(Action.CREATE, draft, after=snapshot(draft))], actor=actor)
        return draft


def update_user(*, actor: User, user_id: UUID, changes: Changes) -> User:
    """Edit somebody's account; effective on their next request.

    A new password and a deactivation end that person's sessions. Raises NotFound, Invalid, Forbidden,
    Duplicate, and Conflict for the last active administrator.
    """
    changes = dict(changes)
    password = changes.pop("password", None)
    with transaction.atomic():
        # Whoever may take an administrator away waits for whoever else does, and then counts anew.
        people = locked_people(
            [actor.pk, user_id], admins=bool({"role", "is_active"} & changes.keys())
        )
        actor = still_there(people.get(actor.pk))
        if not User.objects.visible_to(actor).filter(pk=user_id).exists():
            raise NotFound
        user = people[user_id]
        changes = editing.without_masks(user, changes)
        if "email" in changes:
            changes["email"] = normalise_email(changes["email"])
        changes = editing.really_changed(user, changes)
        check_editor(user, changes, actor=actor, password=password is not None)
        if "role" in changes and user.pk == actor.pk:
            raise Forbidden(_("Nobody changes their own role."), details={"fields": ["role"]})
        draft = editing.edited(user, changes)
        if {"city_id", "district_id"} & changes.keys():
            settle_place(draft, changes)
            changes = editing.really_changed(user, {**changes, "city_id": draft.city_id})
        check_authority(draft, actor=actor)
        if user.is_active and user.is_admin and not (draft.is_active and draft.is_admin):
            keep_an_admin(people.values(), but=user)
        if password is not None:
            changes["password"] = passwords.hash_of(password, user=draft)
        return written(user, changes, actor=actor)


def update_me(*, user: User, changes: Changes) -> User:
    """Edit one's own name and phone. Raises Invalid for a masked phone that is not one's own."""
    with transaction.atomic():
        own = still_there(locked_people([user.pk]).get(user.pk))
        changes = editing.without_masks(
            own, {name: value for name, value in changes.items() if name in OWN_FIELDS}
        )
        return written(own, editing.really_changed(own, changes), actor=own)


def written(user: User, changes: Changes, *, actor: User) -> User:
    """Write the edit of a locked person, end what it ends, and report all of it."""
    if not changes:
        return user
    before = snapshot(user)
    email = changes.get("email", user.email)
    with editing.refusals(REFUSALS, duplicate=lambda _: namesake(email, actor=actor)):
        if {"full_name", "email"} <= changes.keys():
            # A name is written into the person's visits, an address locks the person against references: the
            # other way round this would meet somebody who has the visits and checks their references.
            User.objects.filter(pk=user.pk).update(full_name=changes["full_name"])
        User.objects.filter(pk=user.pk).update(**changes)
    user.refresh_from_db()
    after = snapshot(user)
    told = []
    if changes.keys() - {"password"}:
        told.append(editing.change_of(Action.UPDATE, user, before=before, after=after))
    if "role" in changes:
        told.append(part_of(Action.ROLE, user, before={"role": before["role"]}))
    if "password" in changes:
        told.append(part_of(Action.PASSWORD, user))
    if "password" in changes or not user.is_active:
        reason = "password_changed" if user.is_active else "deactivated"
        told += sessions.ended(sessions.sessions_of(user), reason=reason)
    report(told, actor=actor)
    return user


def part_of(action: Action, user: User, *, before: Changes | None = None) -> Change:
    """The report of an event that deserves an entry of its own."""
    after = None if before is None else {name: getattr(user, name) for name in before}
    return editing.change_of(action, user, before=before, after=after)


def locked_people(ids: Sequence[UUID], *, admins: bool = False) -> dict[UUID, User]:
    """These people, and on demand every active administrator, locked in id order."""
    wanted = Q(pk__in=ids)
    if admins:
        wanted |= Q(role=Role.ADMIN, is_active=True)
    rows = User.objects.filter(wanted).order_by("pk").select_for_update(no_key=True)
    return {user.pk: user for user in rows}


def still_there(user: User | None) -> User:
    """The person, as long as nobody has blocked them while they waited. Raises Unauthorized."""
    if user is None or not user.is_active:
        raise Unauthorized(_("This account is not active any more."))
    return user


def keep_an_admin(people: Iterable[User], *, but: User) -> None:
    """Raise Conflict unless somebody else can still administer the installation."""
    if not any(one.is_admin and one.is_active and one.pk != but.pk for one in people):
        raise Conflict(_("This is the last active administrator."))


def check_editor(user: User, changes: Changes, *, actor: User, password: bool) -> None:
    """Who may edit whom, and what. Raises Forbidden."""
    if actor.is_admin:
        return
    if not (actor.is_supervisor and user.is_engineer):
        raise Forbidden(_("Supervisors edit only engineers of their territory."))
    refused = [*(["email"] if "email" in changes else []), *(["password"] if password else [])]
    if refused:
        raise Forbidden(
            _("Only administrators change e-mail addresses and passwords."),
            details={"fields": refused},
        )


def check_authority(draft: User, *, actor: User | None) -> None:
    """Whether the actor may have somebody be like that. Raises Forbidden, Invalid."""
    if actor is None or actor.is_admin:
        return
    if not actor.is_supervisor or draft.role != Role.ENGINEER:
        raise Forbidden(_("Supervisors only make engineers."), details={"fields": ["role"]})
    if not actor.territory.holds(city_id=draft.city_id, district_id=draft.district_id):
        raise Invalid({"city_id": _("The person would lie outside your territory.")})


def settle_place(draft: User, changes: Changes) -> None:
    """City and district must fit; a district alone implies its city. Raises Invalid."""
    editing.reference(City.objects.all(), draft.city_id, field="city_id")
    district = editing.reference(District.objects.all(), draft.district_id, field="district_id")
    if district is None:
        return
    if draft.city_id is None and changes.get("district_id") is not None:
        draft.city_id = district.city_id
    if district.city_id != draft.city_id:
        raise Invalid({"district_id": REFUSALS["users_user_district_in_city"][1]})


def namesake(email: str, *, actor: User | None) -> UUID | None:
    """The id of whoever has that address, if the actor may know of them."""
    if actor is None:
        return None
    found = User.objects.visible_to(actor).filter(email=email)
    return found.values_list("pk", flat=True).first()  # type: ignore[no-any-return]
