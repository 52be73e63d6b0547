"""Where uploaded files lie: in the storage of the reports, in a folder of their own that nobody is given."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from crm.api.unexpected import account_of
from crm.errors import Unavailable
from crm.jobs.failures import Failure

log = logging.getLogger(__name__)

FOLDER: Final = "imports"


def keep(name: str, file: File) -> str:
    """Put the file into the storage; its name there. Raises Unavailable."""
    try:
        file.seek(0)
        return str(default_storage.save(f"{FOLDER}/{name}", file))
    except Exception as error:
        log.warning("An upload could not be stored\n%s", "\n".join(account_of(error)))
        raise Unavailable(_("The storage for files does not answer.")) from error


@contextmanager
def opened(name: str | None) -> Iterator[BinaryIO]:
    """The file, seekable. Raises Failure when it is gone, or the storage does not answer."""
    if name is None:
        raise gone()
    try:
        found = default_storage.open(name, "rb")
        # Amazon's is fetched by the first look at it.
        found.seek(0)
    except FileNotFoundError:
        raise gone() from None
    except Exception as error:
        log.warning("An upload could not be opened\n%s", "\n".join(account_of(error)))
        raise Failure(_("The storage for files does not answer.")) from error
    with found:
        yield cast("BinaryIO", found.file)


def gone() -> Failure:
    """The file was removed."""
    return Failure(_("The file is not kept any more. Upload it again."), again=False)


def remove(name: str) -> None:
    """Delete a file; one that is not there is no error."""
    default_storage.delete(name)
