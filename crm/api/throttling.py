"""How many requests a person may make: fixed windows, counted in Redis or else in this process."""

import logging
import time
from typing import Any, ClassVar, Final

from django.conf import settings
from django.core.cache import cache
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

log = logging.getLogger(__name__)

MINUTE: Final = 60


class UserThrottle(BaseThrottle):
    """So many requests per window and person. Subclasses say how many, and of what."""

    name: ClassVar[str]
    seconds: ClassVar[int] = MINUTE

    def most(self, user: Any) -> int:
        """How many requests this person has in a window."""
        raise NotImplementedError

    def key(self, user: Any) -> str:
        """What is counted together."""
        return f"{self.name}:{user.pk}"

    def allow_request(self, request: Request, view: Any) -> bool:
        """DRF's hook. Without Redis's answer requests pass: a limit is no reason to be down."""
        user = request.user
        if not settings.RATE_LIMIT_ENABLED or user is None:
            return True
        window = int(time.time()) // self.seconds
        try:
            used = counted(f"rate:{self.key(user)}:{window}", self.seconds)
        except (ConnectionInterrupted, RedisError) as error:
            log.warning("Redis is away (%s): requests are not counted", type(error).__name__)
            return True
        return used <= self.most(user)

    def wait(self) -> float:
        """DRF's hook: seconds until the next window."""
        return self.seconds - time.time() % self.seconds


class RoleThrottle(UserThrottle):
    """Every request of the API, per person, role and minute."""

    name = "role"

    def most(self, user: Any) -> int:
        return int(settings.RATE_LIMITS[user.role])

    def key(self, user: Any) -> str:
        # Somebody promoted starts with the new role's whole allowance.
        return f"{self.name}:{user.role}:{user.pk}"


class ExportThrottle(UserThrottle):
    """Exports keep a worker busy: 10 in 5 minutes for each person."""

    name = "export"
    seconds = 5 * MINUTE
    MOST = 10

    def most(self, user: Any) -> int:
        return self.MOST


def counted(key: str, seconds: int) -> int:
    """Count one more under `key`, which is forgotten a little after its window; how many that makes."""
    shared = getattr(cache, "client", None)
    if shared is not None:
        # The command itself: the cache's own way asks a script whether the key exists, at twice the price.
        redis, name = shared.get_client(write=True), cache.make_key(key)
        used = int(redis.incr(name))
        if used == 1:
            redis.expire(name, seconds * 2)
        return used
    try:
        return int(cache.incr(key))
    except ValueError:
        # The first of this window, or the second at the very same moment.
        return 1 if cache.add(key, 1, timeout=seconds * 2) else int(cache.incr(key))
