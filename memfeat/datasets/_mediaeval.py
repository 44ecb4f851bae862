"""The CSV files in which the MediaEval tasks of 2020 to 2022 shipped scores, URLs and descriptions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.dataset import nfc
from memfeat.datasets._assemble import Release
from memfeat.datasets._release import Table, find_files, read_csv
from memfeat.errors import LabelError

_SCORES = re.compile(r"(?:(?:train|dev|val|test)[a-z]*[-_])?scores(?:_v\d+)?\.csv")
_SPLITS = (("train", ("train",)), ("dev", ("dev", "val")), ("test", ("test",)))


@dataclass(frozen=True)
class Target:
    """A column with scores and how to read it."""

    column: str
    annotations: str | None = None
    """Column with the number of annotations behind it."""
    bounded: bool = True
    """Whether it lies in [0, 1]."""


@dataclass
class _Row:
    split: str | None
    file: Path
    url: str | None = None


def read_release(
    root: Path,
    editions: Mapping[str, Sequence[Target]],
    *,
    aliases: Callable[[str], Sequence[str]],
    what: str,
) -> Release | None:
    """Read scores, URLs and descriptions below a folder; None when none of them is there.

    Parameters
    ----------
    root
        Folder of the release, with one folder per split or without.
    editions
        The targets of each edition of the task; which one it is, the columns of the scores say.
    aliases
        From a URL to the names under which the video may lie.
    what
        What the release is called in messages.

    Raises
    ------
    LabelError
        A table cannot be read or has other columns, a score is none, or an id stands in two splits.
    """
    scores = [file for file in find_files(root, "*scores*.csv") if _SCORES.fullmatch(file.name.lower())]
    urls = find_files(root, "*urls.csv")
    descriptions = find_files(root, "*text_descriptions*.csv")
    if not (scores or urls or descriptions):
        return None
    rows: dict[str, _Row] = {}
    remarks: list[str] = []
    tables = [read_csv(file, required=["video_id"]) for file in scores]
    edition, targets = _edition(tables, editions, what)
    frames = []
    for table in tables:
        split = split_of(table.file, root) or "train"
        ids = table.integers("video_id")
        _add(rows, table, ids, split, remarks)
        frames.append(_scores(table, ids, split, targets))
    captions: dict[str, list[str]] = {}
    for file in [*urls, *descriptions]:
        table = read_csv(file, required=["video_id"])
        described = file in descriptions
        ids = table.integers("video_id", unique=not described)
        _add(rows, table, ids, split_of(file, root), remarks)
        if described:
            _describe(table, ids, captions)
    names = sorted(rows)
    data = pd.concat(frames) if frames else pd.DataFrame(index=pd.Index([], dtype=object))
    columns = [target.column for target in targets]
    columns += [f"n:{target.column}" for target in targets if target.annotations is not None]
    data = data.reindex(index=names, columns=[c for c in columns if c in data or not c.startswith("n:")])
    data["split"] = pd.Series([rows[id].split for id in names], index=names, dtype=object)
    if not scores:
        remarks.append(f"No table of scores ({what}: train_scores.csv, dev_scores.csv) is below {root}.")
    return Release(
        table=data,
        targets=[target.column for target in targets],
        aliases={id: [id, *(aliases(url) if (url := rows[id].url) else ())] for id in names},
        texts={"captions": captions},
        files=[*scores, *urls, *descriptions],
        ids="the release's video_id, without leading zeros",
        remarks=(f"The columns are those of the {edition} edition.", *remarks) if scores else tuple(remarks),
        integers=True,
        text_sources={"captions": ", ".join(sorted({file.name for file in descriptions}))},
        urls={id: url for id in names if (url := rows[id].url)},
    )


def split_of(file: Path, root: Path) -> str | None:
    """Return the split that a file's name or else its folders name: train, dev, test or None.

    >>> split_of(Path("r/developemnt_set/scores.csv"), Path("r")), split_of(Path("r/train_urls.csv"), Path("r"))
    ('dev', 'train')
    """
    for part in reversed(file.relative_to(root).parts):
        words = re.split(r"[^a-z]+", part.lower())
        for split, beginnings in _SPLITS:
            if any(word.startswith(beginnings) for word in words):
                return split
    return None


def _edition(
    tables: Sequence[Table], editions: Mapping[str, Sequence[Target]], what: str
) -> tuple[str, Sequence[Target]]:
    """Return the edition whose columns the tables have; one that nearly fits is complained about by its column."""
    if not tables:
        return next(iter(editions.items()))
    hits = {
        name: sum(table.optional(target.column) is not None for table in tables for target in targets)
        for name, targets in editions.items()
    }
    best = max(hits, key=hits.__getitem__)
    if not hits[best]:
        expected = "; ".join(
            f"{name}: {', '.join(target.column for target in targets)}" for name, targets in editions.items()
        )
        raise LabelError(
            f"{tables[0].file} has none of the score columns of {what} ({expected}). "
            f"Its columns: {', '.join(tables[0].columns)}."
        )
    for table in tables:
        for target in editions[best]:
            table.column(target.column)
    return best, editions[best]


def _scores(table: Table, ids: pd.Series[Any], split: str, targets: Sequence[Target]) -> pd.DataFrame:
    test = split == "test"
    columns: dict[str, Any] = {}
    for target in targets:
        column = table.column(target.column)
        bounds = (0.0, 1.0) if target.bounded else (None, None)
        columns[target.column] = table.numbers(
            column, low=bounds[0], high=bounds[1], withheld=test
        ).to_numpy()
        counted = table.optional(target.annotations) if target.annotations else None
        if counted:
            columns[f"n:{target.column}"] = table.numbers(counted, low=0, withheld=test).to_numpy()
    return pd.DataFrame(columns, index=pd.Index(ids.to_list(), dtype=object), dtype=np.float64)


def _add(
    rows: dict[str, _Row], table: Table, ids: pd.Series[Any], split: str | None, remarks: list[str]
) -> None:
    """Note the ids of a table with their split and URL."""
    column = table.optional("video_url", "url")
    blanks = 0
    for line, id in ids.items():
        row = rows.setdefault(id, _Row(split, table.file))
        row.split = row.split or split
        if split and row.split != split:
            raise table.error(
                line,
                "video_id",
                f"{id} is of split {split} here and of {row.split} in {row.file}. Keep one of them.",
            )
        if column is None:
            continue
        cell = str(table.cells.at[line, column])
        url = nfc(cell)
        blanks += cell != cell.strip()
        if row.url and url and url != row.url:
            raise table.error(line, column, f"{url!r} is another URL of {id} than {row.url!r} in {row.file}.")
        row.url = row.url or url or None
    if blanks:
        remarks.append(
            f"{blanks} URLs of {table.file.name} begin or end with a blank; it is not part of them."
        )


def _describe(table: Table, ids: pd.Series[Any], captions: dict[str, list[str]]) -> None:
    """Add descriptions: one column of several rows per id, or several columns of one row."""
    columns = [column for column in table.columns if re.fullmatch(r"description(_\d+)?", column.lower())]
    if not columns:
        table.column("description")
    texts = table.texts(*columns)
    for id, described in zip(ids, texts, strict=True):
        captions.setdefault(id, []).extend(described)
