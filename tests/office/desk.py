"""Somebody at a desk: a browser that has logged in through the door."""

import re
from html.parser import HTMLParser
from typing import Any

from django.test import Client

from crm.users.models import User
from tests.cast import PASSWORD

LOGIN = "/admin/login/"


def browser(language: str = "en", **extra: Any) -> Client:
    """A browser that nobody has logged in with."""
    client = Client(raise_request_exception=False, headers={"accept-language": language})
    client.defaults.update(extra)
    return client


def desk(user: User, language: str = "en", **extra: Any) -> Client:
    """A browser with `user` at it."""
    client = browser(language, **extra)
    answer = client.post(LOGIN, {"username": user.email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def change_form(client: Client, path: str) -> dict[str, Any]:
    """What a browser would send of the form at `path`, unchanged."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.content.decode()
    return form_data(answer.content.decode())


def errors_of(html: str) -> list[str]:
    """The sentences that stand beside the fields and above the form."""
    found = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', html, re.DOTALL)
    return [re.sub(r"<[^>]+>|\s+", " ", one).strip() for one in found]


def form_data(html: str) -> dict[str, Any]:
    """The fields of the page's record form with their values."""
    parser = Fields()
    parser.feed(html)
    return parser.data


class Fields(HTMLParser):
    """Reads the controls of the page's largest form as a browser would."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, Any] = {}
        self.select: str | None = None
        self.area: str | None = None
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name = found.get("name")
        if tag == "form":
            self.inside = (found.get("id") or "").endswith("_form") or "office" in (
                found.get("class") or ""
            )
        if not self.inside:
            return
        if tag == "input" and name:
            kind = found.get("type", "text")
            if kind in {"checkbox", "radio"} and "checked" not in found:
                return
            if kind in {"submit", "button"}:
                return
            self.put(name, found.get("value") or ("on" if kind == "checkbox" else ""))
        elif tag == "select" and name:
            self.select = name
        elif tag == "option" and self.select and "selected" in found:
            self.put(self.select, found.get("value") or "")
        elif tag == "textarea" and name:
            self.area = name
            self.data[name] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self.inside = False
        elif tag == "select":
            self.select = None
        elif tag == "textarea":
            if self.area:
                # The first newline of a text area is the browser's.
                self.data[self.area] = self.data[self.area].removeprefix("\n")
            self.area = None

    def handle_data(self, data: str) -> None:
        if self.area:
            self.data[self.area] += data

    def put(self, name: str, value: str) -> None:
        if name in self.data:
            old = self.data[name]
            self.data[name] = [*(old if isinstance(old, list) else [old]), value]
        else:
            self.data[name] = value
