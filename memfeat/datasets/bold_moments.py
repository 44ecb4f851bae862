"""BOLD Moments (Lahner et al., Nature Communications 2024): 1,102 clips of three seconds with Memento's scores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble
from memfeat.datasets._pairing import media, stem
from memfeat.datasets._release import Table, json_table, one_file, plain_texts, read_json
from memfeat.errors import LabelError, UsageError

_TARGETS = {"memorability_score": (0.0, 1.0), "memorability_decay": (None, None)}
_TEXTS = {
    "captions": "text_descriptions",
    "actions": "actions",
    "scenes": "scenes",
    "objects": "objects",
    "speech": "spoken_transcription",
}
_SETS = ("train", "test")
_SOURCE = "annotations.json of OpenNeuro ds005165"


class BoldMomentsOptions(ReleaseOptions):
    """Options of the adapter ``bold-moments``."""


def load_bold_moments(name: str, root: Path, options: BoldMomentsOptions, note: str = "") -> Dataset:
    """Read BOLD Moments from a folder as downloaded: ``annotations.json``, and the clips where they are there.

    Ids are the keys ``0001`` to ``1102``.

    Raises
    ------
    UsageError
        There is no annotations.json below the folder.
    LabelError
        It is damaged, or does not fit the clips.
    """
    file = one_file(root, "annotations.json", what="the annotations of BOLD Moments")
    if file is None:
        raise UsageError(
            f"There is no annotations.json below {str(root)!r}. It lies in derivatives/stimuli_metadata of the "
            "dataset ds005165 at OpenNeuro; give the folder with --root."
        )
    content = read_json(file)
    if not isinstance(content, dict):
        raise LabelError(
            f"{file} should hold one object with the clips 0001 to 1102; it holds {type(content).__name__}."
        )
    keys = [str(key).strip() for key in content]
    table = json_table(file, list(content.values()), keys=keys)
    release = _read(table, keys)
    return assemble(name, release, media(root, options.videos), options, note=note)


def _read(table: Table, keys: list[str]) -> Release:
    columns: dict[str, Any] = {}
    for target, (low, high) in _TARGETS.items():
        columns[target] = table.numbers(table.column(target), low=low, high=high)
    data = pd.DataFrame(columns, index=pd.Index(keys, dtype=object))
    sets = table.names(table.column("set"), unique=False)
    for key, value in sets.items():
        if value not in _SETS:
            raise table.error(key, "set", f"{value!r} is none; {' or '.join(_SETS)} is needed.")
    data["split"] = pd.Series(sets.to_list(), index=data.index, dtype=object)
    aliases = {key: [key] for key in keys}
    groups: dict[str, str | None] = dict.fromkeys(keys)
    for column in ("bmd_matrixfilename", "MiT_filename"):
        if (there := table.optional(column)) is None:
            continue
        for key, found in table.texts(there).items():
            aliases[str(key)] += found
            if column == "MiT_filename" and found:
                groups[str(key)] = _source(found[0])
    data["group"] = pd.Series([groups[key] for key in keys], index=data.index, dtype=object)
    texts: dict[str, Mapping[str, tuple[str, ...]]] = {}
    for field, column in _TEXTS.items():
        if (there := table.optional(column)) is not None:
            cells = zip(keys, table.cells[there], strict=True)
            texts[field] = {
                key: tuple(text for text in plain_texts(cell) if text != "--") for key, cell in cells
            }
    return Release(
        table=data,
        targets=list(_TARGETS),
        aliases=aliases,
        texts=texts,
        files=[table.file],
        ids="the keys of annotations.json",
        integers=True,
        text_sources=dict.fromkeys(texts, table.file.name),
    )


def _source(name: str) -> str:
    """Return the longer video a clip of Moments in Time was cut from.

    >>> _source("wetting/flickr-0-0-1_12.mp4")
    'flickr-0-0-1'
    """
    base, _, number = stem(name).rpartition("_")
    return base if base and number.isdigit() else stem(name)


ADAPTER = Adapter(
    name="bold-moments",
    summary="BOLD Moments: three-second clips with memorability and decay, and brain responses elsewhere.",
    options=BoldMomentsOptions,
    load=load_bold_moments,
    published=(
        Published("memorability_score", 1000, None, None, "train", _SOURCE),
        Published("memorability_score", 102, None, None, "test", _SOURCE),
        Published("memorability_decay", 1000, None, None, "train", _SOURCE),
        Published("memorability_decay", 102, None, None, "test", _SOURCE),
    ),
)
