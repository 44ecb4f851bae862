"""LNSIM (Lu et al., IEEE TIP 2020): 2,632 outdoor natural scenes, with the hit rates of 25 pairs of halves."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published, Scan, SplitHalves
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble
from memfeat.datasets._matlab import matrix, read_mat
from memfeat.datasets._pairing import media
from memfeat.datasets._release import one_file, read_csv
from memfeat.errors import LabelError, UsageError
from memfeat.video.header import IMAGE_SUFFIXES

TARGET = "memorability"
_AUTHORS = "Lu et al., IEEE TIP 2020"
Matrix = npt.NDArray[np.float64]


class LnsimOptions(ReleaseOptions):
    """Options of the adapter ``lnsim``."""

    scores: str = "scores.csv"
    """Table with the columns image and memorability, relative to the root, used where there is no MATLAB file."""
    halves: str = "split_half_hit_rates.npz"
    """Arrays group_a and group_b, one row per halving and one column per row of the table."""
    order: Literal["name", "number"] | None = None
    """The order of the images that columns of the MATLAB files stand for. Needed only where names and the numbers in
    them give different orders."""


def load_lnsim(name: str, root: Path, options: LnsimOptions, note: str = "") -> Dataset:
    """Read LNSIM from a folder: the release's MATLAB files, or a table with a file of split halves.

    The release has ``hrs.mat``, ``subject_hrs1.mat`` and ``subject_hrs2.mat``: hit rates by column, in the order of
    the images. Ids are then the names of the images, or numbers where no image is there. Without hrs.mat scores
    are the mean of the halves. In the other form, ids are the names in the table.

    Raises
    ------
    UsageError
        None of the files is there, or the order of the images is not certain.
    LabelError
        A file is damaged, or they do not fit each other or the images.
    """
    found = media(root, options.videos, suffixes=IMAGE_SUFFIXES)
    whole = one_file(root, "hrs.mat", what="the hit rates")
    one = one_file(root, "subject_hrs1.mat", what="the hit rates of one half of the participants")
    other = one_file(root, "subject_hrs2.mat", what="the hit rates of the other half")
    if whole or (one and other):
        release, halves = _matlab(whole, (one, other), found, options.order)
    elif (root / options.scores).is_file():
        release, halves = _table(root / options.scores, root / options.halves)
    else:
        raise UsageError(
            f"There is no hrs.mat, no pair subject_hrs1.mat and subject_hrs2.mat, and no {options.scores} in "
            f"{str(root)!r}. Give the folder of the release with --root."
        )
    dataset = assemble(name, release, found, options, note=note)
    return dataset if halves is None else replace(dataset, halves={TARGET: halves})


def _matlab(
    whole: Path | None, pair: tuple[Path | None, Path | None], found: Scan, order: str | None
) -> tuple[Release, SplitHalves | None]:
    one, other = pair
    remarks = []
    scores = None
    sides: list[Matrix] = []
    if whole is not None:
        values = read_mat(whole, "hrs")
        scores = matrix(
            whole, values.reshape(1, -1) if 1 in values.shape else values, low=0, high=1, shape=(1, None)
        )[0]
    if one is not None and other is not None:
        n = None if scores is None else scores.size
        sides.append(matrix(one, read_mat(one, "subject_hrs1"), low=0, high=1, shape=(None, n)))
        sides.append(matrix(other, read_mat(other, "subject_hrs2"), low=0, high=1, shape=sides[0].shape))
    if scores is None:
        scores = (sides[0] + sides[1]).mean(axis=0) / 2
        remarks.append("There is no hrs.mat: scores are the mean of the halves of the participants.")
    ids = _images(found, scores.size, order, remarks)
    files = [file for file in (whole, one, other) if file is not None]
    release = Release(
        table=pd.DataFrame({TARGET: scores}, index=pd.Index(ids, dtype=object)),
        targets=[TARGET],
        aliases={id: [id] for id in ids},
        texts={},
        files=files,
        ids="the images in order" if found.files else "the number of the column in the MATLAB files",
        remarks=tuple(remarks),
    )
    return release, SplitHalves(tuple(ids), sides[0], sides[1]) if sides else None


def _images(found: Scan, n: int, order: str | None, remarks: list[str]) -> list[str]:
    """Return the id of each column: MATLAB files know images by their order alone."""
    if not found.files:
        return [f"{number:04}" for number in range(1, n + 1)]
    by_name = sorted(found.files)
    if len(by_name) != n:
        raise LabelError(
            f"There are {len(by_name)} images for {n} hit rates. The hit rates stand in the order of the images, so "
            'all of them are needed, and no others: name their folder with videos = "…" under [dataset].'
        )
    by_number = sorted(found.files, key=_numbers)
    if by_name != by_number and order is None:
        differ = next(k for k in range(n) if by_name[k] != by_number[k])
        raise UsageError(
            f"Hit rate {differ + 1} belongs to {by_name[differ]!r} in order of names, and to {by_number[differ]!r} "
            'in order of numbers. Write order = "name" or order = "number" under [dataset].'
        )
    remarks.append(f"Hit rates are matched to images by order: 1 is {by_name[0]}, {n} is {by_name[-1]}.")
    return by_name if order == "name" else by_number


def _numbers(name: str) -> list[tuple[int, str]]:
    return [(int(piece), "") if piece.isdigit() else (-1, piece) for piece in re.split(r"(\d+)", name)]


def _table(scores: Path, halves: Path) -> tuple[Release, SplitHalves | None]:
    table = read_csv(scores)
    ids = table.names(table.column("image", "filename", "file", "name", "id")).tolist()
    values = table.numbers(table.column(TARGET, "hit_rate", "score"), low=0, high=1, withheld=True)
    remarks = []
    found = None
    files = [scores]
    if halves.is_file():
        found = SplitHalves(tuple(ids), *_arrays(halves, len(ids)))
        files.append(halves)
    else:
        remarks.append(f"There is no {halves.name}: how well participants agree cannot be computed.")
    release = Release(
        table=pd.DataFrame({TARGET: values.to_numpy()}, index=pd.Index(ids, dtype=object)),
        targets=[TARGET],
        aliases={id: [id] for id in ids},
        texts={},
        files=files,
        ids=f"the names in {scores.name}",
        remarks=tuple(remarks),
    )
    return release, found


def _arrays(file: Path, n: int) -> tuple[Matrix, Matrix]:
    try:
        with np.load(file, allow_pickle=False) as arrays:
            found = {key: arrays[key] for key in ("group_a", "group_b")}
    except Exception as error:  # a damaged archive fails in zipfile, zlib or numpy
        raise LabelError(
            f"{file} cannot be read as the arrays group_a and group_b ({type(error).__name__}: {error}). Get it again."
        ) from error
    a = matrix(file, found["group_a"], low=0, high=1, shape=(None, n))
    return a, matrix(file, found["group_b"], low=0, high=1, shape=a.shape)


ADAPTER = Adapter(
    name="lnsim",
    summary="LNSIM: 2,632 outdoor scenes with hit rates, also of 25 pairs of halves of the participants.",
    options=LnsimOptions,
    load=load_lnsim,
    published=(Published(TARGET, 2632, source=_AUTHORS),),
)
