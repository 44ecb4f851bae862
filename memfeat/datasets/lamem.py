"""LaMem (Khosla et al., ICCV 2015): 58,741 photographs of many sources in five official folds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble
from memfeat.datasets._pairing import media
from memfeat.datasets._release import Table, find_files
from memfeat.errors import LabelError, UsageError
from memfeat.store.labels import SPLIT
from memfeat.video.header import IMAGE_SUFFIXES

TARGET = "memorability"
_ROLES = ("train", "val", "test")
_NAME = re.compile(r"(train|val|test)_(\d+)\.(?:txt|csv)", re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|nan|inf", re.IGNORECASE)
_NAME_COLUMNS = (
    "image",
    "image_name",
    "image_path",
    "image_file",
    "filename",
    "file_name",
    "file",
    "name",
    "path",
)
_SCORE_COLUMNS = ("memorability", "memorability_score", "mem_score", "memory_score", "score")
_AUTHORS = "Khosla et al., ICCV 2015"


class LamemOptions(ReleaseOptions):
    """Options of the adapter ``lamem``."""

    further: tuple[str, ...] = ()
    """Names of the columns after name and score in split files without a heading, such as
    ["false_alarm_rate"]; each becomes a target. The release does not say what they are, so they are left out
    when not named."""


@dataclass(frozen=True)
class _Line:
    file: Path
    line: int
    name: str
    score: float
    further: tuple[float, ...]


def load_lamem(name: str, root: Path, options: LamemOptions, note: str = "") -> Dataset:
    """Read LaMem from a folder as downloaded: ``splits/{train,val,test}_{1..5}.txt``, and ``images``.

    Ids are the names of the images. Each official fold is a split of its own, ``split:fold1`` to ``split:fold5``.
    ``full.txt``, where it is there, may name images that are in no fold. Split files are separated by blanks,
    tabs or commas, with or without a heading.

    Raises
    ------
    UsageError
        There are no split files below the folder.
    LabelError
        One is damaged, an image has two scores or is on two sides of a fold, or images do not fit.
    """
    found = find_files(
        root, "train_*.txt", "val_*.txt", "test_*.txt", "train_*.csv", "val_*.csv", "test_*.csv"
    )
    folds = _folds([file for file in found if _NAME.fullmatch(file.name)])
    whole = find_files(root, "full.txt", "full.csv")
    if not folds and not whole:
        raise UsageError(
            f"There is no train_1.txt, val_1.txt, test_1.txt, … below {str(root)!r}. They are in the folder splits of "
            "LaMem; give the folder with --root."
        )
    remarks: list[str] = []
    read = {file: _read(file, options.further, remarks) for file in [*_listed(folds), *whole]}
    first: dict[str, _Line] = {}
    for line in (line for lines in read.values() for line in lines):
        _agree(first.setdefault(line.name, line), line)
    ids = sorted(first)
    columns: dict[str, Any] = {TARGET: [first[id].score for id in ids]}
    for position, column in enumerate(options.further):
        columns[column] = [first[id].further[position] for id in ids]
    for fold in sorted(folds):
        columns[f"{SPLIT}fold{fold}"] = _column(fold, {role: read[f] for role, f in folds[fold].items()}, ids)
        if lacking := [f"{role}_{fold}" for role in _ROLES if role not in folds[fold]]:
            remarks.append(f"Fold {fold} has no {' and no '.join(lacking)}: get the release again.")
    release = Release(
        table=pd.DataFrame(columns, index=pd.Index(ids, dtype=object)),
        targets=[TARGET, *options.further],
        aliases={id: [id, f"images/{id}"] for id in ids},
        texts={},
        files=list(read),
        ids="the names of the images in the split files",
        remarks=tuple(dict.fromkeys(remarks)),
    )
    return assemble(name, release, media(root, options.videos, suffixes=IMAGE_SUFFIXES), options, note=note)


def _folds(files: Sequence[Path]) -> dict[int, dict[str, Path]]:
    folds: dict[int, dict[str, Path]] = {}
    for file in files:
        matched = _NAME.fullmatch(file.name)
        assert matched is not None
        parts = folds.setdefault(int(matched[2]), {})
        role = matched[1].lower()
        if role in parts:
            raise LabelError(
                f"{parts[role]} and {file} are different files for one part of fold {matched[2]}."
            )
        parts[role] = file
    return folds


def _listed(folds: dict[int, dict[str, Path]]) -> list[Path]:
    return [folds[fold][role] for fold in sorted(folds) for role in _ROLES if role in folds[fold]]


def _read(file: Path, further: Sequence[str], remarks: list[str]) -> list[_Line]:
    """Return the lines of a split file: name, score, and the columns that were given a name."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise LabelError(f"{file} is no UTF-8 text ({error.reason} at byte {error.start}).") from error
    except OSError as error:
        raise LabelError(f"{file} cannot be read: {error.strerror}.") from error
    rows = {number: _cells(line) for number, line in enumerate(text.splitlines(), 1) if line.strip()}
    if not rows:
        raise LabelError(f"{file} is empty. Get it again.")
    top = next(iter(rows))
    heading = [cell.lower() for cell in rows[top]]
    at = [0, 1, *range(2, 2 + len(further))]
    if len(heading) > 1 and not any(_is_data(cell) for cell in heading):
        del rows[top]
        at = [_position(file, heading, _NAME_COLUMNS, 0), _position(file, heading, _SCORE_COLUMNS, 1)]
        at += [_position(file, heading, (column.lower(),), None) for column in further]
    elif len(heading) > len(at):
        remarks.append(
            f"Split files have {len(heading)} columns; those after {', '.join(['name', 'score', *further])} are "
            'not read. Name them with further = ["…"] under [dataset] if you know what they are.'
        )
    for number, cells in rows.items():
        if len(cells) <= max(at):
            raise LabelError(
                f"{file}, line {number}: {len(cells)} columns where {max(at) + 1} are needed (name and score"
                f"{''.join(f', {column}' for column in further)}). The file may be cut off; get it again."
            )
    keys = ["image", TARGET, *further]
    kept = [[row[k] for k in at] for row in rows.values()]
    table = Table(file, pd.DataFrame(kept, index=list(rows), columns=keys, dtype=object))
    names = table.keys("image", _image, "the name of an image is needed")
    scores = table.numbers(TARGET, low=0, high=1).to_numpy()
    others = np.array([table.numbers(column) for column in further]).reshape(len(further), len(rows)).T
    return [
        _Line(file, int(line), name, float(score), tuple(float(value) for value in other))
        for line, name, score, other in zip(names.index, names, scores, others, strict=True)
    ]


def _cells(line: str) -> list[str]:
    line = line.strip()
    separator = next((mark for mark in ",;\t" if mark in line), None)
    cells = [cell.strip().strip('"') for cell in (line.split(separator) if separator else line.split())]
    while len(cells) > 1 and not cells[-1]:
        cells.pop()
    return cells


def _is_data(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell)) or cell.endswith(tuple(IMAGE_SUFFIXES))


def _position(file: Path, heading: list[str], names: Sequence[str], usual: int | None) -> int:
    found = next((heading.index(name) for name in names if name in heading), usual)
    if found is None:
        raise LabelError(f"{file} has no column {names[0]!r}; its columns are {', '.join(heading)}.")
    return found


def _image(name: str) -> str:
    """Return the name of an image without its folder."""
    return name.replace("\\", "/").rpartition("/")[2]


def _agree(one: _Line, other: _Line) -> None:
    if (one.score, one.further) != (other.score, other.further):
        values = [
            f"{line.score:g}" if one.score != other.score else f"{line.further}" for line in (one, other)
        ]
        raise LabelError(
            f"{other.file}, line {other.line}, column {TARGET!r}: {other.name!r} has {values[1]}, and {values[0]} in "
            f"{one.file}, line {one.line}. Files of one release agree; get them again."
        )


def _column(fold: int, parts: dict[str, list[_Line]], ids: Sequence[str]) -> list[str | None]:
    where: dict[str, tuple[str, _Line]] = {}
    for role, lines in parts.items():
        for line in lines:
            if line.name in where:
                other, there = where[line.name]
                raise LabelError(
                    f"{line.file}, line {line.line}: {line.name!r} is in {role} and in {other} of fold {fold} "
                    f"({there.file}, line {there.line}). A model would be judged on what it has seen."
                )
            where[line.name] = role, line
    return [where[id][0] if id in where else None for id in ids]


ADAPTER = Adapter(
    name="lamem",
    summary="LaMem: 58,741 photographs with memorability, in five official folds.",
    options=LamemOptions,
    load=load_lamem,
    published=(Published(TARGET, 58_741, source=_AUTHORS),),
)
