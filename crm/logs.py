"""What a line of the log looks like, and what never stands in one.

LOG_FORMAT=text writes lines for people, LOG_FORMAT=json one object on each line. What our code says of a
request or a job goes along as `extra={"facts": {…}}`: ids, codes and numbers that are nobody's secret. Every
other message, those of libraries above all, is washed first: phones, e-mail addresses, tokens, query strings
and the values that a database quotes become `…`. An exception is written as its class and the lines of code,
never with its message.
"""

import logging
import re
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import orjson

from crm.api.unexpected import account_of
from crm.changes import Origin, current_origin

OURS: Final = "crm"
HIDDEN: Final = "…"
# What must not be read in a log, wherever the words come from.
PRIVATE: Final = re.compile(
    r"""
    # A token (RFC 7519), an encoded password, a URL's query string and its user's password.
      eyJ[\w-]+ (?: \. [\w-]* )*
    | (?: argon2 | pbkdf2_\w+ ) \$ \S+
    | (?<= [\w/] ) \? [^\s"'=]+ = [^\s"']*
    | (?<= :// ) [^\s/@]+ (?= @ )
    # What a database quotes: Key (phone)=(…).
    | (?<= =\( ) [^)]* (?= \) )
    # An e-mail address.
    | [\w.%+-]+ @ [\w-]+ \. [\w.-]* \w
    # A phone: with a plus, or eleven digits as people write them in Russia.
    | \+ \d [\d()\ -]{7,17} \d
    | (?<! [\w-] ) [78] [\ (-]{0,2} \d{3} [)\ -]{0,2} \d{3} [\ -]? \d{2} [\ -]? \d{2} (?! [\w-] )
    """,
    re.VERBOSE,
)
washed = partial(PRIVATE.sub, HIDDEN)

# The parts of an address that the code itself knows, or that name a record.
UUID: Final = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
WORD: Final = r"[a-z](?:[a-z._-]|\d{1,2}(?!\d)){0,40}"
SAFE_SEGMENT: Final = re.compile(rf"(?:{UUID}|{WORD}|)")
SAFE_PATH: Final = re.compile(rf"(?:/{SAFE_SEGMENT.pattern})*")
# How much of a library's message is read.
LONGEST: Final = 2000


def safe_path(path: str) -> str:
    """The path of an address, without what somebody may have typed into it: phones, names, tokens."""
    if SAFE_PATH.fullmatch(path):
        return path
    parts = [part if SAFE_SEGMENT.fullmatch(part) else HIDDEN for part in path.split("/")[1:12]]
    return "/" + "/".join(parts)


class Lines(logging.Formatter):
    """A record as one line."""

    def said(self, record: logging.LogRecord) -> str:
        """The message, fit to be read by anybody."""
        message = record.getMessage()
        if not hasattr(record, "facts"):
            if record.name.partition(".")[0] != OURS:
                # A library's traceback follows in the next lines, with the message of the exception.
                message = message.partition("\n")[0][:LONGEST]
            message = washed(message)
        error = record.exc_info and record.exc_info[1]
        return "\n".join([message, *account_of(error)]) if error else message

    @staticmethod
    def facts(record: logging.LogRecord) -> dict[str, Any]:
        """What is known beside the message: ids, codes, numbers."""
        given: dict[str, Any] | None = getattr(record, "facts", None)
        return facts_of(current_origin()) if given is None else given


class TextLines(Lines):
    """`time level logger message name=value …`."""

    def format(self, record: logging.LogRecord) -> str:
        words = [
            datetime.fromtimestamp(record.created).astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            record.levelname,
            record.name,
            self.said(record),
            *(f"{name}={value}" for name, value in self.facts(record).items() if value is not None),
        ]
        return " ".join(words)


class JSONLines(Lines):
    """One object: `time` (UTC), `level`, `logger`, `message`, and the facts by their names."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
            "message": self.said(record),
            **self.facts(record),
        }
        return orjson.dumps(line, default=str).decode()


def facts_of(origin: Origin) -> dict[str, Any]:
    """Whose work it is: the request, the person and their role, as far as known."""
    if not origin.request_id and origin.actor is None:
        return {}
    actor = origin.actor
    return {
        "request_id": origin.request_id,
        "user_id": None if actor is None else str(actor.pk),
        "role": None if actor is None else str(actor.role),
    }
