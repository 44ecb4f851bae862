"""The SUN memorability set (Isola et al., CVPR 2011): 2,222 photographs, 25 random splits, MATLAB files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published, SplitHalves
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble
from memfeat.datasets._matlab import matrix, read_mat, struct_table
from memfeat.datasets._pairing import media, stem
from memfeat.datasets._rates import rates
from memfeat.datasets._release import Table, one_file
from memfeat.errors import LabelError, SetupError, UsageError
from memfeat.store.labels import SPLIT
from memfeat.video.header import IMAGE_SUFFIXES

_FILE = "sorted_target_data.mat"
_SCENES = 2222  # the targets after these are textures, which the authors leave out
_AUTHORS = "Isola et al., CVPR 2011, and the code of the release"


class IsolaOptions(ReleaseOptions):
    """Options of the adapter ``isola``."""

    unpack: str | None = None
    """Folder, relative to the root, into which the photographs of target_images.mat are written as PNG files
    when they are not there yet. The release has them in that file alone."""


def load_isola(name: str, root: Path, options: IsolaOptions, note: str = "") -> Dataset:
    """Read the SUN memorability set from a folder as downloaded.

    Ids are the file names of the targets. ``hit_rate`` is hits / (hits + misses), ``false_alarm_rate`` likewise.
    The 25 random splits, where they are there, are the splits ``split1`` to ``split25``, and the hit rates of two
    halves of the participants are split halves.

    Raises
    ------
    UsageError
        There is no sorted_target_data.mat below the folder.
    LabelError
        A file is damaged, or they do not fit each other or the images.
    SetupError
        The photographs cannot be unpacked.
    """
    file = one_file(root, _FILE, what="the scores of the SUN memorability set")
    if file is None:
        raise UsageError(
            f"There is no {_FILE} below {str(root)!r}. It is in 'Data/Experiment data' of the release; give the folder "
            "that holds Data with --root."
        )
    table = struct_table(file, read_mat(file, "sorted_target_data"))
    remarks = []
    if len(table.cells) > _SCENES:
        remarks.append(
            f"{len(table.cells) - _SCENES} targets after the first {_SCENES:,} are textures and left out."
        )
        table = Table(file, table.cells.iloc[:_SCENES], table.unit)
    ids = table.keys(table.column("filepath", "filename", "impath"), _base, "a file name is needed").tolist()
    release = _release(root, table, ids, tuple(remarks))
    release = replace(release, remarks=(*release.remarks, *_unpack(root, ids, options.unpack)))
    dataset = assemble(
        name, release, media(root, options.videos, suffixes=IMAGE_SUFFIXES), options, note=note
    )
    return replace(dataset, halves=_halves(root, ids))


def _release(root: Path, table: Table, ids: list[str], remarks: tuple[str, ...]) -> Release:
    columns: dict[str, Any] = {name: values.to_numpy() for name, values in rates(table).items()}
    targets = [name for name in columns if not name.startswith("n:")]
    files = [table.file]
    train = one_file(root, "image_train_indices.mat", what="the training halves of the random splits")
    test = one_file(root, "image_test_indices.mat", what="the test halves of the random splits")
    if train and test:
        columns |= _splits(train, test, len(ids))
        files += [train, test]
    elif train or test:
        remarks = (*remarks, f"The random splits are left out: only {(train or test or root).name} is there.")
    urls = one_file(root, "SUN_urls.mat", what="the categories")
    texts = {} if urls is None else {"categories": _categories(urls, ids)}
    return Release(
        table=pd.DataFrame(columns, index=pd.Index(ids, dtype=object)),
        targets=targets,
        aliases={id: [id] for id in ids},
        texts=texts,
        files=files,
        ids=f"the file names in {table.file.name}",
        remarks=remarks,
        text_sources={} if urls is None else {"categories": urls.name},
    )


def _base(path: str) -> str:
    return path.replace("\\", "/").rpartition("/")[2]


def _splits(train: Path, test: Path, n: int) -> dict[str, npt.NDArray[Any]]:
    sides = {
        side: matrix(file, read_mat(file, file.stem), low=1, high=n)
        for side, file in (("train", train), ("test", test))
    }
    if len(sides["train"]) != len(sides["test"]):
        raise LabelError(f"{train} has {len(sides['train'])} splits, {test} {len(sides['test'])}.")
    columns: dict[str, npt.NDArray[Any]] = {}
    for number in range(len(sides["train"])):
        column = np.full(n, None, dtype=object)
        for side, rows in sides.items():
            at = rows[number].astype(np.intp) - 1  # MATLAB counts from 1
            if taken := [int(k) + 1 for k in at if column[k] is not None]:
                raise LabelError(
                    f"{test if side == 'test' else train}, row {number + 1}: target {taken[0]} stands twice, or in "
                    "both halves of a split."
                )
            column[at] = side
        columns[f"{SPLIT}split{number + 1}"] = column
    return columns


def _categories(file: Path, ids: list[str]) -> dict[str, tuple[str, ...]]:
    table = struct_table(file, read_mat(file, "SUN"))
    named = table.texts(table.column("category"))
    of: dict[str, str] = {}
    for category, images in zip(named, table.cells[table.column("images")], strict=True):
        if category:
            of |= {stem(image): category[0] for image in _strings(images)}
    return {id: (found,) for id in ids if (found := of.get(stem(id).removesuffix("_crop")))}


def _strings(cell: Any) -> Iterator[str]:
    """Yield the texts of a cell array, which nests them in arrays of one."""
    if isinstance(cell, str):
        yield cell
    elif isinstance(cell, np.ndarray):
        for inner in cell.ravel():
            yield from _strings(inner)


def _halves(root: Path, ids: list[str]) -> dict[str, SplitHalves]:
    files = [one_file(root, f"subject_hrs{k}.mat", what=f"half {k} of the participants") for k in (1, 2)]
    if files[0] is None or files[1] is None:
        return {}
    sides = []
    for file in (files[0], files[1]):
        values = read_mat(file, file.stem)
        if values.ndim != 2 or values.shape[1] != len(ids) or values.dtype.kind != "f":
            raise LabelError(
                f"{file} holds {values.dtype} of shape {values.shape}; {len(ids)} columns were expected."
            )
        sides.append(values.astype(np.float64))
    # A half of the participants may have nobody who saw a photograph again.
    seen = np.atleast_1d(np.isfinite(np.concatenate(sides)).all(axis=0))
    if sides[0].shape != sides[1].shape or not seen.any():
        raise LabelError(f"{files[0]} and {files[1]} hold no hit rates of the same photographs and splits.")
    kept = tuple(id for id, there in zip(ids, seen, strict=True) if there)
    return {"hit_rate": SplitHalves(kept, sides[0][:, seen], sides[1][:, seen])}


def _unpack(root: Path, ids: list[str], folder: str | None) -> list[str]:
    """Write the photographs where that is asked for, and say what was done or could be."""
    file = one_file(root, "target_images.mat", what="the photographs")
    if file is None:
        return []
    if folder is None:
        return [
            "The photographs are inside target_images.mat. To measure features of them, name a folder for them with "
            'unpack = "…" under [dataset].'
        ]
    from PIL import Image

    wanted = {id: root / folder / f"{stem(id)}.png" for id in ids}
    if len(set(wanted.values())) < len(wanted):
        raise LabelError(
            f"{file}: several targets have one name without its suffix, and cannot be written apart."
        )
    if all(path.is_file() for path in wanted.values()):
        return []
    images = read_mat(file, "img")
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[2] != 3 or images.shape[3] < len(ids):
        raise LabelError(
            f"{file} holds {images.dtype} of shape {images.shape}; height × width × 3 × {len(ids)} bytes were expected."
        )
    try:
        (root / folder).mkdir(parents=True, exist_ok=True)
        for number, path in enumerate(wanted.values()):
            part = path.with_name(f".{path.name}.part")
            Image.fromarray(np.ascontiguousarray(images[..., number])).save(part, format="PNG")
            part.replace(path)
    except OSError as error:
        raise SetupError(f"The photographs cannot be written to {root / folder}: {error}.") from error
    return [f"{len(wanted)} photographs of target_images.mat were written to {root / folder}."]


ADAPTER = Adapter(
    name="isola",
    summary="SUN memorability (Isola 2011): 2,222 photographs with hit and false-alarm rates, 25 random splits.",
    options=IsolaOptions,
    load=load_isola,
    published=(Published("hit_rate", _SCENES, source=_AUTHORS),),
)
