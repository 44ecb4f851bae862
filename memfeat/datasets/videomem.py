"""VideoMem (Cohendet et al., ICCV 2019), the data of MediaEval 2018 and 2019: 10,000 mute videos of seven seconds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble, listed
from memfeat.datasets._pairing import media, numbered
from memfeat.datasets._release import Table, find_files, one_file, read_csv
from memfeat.datasets._splitfile import read_splits
from memfeat.errors import LabelError, UsageError

_TARGETS = {
    "short-term_memorability": "nb_short-term_annotations",
    "long-term_memorability": "nb_long-term_annotations",
}
_TRUTH = ("*ground-truth*.csv", "*ground_truth*.csv", "*groundtruth*.csv")
_CAPTIONS = ("*captions*.txt", "*captions*.csv")
_TEST_LIST = ("test-set_list*", "test_set_list*", "testset_list*")
_HEADINGS = ("video", "videos", "video_id", "name", "filename")
_SPLIT = "train_test_split_videomem.pkl"
_COUNT = "count of the 8,000 rows of ground-truth_dev-set.csv"


class VideoMemOptions(ReleaseOptions):
    """Options of the adapter ``videomem``."""

    split: str | None = None
    """File that divides the development set, relative to the root: a table with the columns video and split, or
    the pickled pair of lists that M3-S uses, which is found by its name when not given."""


def video_id(name: str) -> str:
    """Return a video's id as the ground truth writes it, whatever a list, caption file or feature file made of it.

    Examples
    --------
    >>> video_id("video10.webm"), video_id("video10.txt"), video_id("10"), video_id("video010.mp4")
    ('video10.webm', 'video10.webm', 'video10.webm', 'video10.webm')
    >>> video_id("clip10.webm")
    ''
    """
    number = numbered(name.strip().removesuffix(".txt"))
    return f"video{number}.webm" if number else ""


def load_videomem(name: str, root: Path, options: VideoMemOptions, note: str = "") -> Dataset:
    """Read VideoMem from a folder as downloaded.

    Rows of the ground truth are of the split ``dev``, those of the test list ``test`` and without a score, as
    in the release. The 500 most annotated videos that the paper calls test500 are among the withheld test
    videos, and are not to be had from it.

    Raises
    ------
    UsageError
        None of the release's tables is below the folder, or the file of splits is not there.
    LabelError
        One of them is damaged, or does not fit the videos.
    """
    truths, captions = find_files(root, *_TRUTH), find_files(root, *_CAPTIONS)
    tests = find_files(root, *_TEST_LIST)
    if not (truths or captions or tests):
        raise UsageError(
            f"There is no VideoMem release below {str(root)!r}: no ground-truth_dev-set.csv, no "
            "dev-set_video-captions.txt, no test-set_list.txt. Give the folder that holds them with --root."
        )
    remarks: list[str] = []
    rows: dict[str, str | None] = {}
    frames = []
    for file in truths:
        frames.append(_read_truth(file, rows))
    for file in tests:
        table = read_csv(file, header=["video"], delimiter="\t")
        for line, id in _ids(table, "video").items():
            if rows.setdefault(id, "test") != "test":
                raise table.error(line, "video", f"{id} is in the ground truth of the development set too.")
    texts: dict[str, list[str]] = {}
    for file in captions:
        _read_captions(file, rows, texts, remarks)
    data = pd.concat(frames) if frames else pd.DataFrame()
    columns = [*_TARGETS, *(f"n:{target}" for target in _TARGETS)]
    data = data.reindex(index=sorted(rows), columns=[c for c in columns if c in data or c in _TARGETS])
    if not truths:
        remarks.append("There is no ground truth (ground-truth_dev-set.csv): no row has a score.")
    data["split"] = _splits(root, options, rows, remarks)
    data["group"] = _titles(data.index, texts, remarks)
    release = Release(
        table=data,
        targets=list(_TARGETS),
        aliases={id: [id] for id in rows},
        texts={"captions": texts},
        files=[*truths, *captions, *tests],
        ids="the release's video names, as video10.webm",
        remarks=tuple(remarks),
        integers=True,
        text_sources={"captions": ", ".join(file.name for file in captions)},
    )
    return assemble(name, release, media(root, options.videos), options, note=note)


def _ids(table: Table, column: str, *, unique: bool = True) -> pd.Series[Any]:
    return table.keys(column, video_id, "a name like video10.webm is needed", unique=unique)


def _is_test(file: Path) -> bool:
    return any(word.startswith("test") for word in re.split(r"[^a-z]+", file.name.lower()))


def _read_truth(file: Path, rows: dict[str, str | None]) -> pd.DataFrame:
    table = read_csv(file)
    ids = _ids(table, table.column("video", "video_name", "name"))
    part = "test" if _is_test(file) else "dev"
    for line, id in ids.items():
        if id in rows:
            raise table.error(
                line, "video", f"{id} has a score in another ground truth too. Keep one of them."
            )
        rows[id] = part
    columns = {}
    for target, counted in _TARGETS.items():
        column = table.column(target)
        columns[target] = table.numbers(column, low=0, high=1, withheld=part == "test").to_numpy()
        if number := table.optional(counted):
            columns[f"n:{target}"] = table.numbers(number, low=0, withheld=part == "test").to_numpy()
    return pd.DataFrame(columns, index=pd.Index(ids.to_list(), dtype=object), dtype=np.float64)


def _read_captions(
    file: Path, rows: dict[str, str | None], texts: dict[str, list[str]], remarks: list[str]
) -> None:
    """Read ``videoN.webm<TAB>words-joined-by-hyphens``; a name without words is kept without a caption."""
    blank, unknown = [], []
    seen: dict[str, int] = {}
    for line, text in enumerate(_lines(file), 1):
        if not text.strip():
            continue
        name, *words = re.split(r"[\t, ]+", text.strip(), maxsplit=1)
        if line == 1 and name.lower() in _HEADINGS:
            continue
        if not (id := video_id(name)):
            raise LabelError(
                f"{file}, line {line}, column 'video': {name!r} is none; a name like video10.webm is needed."
            )
        if id in seen:
            raise LabelError(
                f"{file}, lines {seen[id]}, {line}, column 'video': {id} stands twice. Keep one of them."
            )
        seen[id] = line
        caption = " ".join(" ".join(words).replace("-", " ").split())
        if not caption:
            blank.append(id)
        elif caption not in texts.setdefault(id, []):
            texts[id].append(caption)
        if id not in rows:
            unknown.append(id)
            rows[id] = "test" if _is_test(file) else None
    if blank:
        remarks.append(f"{len(blank)} names of {file.name} have no words: {listed(blank)}.")
    if unknown and not _is_test(file):
        remarks.append(f"{len(unknown)} names of {file.name} are in no ground truth: {listed(unknown)}.")


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LabelError(f"{file} cannot be read as UTF-8 text: {error}.") from error


def _splits(
    root: Path, options: VideoMemOptions, rows: Mapping[str, str | None], remarks: list[str]
) -> pd.Series[Any]:
    split = dict(rows)
    if options.split is None:
        file = one_file(root, _SPLIT, what="the split of the development set")
    elif not (file := root / options.split).is_file():
        raise UsageError(
            f"There is no file of splits {str(file)!r}. Check split = {options.split!r} under [dataset]."
        )
    if file is not None:
        given = read_splits(file, video_id)
        if strangers := sorted(set(given) - set(rows)):
            remarks.append(f"{len(strangers)} names of {file.name} are in no table: {listed(strangers)}.")
        if alone := sorted(id for id, part in rows.items() if part == "dev" and id not in given):
            remarks.append(
                f"{len(alone)} videos of dev are not in {file.name} and have no split: {listed(alone)}."
            )
        split = {id: given.get(id, None if part == "dev" else part) for id, part in rows.items()}
        remarks.append(f"The development set is divided as {file.name} says.")
    ids = sorted(rows)
    return pd.Series([split[id] for id in ids], index=ids, dtype=object)


def _titles(ids: pd.Index[Any], texts: Mapping[str, list[str]], remarks: list[str]) -> pd.Series[Any]:
    """Return the title of each video: clips of one shoot were sold, and captioned, under one title."""
    titles = [texts[id][0].casefold() if texts.get(id) else None for id in ids]
    if without := sum(title is None for title in titles):
        remarks.append(f"{without} videos have no caption; clips of one shoot cannot be told among them.")
    return pd.Series(titles, index=ids, dtype=object)


ADAPTER = Adapter(
    name="videomem",
    summary="VideoMem, the data of MediaEval 2018 and 2019, with short- and long-term scores.",
    options=VideoMemOptions,
    load=load_videomem,
    published=(
        Published("short-term_memorability", 8000, 0.859, 0.0817, None, _COUNT),
        Published("long-term_memorability", 8000, 0.7789, 0.1452, None, _COUNT),
    ),
)
