"""The contract of a dataset: media files by id, what was measured of them, and what was noticed on the way."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel

from memfeat.errors import UsageError
from memfeat.store.labels import Labels
from memfeat.store.naming import dataset_id, unique_ids
from memfeat.store.texts import Texts
from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES

Options = TypeVar("Options", bound=BaseModel)


@dataclass(frozen=True)
class SplitHalves:
    """Scores of the same items by two halves of the participants, for several random halvings."""

    ids: tuple[str, ...]
    a: npt.NDArray[np.float64]
    """Scores of one half, shape (halvings, items)."""
    b: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Published:
    """What the authors of a dataset, or a careful count of its release, say of one target."""

    target: str
    n: int
    """Number of rows with a score."""
    mean: float | None = None
    sd: float | None = None
    split: str | None = None
    """The rows this is about; None: all."""
    source: str = ""


@dataclass(frozen=True)
class Dataset:
    """Videos or images, and their labels where there are any.

    Attributes
    ----------
    name
        Also the default name of the store.
    files
        Path of each video by id, in the order of ids; empty where a release has scores or texts alone.
    labels
        One row per video that the release names, with a score or without, or None.
    texts
        Captions, action labels, titles, categories; None when there are none.
    halves
        Split halves of the participants, by target.
    missing
        Ids that the release's tables name and that have no file.
    extra
        Ids of files that no table names.
    ids
        In words, how ids were made.
    remarks
        What was guessed, left out or not matched; shown to the user before work begins.
    """

    name: str
    files: dict[str, Path]
    labels: Labels | None = None
    ids: str = "path relative to the video folder"
    remarks: tuple[str, ...] = field(default=())
    texts: Texts | None = None
    halves: Mapping[str, SplitHalves] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()


@dataclass(frozen=True)
class Adapter(Generic[Options]):
    """How the files of one release become a `Dataset`; each module of ``memfeat.datasets`` defines one."""

    name: str
    summary: str
    options: type[Options]
    load: Callable[[str, Path, Options, str], Dataset]
    """Called with the dataset's name, the folder of the data, the options of the recipe and its note."""
    published: tuple[Published, ...] = ()
    """Figures that a complete copy of the release has."""


@dataclass(frozen=True)
class Scan:
    """Media files found below a folder."""

    files: dict[str, Path]
    remarks: tuple[str, ...]


def scan(folder: Path, *, suffixes: Collection[str] | None = None) -> Scan:
    """Find every video and image below `folder`, by id.

    Hidden folders and the ``._`` companions that macOS leaves on foreign disks are passed over. Links are followed,
    each folder once. What cannot be read, or has a name that can be no id, is left out with a remark.

    Raises
    ------
    UsageError
        `folder` does not exist or holds no video or image, or two files have the same id (names that differ
        only in how their accents are encoded).
    """
    if not folder.is_dir():
        raise UsageError(
            f"There is no folder {str(folder)!r}. Give the folder that holds the videos or images."
        )
    wanted = {suffix.lower() for suffix in (suffixes or (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES))}
    remarks: list[str] = []
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        remarks.append(f"The folder {error.filename} could not be read and is left out: {error.strerror}.")

    for place, below, names in os.walk(folder, followlinks=True, onerror=unreadable):
        try:
            here = Path(place).stat()
        except OSError as error:  # went away, or its parent may be listed and not entered
            unreadable(error)
            below.clear()
            continue
        if (here.st_dev, here.st_ino) in seen:
            below.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            path = Path(place, name)
            if name.startswith("._") or path.suffix.lower() not in wanted:
                continue
            try:
                dataset_id(path, folder)
            except UsageError as error:
                remarks.append(f"A file is left out: {error}")
            else:
                found.append(path)
    if not found:
        detail = f" ({'; '.join(remarks)})" if remarks else ""
        raise UsageError(
            f"There is no video or image below {str(folder)!r}{detail}. Known suffixes: {', '.join(sorted(wanted))}."
        )
    return Scan(dict(sorted(unique_ids(found, folder).items())), tuple(remarks))


def nfc(text: Any) -> str:
    """Return `text` as a stripped string in Unicode's composed form, the form of all ids.

    >>> nfc(" e\\u0301 ") == "\\u00e9"
    True
    """
    return unicodedata.normalize("NFC", str(text).strip())
