"""Files that are whole or absent: temporary file, fsync, replace; and the locks around it."""

from __future__ import annotations

import errno
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import filelock

from memfeat.errors import SetupError

LOCK_NAME = ".lock"
LOCK_SECONDS = 600.0
_ADVICE = {
    errno.ENOSPC: "Free some space on that disk",
    errno.EDQUOT: "Free some space in your quota",
    errno.EFBIG: "Raise the file size limit (ulimit -f)",
    errno.EACCES: "Ask for write permission, or choose another folder",
    errno.EPERM: "Ask for write permission, or choose another folder",
    errno.EROFS: "The disk is read-only: choose another folder",
    errno.ENAMETOOLONG: "Choose a folder with a shorter path",
    errno.EMFILE: "Raise the limit of open files (ulimit -n)",
}


def environment_error(action: str, error: BaseException) -> SetupError:
    """Return the SetupError that says what could not be done, why, and what to do."""
    number = getattr(error, "errno", None)
    advice = _ADVICE.get(number or 0)
    if advice is None:  # HDF5 reports some failures without a number, only in words.
        advice = next(
            (text for code, text in _ADVICE.items() if f"errno = {code}," in str(error)), "Check the disk"
        )
    reason = os.strerror(number) if number else " ".join(str(error).split())
    return SetupError(f"{action} failed: {reason}. {advice}, then run again.")


def temporary_beside(path: Path) -> Path:
    """Return a hidden, unused name in the folder of `path`."""
    return path.with_name(f".{path.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")


def is_temporary(name: str) -> bool:
    """Return whether `temporary_beside` made this name.

    >>> is_temporary(".a.h5.12-00ff00ff.tmp"), is_temporary("a.h5")
    (True, False)
    """
    return name.startswith(".") and name.endswith(".tmp")


def make_folder(path: Path) -> None:
    """Create a folder and its parents; SetupError when that is not possible."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise environment_error(f"Creating the folder {path}", error) from error


def sync_file(path: Path) -> None:
    """Ask the disk to hold a file's bytes now."""
    descriptor = os.open(path, os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Ask the disk to hold a folder's list of names now, where the system can."""
    if os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network disks refuse it; the rename itself is still atomic there
            os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary path to write; on success it takes the place of `path`, on any error it is removed.

    The folder of `path` must exist. OSError becomes SetupError.
    """
    temporary = temporary_beside(path)
    try:
        yield temporary
        sync_file(temporary)
        temporary.replace(path)
        sync_folder(path.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise environment_error(f"Writing {path}", error) from error
        raise


def write_atomically(path: Path, data: bytes | str) -> None:
    """Write a whole file or leave the old one as it was."""
    make_folder(path.parent)
    with replacing(path) as temporary:
        temporary.write_bytes(data.encode() if isinstance(data, str) else data)


@contextmanager
def locked(folder: Path, *, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Hold the one lock of a folder (its file ``.lock``), against other threads, processes and hosts.

    Raises
    ------
    SetupError
        The lock cannot be made there, or another process held it for longer than `seconds`.
    """
    make_folder(folder)
    # Each call has its own object: a shared one would let two threads of a process in together.
    lock = filelock.FileLock(folder / LOCK_NAME, mode=0o664, is_singleton=False)
    try:
        lock.acquire(timeout=seconds)
    except filelock.Timeout as error:
        raise SetupError(
            f"Another process has held {folder / LOCK_NAME} for {seconds:.0f} s. "
            "Wait for it or end it, then run again."
        ) from error
    except NotImplementedError as error:
        raise SetupError(
            f"The disk of {folder} has no file locks. Mount it with locks, or use a local disk."
        ) from error
    except OSError as error:
        raise environment_error(f"Locking {folder}", error) from error
    try:
        yield
    finally:
        lock.release()


def leftovers(folder: Path, *, older_than: float = 0.0) -> list[Path]:
    """Return the temporary files directly in a folder, last written at least `older_than` seconds ago."""
    limit = time.time() - older_than
    found = []
    with suppress(FileNotFoundError, NotADirectoryError), os.scandir(folder) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):
                if is_temporary(entry.name) and entry.stat(follow_symlinks=False).st_mtime <= limit:
                    found.append(Path(entry.path))
    return sorted(found)
