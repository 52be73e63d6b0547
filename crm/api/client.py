"""What a request says of its client, and how far that may be believed."""

import ipaddress
import re
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest

# It goes into logs and the audit: a phone's number or a token is none.
SANE_REQUEST_ID = re.compile(
    r"(?!eyJ)(?!.*(?<![0-9A-Za-z])[78]\d{10}(?![0-9A-Za-z]))[A-Za-z0-9._-]{1,128}"
)
# Long enough that nobody guesses it: apps make a random one when they are installed.
SANE_DEVICE = re.compile(r"[A-Za-z0-9._:-]{16,128}")
MAX_USER_AGENT = 300


def request_id_of(request: HttpRequest) -> str:
    """The caller's X-Request-ID when it is a sane one, else a new one."""
    given = request.headers.get("X-Request-ID", "")
    return given if SANE_REQUEST_ID.fullmatch(given) else uuid4().hex


def user_agent_of(request: HttpRequest) -> str:
    """The client's name for itself, cut to what is stored."""
    # PostgreSQL's text cannot hold NUL.
    return request.headers.get("User-Agent", "").replace("\x00", "")[:MAX_USER_AGENT]


def device_of(request: HttpRequest) -> str:
    """The client's name for the device it runs on: X-Device-ID, or the back office's cookie; else ''."""
    given = request.headers.get("X-Device-ID") or request.COOKIES.get(settings.DEVICE_COOKIE_NAME)
    return given if given and SANE_DEVICE.fullmatch(given) else ""


def address_of(request: HttpRequest) -> str | None:
    """The client's address; None when it is unknown (a Unix socket).

    Behind TRUSTED_PROXY_COUNT proxies of ours it is that many entries from the right of X-Forwarded-For; what
    stands further left is the client's own invention.
    """
    peer = parsed(str(request.META.get("REMOTE_ADDR") or ""))
    proxies = settings.TRUSTED_PROXY_COUNT
    if proxies < 1:
        return peer
    entries = [entry.strip() for entry in request.headers.get("X-Forwarded-For", "").split(",")]
    # A chain shorter than ours did not pass all of our proxies.
    return (parsed(entries[-proxies]) if len(entries) >= proxies else None) or peer


def parsed(text: str) -> str | None:
    """The address without port, brackets and zone, IPv4 also when mapped into IPv6; else None."""
    host = text.strip()
    if host.startswith("["):
        host = host[1:].partition("]")[0]
    elif host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return str(mapped or address)
