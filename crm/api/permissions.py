"""Which scope a request needs. What a role may do to which record is decided in the services."""

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request

from crm.errors import Forbidden


class HasScope(BasePermission):
    """The caller's role carries `<view.scope>:read` or `:write`, as the method needs."""

    def has_permission(self, request: Request, view: Any) -> bool:
        user = request.user
        if user is None or not user.is_authenticated:
            return False
        if getattr(view, "action", "") is None:
            # A method that the address does not have: 405 says so, whatever the caller's scopes.
            return True
        kind = "read" if request.method in SAFE_METHODS else "write"
        needed = f"{view.scope}:{kind}"
        if needed in user.scopes:
            return True
        raise Forbidden
