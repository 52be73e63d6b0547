"""What a person may see according to the rules themselves, not to the feed."""

from typing import Any

from crm.users.models import User
from sync.entities import ENTITIES


def visible_versions(user: User) -> dict[tuple[str, str], int]:
    """(table, id) → version of everything that the person may see now."""
    user = User.objects.get(pk=user.pk)
    return {
        (entity.name, str(pk)): version
        for entity in ENTITIES
        for pk, version in entity.model.objects.visible_to(user).values_list("pk", "version")
    }


def details(api: Any, entity_name: str, record_id: str) -> dict[str, Any]:
    """The API's own detail of a record."""
    answer = api.get(f"/api/v1/{entity_name}/{record_id}")
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body
