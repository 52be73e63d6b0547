"""How passwords are hashed."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane: the OWASP Password Storage Cheat Sheet's minimum.

    Django's defaults (100 MiB, eight lanes) would let a handful of logins fill a small machine.
    """

    time_cost = 2
    memory_cost = 19_456
    parallelism = 1
