"""VIDEM (MediaEval 2025 and 2026): 424 commercial videos of YouTube, whose content and brand were to be remembered."""

from __future__ import annotations

import ast
import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble, listed
from memfeat.datasets._pairing import media
from memfeat.datasets._release import Table, find_files, plain_texts, read_csv
from memfeat.errors import LabelError, UsageError

_TARGETS = ("memorability_score", "brand_memorability")
_TEXTS = {
    "titles": ("title",),
    "descriptions": ("description",),
    "categories": ("categoryName",),
    "channels": ("channelName",),
    "tags": ("tags",),
}
_COUNT = "count of devset_videolist_GT.csv"


class VidemOptions(ReleaseOptions):
    """Options of the adapter ``videm``."""


def load_videm(name: str, root: Path, options: VidemOptions, note: str = "") -> Dataset:
    """Read VIDEM from a folder as downloaded.

    Ids are YouTube's. Videos of one channel advertise one brand: the channel is the group.

    Raises
    ------
    UsageError
        There is no list of videos below the folder.
    LabelError
        One is damaged, or does not fit the videos.
    """
    lists = find_files(root, "devset_videolist*.csv", "testset_videolist*.csv")
    if not lists:
        raise UsageError(
            f"There is no VIDEM release below {str(root)!r}: no devset_videolist_GT.csv and no "
            "testset_videolist.csv. Give the folder that holds them with --root."
        )
    frames: list[pd.DataFrame] = []
    aliases: dict[str, list[str]] = {}
    texts: dict[str, dict[str, tuple[str, ...]]] = {kind: {} for kind in _TEXTS}
    for file in lists:
        table = read_csv(file)
        ids = table.names(table.column("id"))
        for line, id in ids.items():
            if id in aliases:
                raise table.error(line, "id", f"{id!r} is in another list of videos too. Keep one of them.")
            aliases[id] = [id]
        frames.append(_rows(table, ids))
        _read_texts(table, ids, texts)
    remarks: list[str] = []
    texts["speech"] = _transcripts(root, aliases, remarks)
    release = Release(
        table=pd.concat(frames),
        targets=list(_TARGETS),
        aliases=aliases,
        texts=texts,
        files=lists,
        ids="the videos' ids at YouTube",
        remarks=tuple(remarks),
        text_sources={
            **dict.fromkeys(_TEXTS, ", ".join(file.name for file in lists)),
            "speech": "transcripts of the release",
        },
    )
    return assemble(name, release, media(root, options.videos), options, note=note)


def _rows(table: Table, ids: pd.Series[Any]) -> pd.DataFrame:
    test = table.file.name.lower().startswith("test")
    columns: dict[str, Any] = {}
    counted = table.optional("nb_annotations")
    for target in _TARGETS:
        if test and table.optional(target) is None:
            columns[target] = np.full(len(ids), np.nan)
            continue
        columns[target] = table.numbers(table.column(target), low=0, high=1, withheld=test).to_numpy()
        if counted:
            columns[f"n:{target}"] = table.numbers(counted, low=0, withheld=test).to_numpy()
    frame = pd.DataFrame(columns, index=pd.Index(ids.to_list(), dtype=object))
    channel = table.optional("channelName", "channelUrl")
    frame["split"] = "test" if test else "dev"
    if channel:
        groups = [text[0] if text else None for text in table.texts(channel)]
        frame["group"] = pd.Series(groups, index=frame.index, dtype=object)
    return frame


def _read_texts(table: Table, ids: pd.Series[Any], texts: Mapping[str, dict[str, tuple[str, ...]]]) -> None:
    for kind, names in _TEXTS.items():
        if (column := table.optional(*names)) is None:
            continue
        for id, cell in zip(ids, table.cells[column], strict=True):
            texts[kind][id] = plain_texts(_tags(cell) if kind == "tags" else cell)


def _tags(cell: str) -> Sequence[str]:
    """Return the tags of a cell: a list in brackets, or words between commas.

    >>> _tags("['bank', \\"it's\\"]"), _tags("bank, money")
    (['bank', "it's"], ['bank', ' money'])
    """
    text = cell.strip()
    if not (text.startswith("[") and text.endswith("]")):
        return text.split(",")
    for read in (json.loads, ast.literal_eval):
        with contextlib.suppress(ValueError, SyntaxError, RecursionError):
            return [str(tag) for tag in read(text)]
    return text[1:-1].split(",")


def _transcripts(
    root: Path, aliases: Mapping[str, Sequence[str]], remarks: list[str]
) -> dict[str, tuple[str, ...]]:
    """Read ``devset-stt/<id>.txt`` and its like; a video in which nobody speaks has an empty one."""
    spoken: dict[str, tuple[str, ...]] = {}
    silent, strangers = [], []
    # Not deeper: frames/<id> may hold thousands of files each.
    below = sorted([*root.glob("*stt*"), *root.glob("*/*stt*")])
    folders = [folder for folder in below if folder.is_dir()]
    for file in (file for folder in folders for file in sorted(folder.glob("*.txt"))):
        if file.stem not in aliases:
            strangers.append(file.name)
            continue
        try:
            text = " ".join(file.read_text(encoding="utf-8-sig").split())
        except (OSError, UnicodeDecodeError) as error:
            raise LabelError(f"{file} cannot be read as UTF-8 text: {error}.") from error
        if text:
            spoken[file.stem] = (text,)
        else:
            silent.append(file.stem)
    if silent:
        remarks.append(f"{len(silent)} transcripts are empty: {listed(silent)}.")
    if strangers:
        remarks.append(f"{len(strangers)} transcripts belong to no video of the lists: {listed(strangers)}.")
    return spoken


ADAPTER = Adapter(
    name="videm",
    summary="VIDEM, the commercial videos of MediaEval 2025 and 2026, with memorability of content and brand.",
    options=VidemOptions,
    load=load_videm,
    published=(
        Published("memorability_score", 339, None, None, "dev", _COUNT),
        Published("brand_memorability", 339, None, None, "dev", _COUNT),
        Published("memorability_score", 0, None, None, "test", "85 videos whose scores are withheld"),
    ),
)
