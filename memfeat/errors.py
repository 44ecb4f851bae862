"""Every error that memfeat raises on purpose, and the exit code each one becomes on the command line.

A message says what was given, what was expected and what to do. `DataError` belongs to one input and is
recorded while the run goes on; `UsageError` and `SetupError` stop the run at once.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MemfeatError(Exception):
    """Root of memfeat's own errors."""

    exit_code = 1


class UsageError(MemfeatError):
    """The call, the recipe or the table is wrong; nothing was started."""

    exit_code = 2


class DataError(MemfeatError):
    """One input cannot be used; others may go on."""

    exit_code = 3


class SetupError(MemfeatError):
    """The machine or the installation cannot do this: a library, a permission, disk space."""

    exit_code = 4


class WeightsError(SetupError):
    """Weights of a network are absent, damaged, or those of another network."""


class StoreError(DataError):
    """A store or one of its files is damaged, unsafe to open or of another schema."""


class LabelError(UsageError):
    """A table of scores or splits cannot be matched or read."""


class VideoError(DataError):
    """A video or an image that cannot be turned into frames. Subclasses name the reason."""


class MissingFileError(VideoError):
    """There is no such file."""


class EmptyFileError(VideoError):
    """The file has no bytes."""


class UnreadableError(VideoError):
    """The file may not be read, or its container is none that memfeat opens."""


class NoVideoStreamError(VideoError):
    """The file holds no moving or still picture (audio only, for example)."""


class NoFramesError(VideoError):
    """The container opens, and not one frame decodes."""


class TooLargeError(VideoError):
    """A frame has more pixels than memfeat accepts."""


class TooLongError(VideoError):
    """A network sees the whole video as one clip, and the video has more frames than fit into one."""


class CrashedError(VideoError):
    """An earlier attempt at this video ended its worker process."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'x'?"`` for the known word closest to `word`, or an empty string.

    >>> nearest("huog", ["hog", "flow"])
    " Did you mean 'hog'?"
    >>> nearest("zzz", ["hog", "flow"])
    ''
    """
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {close[0]!r}?" if close else ""
