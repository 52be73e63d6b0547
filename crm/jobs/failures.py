"""What can go wrong with work in the background, as a sentence for its owner."""

import errno
from dataclasses import dataclass
from typing import Final

from django.db import DatabaseError, InterfaceError
from django.utils.translation import gettext as _
from rq.timeouts import JobTimeoutException

from crm.errors import CallerError, Invalid, Sentence

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class Stopped(Exception):
    """The attempt no longer holds its job: cancelled, or taken over by another. Nobody is told."""


class Failure(Exception):
    """A failure that people understand. again: whether another attempt may do better."""

    def __init__(self, sentence: Sentence, *, again: bool = True) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.again = again


class Interrupted(Failure):
    """The process that worked on it is gone."""

    def __init__(self) -> None:
        super().__init__(_("The work was interrupted: the process that did it has ended."))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a failed attempt. known: nothing that a developer must look at."""

    sentence: str
    again: bool
    known: bool


def judged(error: Exception) -> Verdict:
    """The verdict on what an attempt ended with, in the language at hand."""
    if isinstance(error, Failure):
        return Verdict(str(error.sentence), error.again, known=True)
    if isinstance(error, CallerError):
        return Verdict(sentence_of(error), again=False, known=True)
    if isinstance(error, JobTimeoutException):
        return Verdict(_("The work took too long and was given up."), again=False, known=True)
    if isinstance(error, OSError) and error.errno in FULL:
        return Verdict(_("There is no space left on the server's disk."), again=True, known=True)
    if isinstance(error, DatabaseError | InterfaceError):
        return Verdict(_("The database did not answer as expected."), again=True, known=False)
    return Verdict(
        _("Something went wrong on the server. It has been recorded."), again=True, known=False
    )


def sentence_of(error: CallerError) -> str:
    """A refusal in one line: the sentences about its fields, where there are any."""
    if isinstance(error, Invalid):
        said = [f"{name}: {sentence}" for name, all_ in error.fields.items() for sentence in all_]
        return " ".join(said) or str(error.message)
    return str(error.message)
