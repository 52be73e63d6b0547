"""Where files are: written in a directory of this machine, kept in the storage that the settings name."""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final
from uuid import UUID

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils.translation import gettext as _

from crm.api.unexpected import account_of
from crm.jobs.failures import FULL, Failure, Stopped

log = logging.getLogger(__name__)

# Inside of REPORTS_PATH: on the same disk as the finished ones, so that keeping a file there is a rename.
UNFINISHED: Final = ".unfinished"
FOLDER: Final = "exports"


class StorageAway(Failure):
    """The storage does not do what it is asked."""

    def __init__(self) -> None:
        super().__init__(_("The storage for files does not answer."))


class Finished(File):
    """A finished file on its way into the storage; `look` is called with each piece that is read of it."""

    def __init__(self, path: Path, stream: IO[bytes], look: Callable[[], None]) -> None:
        super().__init__(stream, name=path.name)
        self._path = path
        self._stream = stream
        self._look = look

    def temporary_file_path(self) -> str:
        """Django's own storage moves such a file instead of copying it."""
        return str(self._path)

    def read(self, *args: Any) -> bytes:
        """The next piece."""
        self._look()
        return bytes(self._stream.read(*args))


def name_of(pk: UUID, run: UUID, format_: str) -> str:
    """The name in the storage of what one attempt made: no other attempt has the same."""
    return f"{FOLDER}/{pk}-{run.hex[:12]}.{format_}"


def unfinished_files() -> Iterator[Path]:
    """What is being written, and what was left by processes that were killed."""
    with suppress(FileNotFoundError):
        yield from (Path(settings.REPORTS_PATH) / UNFINISHED).iterdir()


@contextmanager
def unfinished(run: UUID, format_: str) -> Iterator[Path]:
    """The path for a file to be written; what is there at the end of the block is removed."""
    folder = Path(settings.REPORTS_PATH) / UNFINISHED
    path = folder / f"{run}.{format_}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield path
    finally:
        with suppress(OSError):
            path.unlink(missing_ok=True)


def keep(path: Path, name: str, look: Callable[[], None]) -> str:
    """Put a finished file into the storage; its name there. look: see Finished; what it raises stops it.

    Raises StorageAway, or OSError for a full disk; nothing is left behind then.
    """
    try:
        with path.open("rb") as stream:
            return str(default_storage.save(name, Finished(path, stream, look)))
    except Exception as error:
        with suppress(Exception):
            default_storage.delete(name)
        if isinstance(error, Stopped) or (isinstance(error, OSError) and error.errno in FULL):
            raise
        log.warning("A report could not be stored\n%s", "\n".join(account_of(error)))
        raise StorageAway from error


def remove(name: str) -> None:
    """Delete a file; one that is not there is no error. Raises StorageAway."""
    try:
        default_storage.delete(name)
    except Exception as error:
        log.warning("A report could not be removed\n%s", "\n".join(account_of(error)))
        raise StorageAway from error


def opened(name: str) -> File | None:
    """The file, to be read piece by piece; None when it is gone. Raises StorageAway."""
    try:
        found = default_storage.open(name, "rb")
        # Amazon's is fetched by the first look at it: refusals belong here, not into half an answer.
        found.seek(0)
    except FileNotFoundError:
        return None
    except Exception as error:
        log.warning("A report could not be opened\n%s", "\n".join(account_of(error)))
        raise StorageAway from error
    return found
