"""Memento10k (Newman et al., ECCV 2020): 10,000 clips of three seconds, as the authors or MediaEval 2021-22 ship it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import numpy as np
import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published, nfc
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble, listed
from memfeat.datasets._mediaeval import Target, read_release
from memfeat.datasets._pairing import media, stem
from memfeat.datasets._release import Table, json_table, one_file, plain_texts, read_json
from memfeat.errors import LabelError, UsageError

_SPLITS = (("train", ("train",)), ("val", ("val", "validation", "dev")), ("test", ("test",)))
_COPIES = (
    "Copies of frames are read in place of videos: they have lost size, frame rate and coding of the clip. Times are "
    "nominal (25 per second), flow per second means nothing (use flow:mean-per-frame), and sizes in bytes are others."
)
_NOTHING = {"None", "nan", ""}
_EDITIONS = {
    "MediaEval 2021-22": (
        Target("scores_normalized_short_term", "annotations_short_term"),
        Target("scores_raw_short_term", "annotations_short_term"),
        Target("decay_alpha", bounded=False),
    )
}


class Memento10kOptions(ReleaseOptions):
    """Options of the adapter ``memento10k``."""

    release: Literal["auto", "json", "mediaeval"] = "auto"
    """Which tables to read: the authors' JSON files, MediaEval's CSV files, or the first of them that is there."""
    frames: Literal["videos", "copies"] = "videos"
    """Whether features are measured on the videos, or on the ``.npy`` copies of 45 of their frames."""


def file_name(url: str) -> str:
    """Return the name of the file in which a clip is shipped.

    The folder of the URL is the clip's action, its words joined by ``+``; the file is named
    ``<action with hyphens>_<name>``.

    Raises
    ------
    LabelError
        The URL names no file.

    Examples
    --------
    >>> file_name(" https://data.csail.mit.edu/soundnet/actions3/adult+male+singing/peeks-www_k_6.mp4")
    'adult-male-singing_peeks-www_k_6.mp4'
    """
    parts = [unquote(part) for part in urlsplit(nfc(url)).path.split("/") if part]
    if not parts:
        raise LabelError(f"The URL {url!r} names no file.")
    folder = re.sub(r"[+\s]", "-", parts[-2]) + "_" if len(parts) > 1 else ""
    return folder + parts[-1]


def action(url: str) -> str:
    """Return the action that the folder of a URL names, in words; nothing where there is no folder.

    >>> action("https://data.csail.mit.edu/soundnet/actions3/adult+male+singing/peeks-www_k_6.mp4")
    'adult male singing'
    """
    parts = [unquote(part) for part in urlsplit(nfc(url)).path.split("/") if part]
    return " ".join(re.split(r"[+\s]+", parts[-2])) if len(parts) > 1 else ""


def source_clip(name: str) -> str | None:
    """Return the longer video that a clip was cut from: its URL's last part without suffix and trailing ``_N``.

    A file name is read like a URL when its action in front can be told from the rest; None when it cannot.

    >>> source_clip("https://data.csail.mit.edu/soundnet/actions3/jumping/flickr-8-0-3_4.mp4")
    'flickr-8-0-3'
    >>> source_clip("jumping_flickr-8-0-3_4.mp4"), source_clip("video_00001.webm")
    ('flickr-8-0-3', None)
    """
    if "/" in name:
        return re.sub(r"_\d+$", "", unquote(stem(name))) or None
    # Without a URL at least one character of the source must be none of a number, or all of `video_00001` is one.
    found = re.fullmatch(r"[^\W\d_][^\W\d_+-]*(?:[+-][^\W\d_]+)*_(.*[^\d_].*?)(?:_\d+)?", stem(name))
    return found[1] if found else None


def load_memento10k(name: str, root: Path, options: Memento10kOptions, note: str = "") -> Dataset:
    """Read Memento10k from a folder as downloaded.

    Raises
    ------
    UsageError
        Neither the JSON files nor the CSV files of the release are below the folder.
    LabelError
        One of them is damaged, or does not fit the clips.
    """
    release = None
    if options.release in ("auto", "json"):
        release = _read_json_release(root)
    if release is None and options.release in ("auto", "mediaeval"):
        release = _read_mediaeval_release(root)
    if release is None:
        raise UsageError(
            f"There is no release of Memento10k below {str(root)!r}: no memento_train_data.json, "
            "memento_val_data.json or memento_test_data.json, and no train_scores.csv, dev_scores.csv or "
            "*_text_descriptions.csv. Give the folder that holds them with --root."
        )
    if options.frames == "copies":
        found = media(root, options.videos, suffixes=(".npy",))
        dataset = assemble(name, release, found, options, note=note)
        return replace(dataset, remarks=(*dataset.remarks, _COPIES))
    found = media(root, options.videos)
    dataset = assemble(name, release, found, options, note=note)
    return _with_arrays(dataset, root, release.aliases)


def _read_json_release(root: Path) -> Release | None:
    tables = {}
    for split, spellings in _SPLITS:
        patterns = [f"memento*{spelling}_data.json" for spelling in spellings]
        file = one_file(root, *patterns, what=f"the {split} set of Memento10k")
        if file is not None:
            tables[split] = json_table(file, read_json(file))
    if not tables:
        return None
    remarks = [f"There is no memento_{split}_data.json." for split, _ in _SPLITS if split not in tables]
    frames: list[pd.DataFrame] = []
    said_by: dict[str, Path] = {}
    aliases: dict[str, list[str]] = {}
    texts: dict[str, dict[str, tuple[str, ...]]] = {"captions": {}, "actions": {}}
    for split, table in tables.items():
        ids = table.names(table.column("filename", "file_name", "video_name", "video"))
        for entry, id in ids.items():
            if id in said_by:
                raise LabelError(
                    f"{table.file}, entry {entry}, column 'filename': {id!r} stands in {said_by[id]} too."
                )
            said_by[id] = table.file
        urls = _urls(table, ids)
        frames.append(_scores(table, ids, split, urls, remarks))
        _read_texts(table, ids, texts)
        aliases |= {id: [id, *([file_name(urls[id])] if id in urls else [])] for id in ids}
    data = pd.concat(frames)
    if missing := sum(kind is None for kind in data["group"]):
        remarks.append(f"The source clip of {missing} clips is not known; each is a group of its own.")
    targets = [column for column in ("mem_score", "alpha") if column in data]
    files = [table.file for table in tables.values()]
    known = dict.fromkeys(texts, ", ".join(file.name for file in files))
    return Release(
        data, targets, aliases, texts, files, "the release's file names", tuple(remarks), text_sources=known
    )


def _urls(table: Table, ids: pd.Series[Any]) -> dict[str, str]:
    column = table.optional("url", "video_url")
    if column is None:
        return {}
    return {id: found[0] for id, found in zip(ids, table.texts(column), strict=True) if found}


def _scores(
    table: Table, ids: pd.Series[Any], split: str, urls: Mapping[str, str], remarks: list[str]
) -> pd.DataFrame:
    """Read scores and decay of one split; those of the test set are withheld, and may be filled with one value."""
    test = split == "test"
    columns: dict[str, Any] = {}
    wanted = {
        "mem_score": (("mem_score", "memorability_score", "score"), 0.0, 1.0),
        "alpha": (("alpha", "decay_alpha", "decay"), None, None),
    }
    for target, (names, low, high) in wanted.items():
        column = table.optional(*names)
        if column is None and target == "mem_score" and not test:
            table.column(*names)
        values = set() if column is None else {str(cell) for cell in table.cells[column]}
        filled = test and len(ids) > 1 and len(values) == 1
        if column is None or filled:
            if column is None and not test:
                remarks.append(f"{table.file.name} has no {target}.")
            if filled and not values <= _NOTHING:
                remarks.append(
                    f"{table.file.name} has the same {column} everywhere ({values.pop()}): taken for withheld."
                )
            columns[target] = np.full(len(ids), np.nan)
        else:
            columns[target] = table.numbers(column, low=low, high=high, withheld=test).to_numpy()
    frame = pd.DataFrame(columns, index=pd.Index(ids.to_list(), dtype=object))
    frame["split"] = split
    group = [source_clip(urls.get(id, id)) for id in ids]
    frame["group"] = pd.Series(group, index=frame.index, dtype=object)
    return frame


def _read_texts(table: Table, ids: pd.Series[Any], texts: Mapping[str, dict[str, tuple[str, ...]]]) -> None:
    columns = {
        "captions": table.optional("captions", "caption"),
        "actions": table.optional("action_labels", "actions", "action"),
    }
    for field, column in columns.items():
        if column is None:
            continue
        for id, cell in zip(ids, table.cells[column], strict=True):
            found = plain_texts(cell)
            if field == "actions":
                found = tuple(label.replace("+", " ") for label in found)
            texts[field][id] = found


def _read_mediaeval_release(root: Path) -> Release | None:
    release = read_release(
        root,
        _EDITIONS,
        aliases=lambda url: [file_name(url), stem(url)],
        what="Memento10k at MediaEval",
    )
    if release is None:
        return None
    group = [source_clip(release.urls[id]) if id in release.urls else None for id in release.table.index]
    table = release.table.assign(group=pd.Series(group, index=release.table.index, dtype=object))
    actions = {id: (action(url),) for id, url in release.urls.items() if action(url)}
    return replace(
        release,
        table=table,
        texts={**release.texts, "actions": actions},
        text_sources={**release.text_sources, "actions": "folder of the URL"},
    )


def _with_arrays(dataset: Dataset, root: Path, aliases: Mapping[str, Sequence[str]]) -> Dataset:
    """Say which clips are there only as copies of their frames: ``videos_npy/<name>.npy``."""
    arrays = {file.stem for folder in root.rglob("videos_npy") for file in folder.glob("*.npy")}
    if not arrays:
        return dataset
    only = [id for id in dataset.missing if any(stem(name) in arrays for name in aliases[id])]
    said = (
        f"{len(arrays)} clips are there as .npy copies of their frames, {len(only)} of them not as a video"
        f"{': ' + listed(only) if only else ''}. The videos are read; "
        'frames = "copies" under [dataset] reads the copies.'
    )
    return replace(dataset, remarks=(*dataset.remarks, said))


ADAPTER = Adapter(
    name="memento10k",
    summary="Memento10k: the authors' JSON release, or the CSV files of MediaEval 2021 and 2022.",
    options=Memento10kOptions,
    load=load_memento10k,
    published=(
        Published("mem_score", 7000, 0.800992, 0.1046, "train", "count of the release; M3-S uses .80099205"),
        Published("mem_score", 1500, 0.8032, 0.1069, "val", "equal to MediaEval's normalised score of dev"),
        Published("alpha", 7000, -0.00165, 0.0011, "train", "equal to MediaEval's decay_alpha"),
        Published("scores_normalized_short_term", 7000, 0.800992, 0.1046, "train", "count of the release"),
        Published("scores_normalized_short_term", 1500, 0.8032, 0.1069, "dev", "count of the release"),
        Published("scores_raw_short_term", 7000, 0.7985, 0.1052, "train", "count of the release"),
        Published("scores_raw_short_term", 1500, 0.8010, None, "dev", "count of the release"),
        Published("decay_alpha", 7000, -0.00165, 0.0011, "train", "count of the release"),
    ),
)
