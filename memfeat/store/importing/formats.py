"""The formats that features are shipped in, and which of them a path holds."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from memfeat.errors import UsageError, nearest
from memfeat.store.importing.delimited import read_delimited
from memfeat.store.importing.dense_text import read_dense
from memfeat.store.importing.folder import PICKLES, FolderShipment, list_files, refusal
from memfeat.store.importing.h5 import read_h5
from memfeat.store.importing.npy import read_npy
from memfeat.store.importing.npy_matrix import read_npy_matrix
from memfeat.store.importing.npz import read_npz
from memfeat.store.importing.parquet import read_parquet
from memfeat.store.importing.sparse_text import Bins, read_sparse
from memfeat.store.importing.text import lines_of
from memfeat.store.importing.values import Array, FeatureFileError, Shipment

TEXT = (".txt", ".csv")
FILES: dict[str, Callable[..., Shipment]] = {
    ".csv": read_delimited,
    ".tsv": read_delimited,
    ".parquet": read_parquet,
    ".npz": read_npz,
    ".h5": read_h5,
    ".hdf5": read_h5,
}


@dataclass(frozen=True, slots=True)
class TextFormat:
    """One text file per video or frame."""

    summary: str
    width: int | None = None
    """Numbers per line, where it is always the same."""
    bins: Bins | None = None
    """Of a sparse format."""
    lines: int = 1
    words: tuple[str, ...] = field(default=())
    """What a folder of it is called."""


TEXT_FORMATS = {
    "c3d": TextFormat("101 numbers on one line", width=101),
    "aesthetics": TextFormat("109 numbers between commas", width=109),
    "hmp": TextFormat("bin:value pairs, bins 1 to 6075", bins=Bins(1, 6075), words=("hmp",)),
    "inceptionv3": TextFormat(
        "class:activation pairs, classes 0 to 999", bins=Bins(0, 999), words=("inception",)
    ),
    "color-histogram": TextFormat(
        "three lines of bin:count pairs, red, green and blue, bins 0 to 255",
        bins=Bins(0, 255),
        lines=3,
        words=("colorhist", "colourhist", "color-hist", "colour-hist"),
    ),
    "dense": TextFormat("numbers on one line, such as LBP and HOG"),
    "sparse": TextFormat("bin:value pairs on one line, with the bins given"),
}
"""Folders of text files. The first five are those of MediaEval 2018 and 2019."""

SUMMARIES = {
    **{name: f"folder of text files: {known.summary}" for name, known in TEXT_FORMATS.items()},
    "npy": "folder with one .npy per video, (D,) or (T, D); or one .npy with a row per video and its .ids.txt",
    "csv": "table with a column of ids, between commas, semicolons or tabs",
    "tsv": "the same between tabs",
    "parquet": "table with a column of ids; a column may hold a list per row",
    "npz": "archive with ids and a matrix, or one array per video",
    "h5": "HDF5 file with ids and a matrix, or one dataset per video",
}
"""Format → what it is, in words."""


def open_shipment(
    path: Path,
    *,
    format: str | None = None,
    hint: str = "",
    ids: Collection[str] = (),
    id_column: str | None = None,
    columns: Sequence[str] | None = None,
    labels: Collection[str] = (),
    width: int | None = None,
    bins: Bins | None = None,
) -> tuple[str, Shipment]:
    """Return the format of a file or folder of features, and its content.

    Parameters
    ----------
    path
        A folder with one file per video or frame, or one file with a row per video.
    format
        One of `SUMMARIES`. Default: told from the files.
    hint
        Name of the feature: tells formats apart that look alike, such as HMP and InceptionV3.
    ids
        Ids of the store; see `FolderShipment`.
    id_column, columns, labels
        Of a table; see `memfeat.store.importing.delimited.read_delimited`.
    width
        Numbers per vector.
    bins
        First and last bin of a sparse format.

    Raises
    ------
    UsageError
        There is nothing there, the format is unknown, cannot be told or does not fit, or the file as a whole cannot be
        read.
    """
    if format is not None and format not in SUMMARIES:
        raise UsageError(
            f"There is no format {format!r}.{nearest(format, SUMMARIES)} Formats: {', '.join(SUMMARIES)}."
        )
    if path.is_dir():
        if id_column is not None or columns is not None:
            raise UsageError(f"{path} is a folder: an id column and columns go with one file of all videos.")
        return _open_folder(path, format, hint, ids, width, bins)
    if not path.exists():
        raise UsageError(f"There is no file or folder {str(path)!r}.")
    suffix = path.suffix.lower()
    if suffix in PICKLES:
        raise UsageError(f"{path} is not read.{refusal([path])}")
    kind = format or {"hdf5": "h5"}.get(suffix[1:], suffix[1:])
    if kind not in SUMMARIES or kind in TEXT_FORMATS:
        raise UsageError(
            f"{path} is one file; one of {', '.join(FILES)} or .npy, or a folder with one file per video, is needed."
        )
    if bins is not None:
        raise UsageError("Bins go with a folder of sparse text files.")
    if kind == "npy":
        return kind, read_npy_matrix(path)
    return kind, FILES[f".{kind}"](path, id_column=id_column, columns=columns, labels=labels)


def _open_folder(
    path: Path, format: str | None, hint: str, ids: Collection[str], width: int | None, bins: Bins | None
) -> tuple[str, Shipment]:
    if format is None:
        format = _told(path, hint, bins)
    if format == "npy":
        if bins is not None:
            raise UsageError("Bins go with a folder of sparse text files.")
        return format, FolderShipment(path, (".npy",), read_npy, ids=ids)
    if format not in TEXT_FORMATS:
        raise UsageError(
            f"{path} is a folder; the format {format!r} is one file of all videos. Name that file."
        )
    known = TEXT_FORMATS[format]
    parse, reading = _parser(known, format, width, bins)
    return format, FolderShipment(path, TEXT, parse, ids=ids, reading=reading)


def _parser(
    known: TextFormat, name: str, width: int | None, bins: Bins | None
) -> tuple[Callable[[Path], Array], dict[str, Any]]:
    if name != "sparse" and known.bins is None:
        if bins is not None:
            raise UsageError(f"The format {name!r} has no bins.")
        return partial(read_dense, width=width or known.width), {}
    if (used := bins or known.bins) is None:
        raise UsageError(
            "Sparse files do not say how many bins there are: give them with bins (--bins FIRST-LAST)."
        )
    return partial(read_sparse, bins=used, lines=known.lines), {
        "bins": [used.first, used.last],
        "lines": known.lines,
    }


def _told(path: Path, hint: str, bins: Bins | None) -> str:
    """Return the format of a folder, from its files, its name and that of the feature."""
    arrays, others = list_files(path, (".npy",))
    texts = [file for file in others if file.suffix.lower() in TEXT]
    if arrays and texts:
        raise UsageError(
            f"{path} holds {len(arrays)} .npy and {len(texts)} text files. Give the folder of one feature, or the "
            "format (--format)."
        )
    if arrays:
        return "npy"
    if not texts:
        raise UsageError(f"{path} holds no .npy, .txt or .csv file of features.{refusal(others)}")
    if not _sparse(texts):
        return "dense"
    if bins is not None:
        return "sparse"
    for text in (hint.lower(), path.name.lower()):
        for name, known in TEXT_FORMATS.items():
            if any(word in text for word in known.words):
                return name
    sparse = [f"{name} ({known.summary})" for name, known in TEXT_FORMATS.items() if known.bins]
    raise UsageError(
        f"{path} holds bin:value pairs and does not say of what. Give the format: {'; '.join(sparse)}; or the bins "
        "(--bins FIRST-LAST)."
    )


def _sparse(files: Sequence[Path]) -> bool:
    for file in files:
        try:
            return ":" in lines_of(file)[0]
        except FeatureFileError:  # this one is reported later; another may tell
            continue
    return False
