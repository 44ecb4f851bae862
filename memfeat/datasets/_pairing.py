"""Which file belongs to which id of a release: strict spellings before tolerant ones, and never two for one."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from memfeat.dataset import Scan, nfc, scan
from memfeat.errors import LabelError, UsageError
from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES

_MEDIA = VIDEO_SUFFIXES | IMAGE_SUFFIXES | {".npy"}
_NUMBERED = re.compile(r"(?:video|vid_idx)?0*(\d+)")
_SHOWN = 4


@dataclass(frozen=True)
class Pairing:
    """Ids and files brought together."""

    files: dict[str, Path]
    """Path by id, in the order of ids."""
    missing: tuple[str, ...]
    """Ids without a file."""
    extra: tuple[str, ...]
    """Files without an id, by their path relative to the scanned folder."""


def media(root: Path, videos: str = ".", *, suffixes: Collection[str] = VIDEO_SUFFIXES) -> Scan:
    """Find the media files of a release; unlike `memfeat.dataset.scan`, none at all is no error.

    Raises
    ------
    UsageError
        The folder does not exist, or two files have one id.
    """
    folder = root / videos
    if not folder.is_dir():
        raise UsageError(f"There is no folder {str(folder)!r}. Check videos = {videos!r} under [dataset].")
    return scan(folder, suffixes=suffixes) if _any_media(folder, suffixes) else Scan({}, ())


def _any_media(folder: Path, suffixes: Collection[str]) -> bool:
    wanted = {suffix.lower() for suffix in suffixes}
    seen: set[str] = set()
    for place, below, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        below[:] = [] if real in seen else [name for name in below if not name.startswith(".")]
        seen.add(real)
        if any(Path(name).suffix.lower() in wanted and not name.startswith(".") for name in names):
            return True
    return False


def stem(name: str) -> str:
    """Return the last part of a path or URL, without the suffix of a video or image.

    >>> stem("videos/a.b.webm"), stem("a.b")
    ('a.b', 'a.b')
    """
    base = PurePosixPath(nfc(name).lstrip("\ufeff").replace("\\", "/"))
    return base.stem if base.suffix.lower() in _MEDIA else base.name


def folded(name: str) -> str:
    """Return a stem in which ``+``, blanks, ``-`` and their escapes are the same.

    >>> folded("adult+male+singing_peeks_6.mp4") == folded("adult-male%20singing_peeks_6.webm")
    True
    """
    return re.sub(r"[+\s-]", "-", unquote(stem(name)).strip())


def numbered(name: str) -> str:
    """Return the number of a name that is nothing else, without leading zeros; else nothing.

    >>> numbered("00008.mp4"), numbered("video10.webm"), numbered("8-5-9.mp4")
    ('8', '10', '')
    """
    found = _NUMBERED.fullmatch(stem(name).lower())
    return found[1] if found else ""


def pair(names: Mapping[str, Sequence[str]], files: Mapping[str, Path], *, integers: bool = False) -> Pairing:
    """Bring ids and files together.

    Parameters
    ----------
    names
        By id, the names under which its file may lie: paths, base names or stems, the likeliest first.
    files
        Path by its name relative to the scanned folder, as `media` finds them.
    integers
        Whether names that are numbers match by value: ``8``, ``00008.mp4``, ``video8.webm``.

    Raises
    ------
    LabelError
        An id fits several files equally well, or a file several ids.

    Examples
    --------
    >>> files = {"videos/a-b_1.webm": Path("x"), "videos/z.mp4": Path("y")}
    >>> pair({"a+b_1.mp4": ["a+b_1.mp4"], "c": ["c"]}, files)
    Pairing(files={'a+b_1.mp4': PosixPath('x')}, missing=('c',), extra=('videos/z.mp4',))
    """
    found: dict[str, str] = {}
    tiers: list[Callable[[str], str]] = [nfc, _base, stem, folded]
    if integers:
        tiers.append(numbered)
    for key in tiers:
        taken = set(found.values())
        index: dict[str, list[str]] = defaultdict(list)
        for file in files:
            if file not in taken and (spelling := key(file)):
                index[spelling].append(file)
        hits = {
            id: list(dict.fromkeys(file for name in aliases for file in index.get(key(name), ())))
            for id, aliases in names.items()
            if id not in found
        }
        _settle(hits, found)
    return Pairing(
        {id: files[found[id]] for id in sorted(found)},
        tuple(sorted(set(names) - set(found))),
        tuple(sorted(set(files) - set(found.values()))),
    )


def _settle(hits: Mapping[str, list[str]], found: dict[str, str]) -> None:
    id_of: dict[str, str] = {}
    for id, fitting in hits.items():
        if len(fitting) > 1:
            raise LabelError(
                f"{id!r} fits {len(fitting)} files: {_list(fitting)}. Keep one of them, or name the folder to be "
                'used with videos = "…" under [dataset].'
            )
        for file in fitting:
            if file in id_of:
                raise LabelError(
                    f"The file {file!r} fits two ids of the release: {id_of[file]!r} and {id!r}."
                )
            id_of[file] = id
            found[id] = file


def _base(name: str) -> str:
    return PurePosixPath(nfc(name).replace("\\", "/")).name


def _list(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(map(repr, names[:_SHOWN])) + more
