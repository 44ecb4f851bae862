"""What a file was when it was measured: size, modification time and SHA-256."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from memfeat.errors import MissingFileError, StoreError, UnreadableError

_NOTHING = hashlib.sha256().hexdigest()
_FIELDS = {"size": int, "mtime_ns": int, "sha256": str}


@dataclass(frozen=True, slots=True)
class Source:
    """Identity of a file's content.

    Parameters
    ----------
    size
        Bytes.
    mtime_ns
        Modification time in nanoseconds since the epoch. A hint that saves hashing, not part of the identity.
    sha256
        64 hex digits.
    """

    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: str | Path, *, known: Source | None = None) -> Source:
        """Return the source of a file; hash it only when size or time differ from `known`.

        Raises
        ------
        MissingFileError
            There is no such file.
        UnreadableError
            It is a folder or a device, may not be read, or changes while it is read.

        Examples
        --------
        >>> import tempfile, pathlib
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "a.bin")
        ...     _ = path.write_bytes(b"abc")
        ...     Source.of(path).sha256[:8]
        'ba7816bf'
        """
        path = Path(path)
        for _ in range(2):
            before = _stat(path)
            if known is not None and (known.size, known.mtime_ns) == (before.st_size, before.st_mtime_ns):
                return known
            digest, after = _hash(path)
            unchanged = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
            if unchanged:
                return cls(after.st_size, after.st_mtime_ns, digest)
        raise UnreadableError(
            f"{path} changes while it is read. Wait until it is completely copied, then run again."
        )

    @classmethod
    def of_files(cls, paths: Sequence[str | Path]) -> Source:
        """Return the source of several files as if they were one: their bytes, one after the other.

        Raises as `of`.
        """
        if len(paths) == 1:
            return cls.of(paths[0])
        whole, size, latest = hashlib.sha256(), 0, 0
        for path in map(Path, paths):
            status = _stat(path)
            try:
                data = path.read_bytes()
            except OSError as error:
                raise UnreadableError(f"{path} cannot be read: {error}. Check its permissions.") from error
            whole.update(data)
            size, latest = size + len(data), max(latest, status.st_mtime_ns)
        return cls(size, latest, whole.hexdigest())

    @classmethod
    def nothing(cls) -> Source:
        """Return the source of a video no file of which was ever measured: no bytes at all.

        >>> Source.nothing().size
        0
        """
        return cls(0, 0, _NOTHING)

    def same_content(self, other: Source | None) -> bool:
        """Return whether both have the same bytes; the modification time does not matter.

        >>> a = Source(3, 10, "ab" * 32)
        >>> a.same_content(Source(3, 99, "ab" * 32)), a.same_content(None)
        (True, False)
        """
        return other is not None and (self.size, self.sha256) == (other.size, other.sha256)

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form."""
        return {"size": self.size, "mtime_ns": self.mtime_ns, "sha256": self.sha256}

    @classmethod
    def from_dict(cls, data: object) -> Source:
        """Return the source a JSON object describes; StoreError when it describes none.

        >>> Source.from_dict({"size": 3, "mtime_ns": 10, "sha256": "ab" * 32}).size
        3
        """
        if not isinstance(data, dict) or any(
            type(data.get(name)) is not kind for name, kind in _FIELDS.items()
        ):
            raise StoreError(f"A source needs size (int), mtime_ns (int) and sha256 (str); got {data!r}.")
        return cls(data["size"], data["mtime_ns"], data["sha256"])


def _stat(path: Path) -> os.stat_result:
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        raise MissingFileError(
            f"There is no file {path}. Check the path and that the disk is mounted."
        ) from error
    except OSError as error:
        raise UnreadableError(f"{path} cannot be looked at: {error}. Check its permissions.") from error
    if not stat.S_ISREG(status.st_mode):
        what = "a folder" if stat.S_ISDIR(status.st_mode) else "a pipe or a device"
        raise UnreadableError(f"{path} is {what}; a regular file is needed.")
    return status


def _hash(path: Path) -> tuple[str, os.stat_result]:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest(), os.fstat(file.fileno())
    except FileNotFoundError as error:
        raise MissingFileError(f"{path} vanished before it was read. Run again.") from error
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error}. Check its permissions.") from error
