"""Which row of a table belongs to which video: by id, else base name, else stem; never by guessing."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from memfeat.errors import LabelError
from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES

_SUFFIXES = frozenset(VIDEO_SUFFIXES) | frozenset(IMAGE_SUFFIXES)
_SHOWN = 5


@dataclass(frozen=True)
class Matches:
    """Rows and videos brought together."""

    video_of: dict[str, str] = field(default_factory=dict)
    """Row name → video id."""
    rows_without_video: tuple[str, ...] = ()
    videos_without_row: tuple[str, ...] = ()


def _clean(name: str) -> str:
    return unicodedata.normalize("NFC", name.strip().replace("\\", "/").lstrip("\ufeff").removeprefix("./"))


def _base(name: str) -> str:
    return PurePosixPath(name).name


def _path(name: str) -> str:
    """Return a path without its suffix; nothing for a bare name, whose folder nobody has given."""
    path = PurePosixPath(name)
    return str(path.parent / _stem(name)) if len(path.parts) > 1 else ""


def _stem(name: str) -> str:
    base = PurePosixPath(name)
    return base.stem if base.suffix.lower() in _SUFFIXES else base.name


def match(rows: Iterable[str], ids: Iterable[str]) -> Matches:
    """Match the names in a table to video ids.

    Parameters
    ----------
    rows
        Names as they stand in the table: with or without folders, with or without a suffix.
    ids
        Video ids: POSIX paths relative to the video folder, suffix kept.

    Raises
    ------
    LabelError
        A name fits several videos, or several names fit one video. The message lists them.

    Examples
    --------
    >>> match(["a", "b.webm", "x/c.mp4", "ghost"], ["a.mp4", "b.mp4", "x/c.mp4", "y/c.mp4"]).video_of
    {'a': 'a.mp4', 'b.webm': 'b.mp4', 'x/c.mp4': 'x/c.mp4'}
    >>> match(["y/c"], ["x/c.mp4", "y/c.mp4"]).video_of
    {'y/c': 'y/c.mp4'}
    >>> match(["c"], ["x/c.mp4", "y/c.mp4"])
    Traceback (most recent call last):
        ...
    memfeat.errors.LabelError: 'c' fits 2 videos: 'x/c.mp4', 'y/c.mp4'. Write the path relative to the video folder...
    """
    ids = list(ids)
    tiers: list[tuple[Callable[[str], str], dict[str, list[str]]]] = []
    for key in (str, _base, _path, _stem):
        index: dict[str, list[str]] = defaultdict(list)
        for video in ids:
            if spelling := key(_clean(video)):
                index[spelling].append(video)
        tiers.append((key, index))
    video_of: dict[str, str] = {}
    row_of: dict[str, str] = {}
    alone: list[str] = []
    for row in rows:
        name = _clean(row)
        hits = next((index[key(name)] for key, index in tiers if key(name) in index), [])
        if len(hits) > 1:
            raise LabelError(
                f"{row!r} fits {len(hits)} videos: {', '.join(map(repr, hits[:_SHOWN]))}. "
                "Write the path relative to the video folder in the table's id column."
            )
        if not hits:
            alone.append(row)
            continue
        if hits[0] in row_of:
            raise LabelError(
                f"The rows {row_of[hits[0]]!r} and {row!r} both belong to the video {hits[0]!r}. Keep one of them."
            )
        video_of[row] = hits[0]
        row_of[hits[0]] = row
    return Matches(video_of, tuple(alone), tuple(video for video in ids if video not in row_of))


def resemblance(rows: Iterable[str], ids: Iterable[str]) -> int:
    """Return how many names fit at least one video, however many they fit.

    >>> resemblance(["c", "ghost"], ["x/c.mp4", "y/c.mp4"])
    1
    """
    stems = {_stem(_clean(video)) for video in ids}
    return sum(_stem(_clean(row)) in stems for row in rows)
