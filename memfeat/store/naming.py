"""Ids of videos, and the file names made from them.

An id is any printable text; a file name is a readable slug and ten digits of the id's hash, so that no id
can leave the store's folder and two ids that differ only in case or accents never share a file. The id itself
is an attribute inside the file: names are made from ids, never parsed.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from memfeat.errors import UsageError

MAX_ID_BYTES = 4096
_SLUG_LENGTH = 60
_UNSAFE = re.compile(r"[^a-z0-9_.-]+")
_FORBIDDEN_CATEGORIES = {"Cc": "a control character", "Zl": "a line separator", "Zp": "a paragraph separator"}


def check_id(text: str) -> str:
    r"""Return the id in Unicode's composed form (NFC).

    Raises
    ------
    UsageError
        It is empty, longer than 4096 bytes, or holds control characters or bytes that are not UTF-8.

    Examples
    --------
    >>> check_id("cafe\u0301.mp4") == "caf\u00e9.mp4"
    True
    """
    if not isinstance(text, str):
        raise UsageError(f"An id is a string; got {text!r} of type {type(text).__name__}.")
    text = unicodedata.normalize("NFC", text)
    if not text.strip():
        raise UsageError(f"An id needs at least one visible character; got {text!r}.")
    try:
        size = len(text.encode())
    except UnicodeEncodeError as error:
        raise UsageError(f"The id {text!r} is not valid UTF-8. Rename the file.") from error
    if size > MAX_ID_BYTES:
        raise UsageError(f"The id {text[:60]!r}… has {size} bytes; at most {MAX_ID_BYTES} are allowed.")
    if not text.isprintable():
        for character in text:
            if what := _FORBIDDEN_CATEGORIES.get(unicodedata.category(character)):
                raise UsageError(f"The id {text!r} holds {what} ({character!r}). Rename the file.")
    return text


def dataset_id(path: str | Path, root: str | Path) -> str:
    """Return a file's id: its POSIX path relative to `root`, extension kept, NFC.

    Both paths may be relative to the working directory. Links are followed only when the plain paths do not
    lie one in the other.

    Raises
    ------
    UsageError
        The file lies outside `root`, or its name is none that `check_id` accepts.

    Examples
    --------
    >>> dataset_id("videos/day 1/clip.mp4", "videos")
    'day 1/clip.mp4'
    >>> dataset_id("videos/../other/clip.mp4", "videos")
    Traceback (most recent call last):
    memfeat.errors.UsageError: videos/../other/clip.mp4 lies outside the video folder videos.
    """
    for normal in (os.path.abspath, os.path.realpath):
        try:
            relative = Path(normal(path)).relative_to(normal(root))
        except ValueError:
            continue
        if relative.parts:
            return check_id(relative.as_posix())
        raise UsageError(f"{path} is the video folder itself; a file in it is needed.")
    raise UsageError(f"{path} lies outside the video folder {root}.")


def unique_ids(paths: Iterable[str | Path], root: str | Path) -> dict[str, Path]:
    """Return id → path of a whole listing, in its order.

    Raises
    ------
    UsageError
        Two different paths give one id (names that differ only in how accents are encoded).
    """
    found: dict[str, Path] = {}
    for path in map(Path, paths):
        name = dataset_id(path, root)
        if found.setdefault(name, path) != path:
            raise UsageError(
                f"Two files have the id {name!r}: {os.fsencode(found[name])!r} and {os.fsencode(path)!r}. "
                "Rename one of them."
            )
    return found


def slug(id: str) -> str:
    """Return up to 60 characters of ``[a-z0-9_.-]`` that remind of the id; its end, where it is too long.

    >>> slug("Tag 1/Überfall & Café.MP4")
    'tag-1-uberfall-cafe.mp4'
    >>> slug("../../日本")
    'video'
    """
    text = unicodedata.normalize("NFKD", id).encode("ascii", "ignore").decode().lower()
    return _UNSAFE.sub("-", text).strip("-.")[-_SLUG_LENGTH:].lstrip("-.") or "video"


def id_hash(id: str) -> str:
    """Return the SHA-256 of the id's UTF-8 bytes, as hex."""
    return hashlib.sha256(id.encode()).hexdigest()


def file_stem(id: str) -> str:
    """Return the name of everything that belongs to an id: slug, hyphen, first ten digits of `id_hash`.

    >>> file_stem("day1/clip.mp4")
    'day1-clip.mp4-e82b9bee8f'
    """
    return f"{slug(id)}-{id_hash(id)[:10]}"


def shard(id: str) -> str:
    """Return the folder of an id's file below ``videos``: the first two digits of `id_hash`."""
    return id_hash(id)[:2]


def video_path(store: str | Path, id: str) -> Path:
    """Return where the store keeps a video's features: ``<store>/videos/<hh>/<stem>.h5``.

    >>> video_path("features/demo", "day1/clip.mp4").as_posix()
    'features/demo/videos/e8/day1-clip.mp4-e82b9bee8f.h5'
    """
    return Path(store, "videos", shard(id), f"{file_stem(id)}.h5")
