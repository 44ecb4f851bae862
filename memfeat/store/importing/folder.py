"""A folder with one file per video, or one per frame of a video (``video3-56.txt``)."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from memfeat.errors import SetupError, UsageError
from memfeat.store.importing.pairing import resemblance
from memfeat.store.importing.values import Array, FeatureFileError, Frames, Shipment, Values

PICKLES = (".p", ".pkl", ".pickle", ".pt", ".pth", ".joblib")
_FRAME = re.compile(r"(.+)-(\d{1,9})")
_SHOWN = 3


class FolderShipment(Shipment):
    """Files below a folder, by the name of their video.

    Parameters
    ----------
    folder
        The folder; those below it are part of the names, which are joined by ``/``.
    suffixes
        Endings of the files that hold features; they are no part of the names.
    parse
        Reads one file: (D,) or (T, D).
    ids
        Ids of the store, which tell whether ``clip-1.txt`` is the clip ``clip-1`` or frame 1 of ``clip``.
    reading
        As in `Shipment`.

    Raises
    ------
    UsageError
        The folder holds no such file, only pickles, or two files of one name.
    """

    def __init__(
        self,
        folder: Path,
        suffixes: Collection[str],
        parse: Callable[[Path], Array],
        *,
        ids: Collection[str] = (),
        reading: dict[str, Any] | None = None,
    ) -> None:
        chosen, others = list_files(folder, suffixes)
        if not chosen:
            raise UsageError(
                f"{folder} holds no file of features ({', '.join(sorted(suffixes))}).{refusal(others)}"
            )
        stems = {path: path.relative_to(folder).as_posix().removesuffix(path.suffix) for path in chosen}
        self.per_frame = _per_frame(list(stems.values()), ids)
        self._parse = parse
        self._parts: dict[str, dict[int | None, Path]] = {}
        for path, stem in stems.items():
            name, frame = _split(stem) if self.per_frame else (stem, None)
            parts = self._parts.setdefault(name, {})
            if frame in parts:
                raise UsageError(
                    f"{parts[frame]} and {path} are both the features of {stem!r}. Keep one of them."
                )
            parts[frame] = path
        remarks = [f"{len(others)} other files are passed over, such as {others[0].name}."] if others else []
        super().__init__(sorted(self._parts), remarks=remarks, reading=reading)

    def files(self, name: str) -> tuple[Path, ...]:
        """Return the files of one video, in order of their frames."""
        parts = self._parts[name]
        return tuple(
            parts[frame] for frame in sorted(parts, key=lambda frame: -1 if frame is None else frame)
        )

    def read(self, name: str) -> Values:
        """Return the vector of a video, or the vectors of its frames in order of their indices."""
        parts, files = self._parts[name], self.files(name)
        if not self.per_frame:
            return Values(self._parse(files[0]))
        if None in parts:
            raise FeatureFileError(
                f"{parts[None]} has no frame index in its name, as other files there have."
            )
        vectors = [np.asarray(self._parse(path)) for path in files]
        for path, vector in zip(files, vectors, strict=True):
            if vector.ndim != 1 or len(vector) != len(vectors[0]):
                raise FeatureFileError(
                    f"{path} has the shape {vector.shape} and {files[0].name} {vectors[0].shape}; the frames of one "
                    "video need vectors of one length."
                )
        frames: Frames = tuple(sorted(frame for frame in parts if frame is not None))
        return Values(np.stack(vectors), frames)


def list_files(folder: Path, suffixes: Collection[str]) -> tuple[list[Path], list[Path]]:
    """Return the files below a folder with one of the suffixes and the others, hidden ones left out."""
    found: list[Path] = []

    def stop(error: OSError) -> None:
        raise SetupError(f"{error.filename} cannot be listed: {error.strerror}. Check its permissions.")

    for place, below, names in os.walk(folder, onerror=stop):
        below[:] = sorted(name for name in below if not name.startswith("."))
        found += [Path(place, name) for name in sorted(names) if not name.startswith(".")]
    chosen = [path for path in found if path.suffix.lower() in suffixes]
    return chosen, [path for path in found if path.suffix.lower() not in suffixes]


def refusal(paths: Iterable[Path]) -> str:
    """Return why files cannot be read, where they are pickles; else what there is, or nothing."""
    paths = list(paths)
    if pickles := [path for path in paths if path.suffix.lower() in PICKLES]:
        return (
            f" {pickles[0].name} is a pickle: opening one can run any program that its author put there, so memfeat "
            "reads none. Where you trust it, save its numbers as .npy or .csv first. (ORB keypoints differ in number "
            "from image to image and make no feature vector as they are.)"
        )
    endings = Counter(path.suffix.lower() or "none" for path in paths).most_common(_SHOWN)
    return f" It holds {', '.join(f'{count} × {ending}' for ending, count in endings)}." if endings else ""


def _split(stem: str) -> tuple[str, int | None]:
    match = _FRAME.fullmatch(stem)
    return (match[1], int(match[2])) if match else (stem, None)


def _per_frame(stems: Sequence[str], ids: Collection[str]) -> bool:
    """Return whether names end in a frame's index: whichever reading fits more ids; without ids, by the names."""
    bases = [_split(stem)[0] for stem in stems]
    if ids:
        return resemblance(bases, ids) > resemblance(stems, ids)
    split = [base for base, stem in zip(bases, stems, strict=True) if base != stem]
    return len(split) == len(stems) and len(set(split)) < len(split)
