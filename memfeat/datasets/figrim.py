"""FIGRIM (Bylinskii et al., Vision Research 2015): scenes of 21 categories, with counts of hits and misses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble
from memfeat.datasets._matlab import read_mat, struct_table
from memfeat.datasets._pairing import media
from memfeat.datasets._rates import HITS, rates
from memfeat.datasets._release import Table, json_table, one_file
from memfeat.errors import LabelError, UsageError
from memfeat.video.header import IMAGE_SUFFIXES

_FILES = ("allImages_release.mat", "image_data_targets.mat")
_VARIABLES = ("allImages", "image_data_targets")
_ALL = "AMT_comb"
_COUNT = "count of allImages_release.mat of the eye-tracking release"
_TWICE = (
    ("highway/sun_bnjxztsvnercygxn.jpg", "highway/sun_bdwttbytrbnqyqsk.jpg"),
    ("conference_room/sun_awjucfvtjllxrtkv.jpg", "conference_room/sun_abpqxslcljhrwmck.jpg"),
    ("highway/sun_byoonkqxghujgvkh.jpg", "highway/sun_bjitfqyiepkgfkks.jpg"),
    ("highway/sun_bwrlzawyknljbhcb.jpg", "highway/sun_auwrraazjwdcjcjg.jpg"),
    ("mountain/sun_boskvwzgsvsyuhll.jpg", "mountain/sun_bgdykfpjgudqpzlu.jpg"),
    ("conference_room/sun_bzagimnxconenicn.jpg", "conference_room/sun_bsccnfecifucnavf.jpg"),
)
"""Pairs that the authors list as one image twice."""


class FigrimOptions(ReleaseOptions):
    """Options of the adapter ``figrim``."""


def load_figrim(name: str, root: Path, options: FigrimOptions, note: str = "") -> Dataset:
    """Read FIGRIM from a folder as downloaded: ``allImages_release.mat``, and the images where they are there.

    Ids are category and file name, as in ``airport_terminal/sun_awmodvmqonpeudqi.jpg``. ``hit_rate`` is
    hits / (hits + misses) of all participants (``AMT_comb``). A release that keeps experiments apart (within and
    across categories) has ``hit_rate_amt1`` and ``hit_rate_amt2``. The two images of a pair that the authors
    list as duplicates are one group.

    Raises
    ------
    UsageError
        There is no such MATLAB file below the folder.
    LabelError
        It is damaged, has no counts, or does not fit the images.
    """
    file = one_file(root, *_FILES, what="the scores of FIGRIM")
    if file is None:
        raise UsageError(
            f"There is no {' or '.join(_FILES)} below {str(root)!r}. It comes with the FIGRIM dataset; give the folder "
            "with --root."
        )
    table = struct_table(file, read_mat(file, *_VARIABLES))
    return assemble(
        name, _release(table), media(root, options.videos, suffixes=IMAGE_SUFFIXES), options, note=note
    )


def _release(table: Table) -> Release:
    ids, folders = _ids(table)
    columns: dict[str, pd.Series[Any]] = {}
    for field, suffix in _experiments(table).items():
        columns |= rates(_inner(table, field) if field else table, suffix=suffix)
    data = pd.DataFrame({name: values.to_numpy() for name, values in columns.items()}, index=ids)
    pair_of = {id: pair[0] for pair in _TWICE for id in pair}
    if any(id in pair_of for id in ids):
        data["group"] = pd.Series([pair_of.get(id) for id in ids], index=data.index, dtype=object)
    texts = {"categories": {id: (folder.replace("_", " "),) for id, folder in zip(ids, folders, strict=True)}}
    return Release(
        table=data,
        targets=[name for name in columns if not name.startswith("n:")],
        aliases={id: [f"Targets/{id}", id] for id in ids},
        texts=texts,
        files=[table.file],
        ids="category and file name",
        text_sources={"categories": table.file.name},
    )


def _ids(table: Table) -> tuple[list[str], list[str]]:
    names = table.names(table.column("filename"), unique=False)
    folders = table.names(table.column("category"), unique=False)
    rows: dict[str, object] = {}
    for row, folder, name in zip(names.index, folders, names, strict=True):
        id = f"{folder}/{name.replace(chr(92), '/').rpartition('/')[2]}"
        if id in rows:
            raise table.error(row, "filename", f"{id!r} stands in entry {rows[id]} too. Get the file again.")
        rows[id] = row
    return list(rows), list(folders)


def _experiments(table: Table) -> dict[str, str]:
    """Return the fields with counts → what to add to the names of their rates; an empty name: the table itself."""
    if table.optional(*HITS) is not None:
        return {"": ""}
    fields = [
        field
        for field in table.columns
        if any(isinstance(cell, dict) and "hits" in cell for cell in table.cells[field])
    ]
    if not fields:
        raise LabelError(
            f"{table.file} has no counts of hits: none of {', '.join(table.columns)} holds any. The lists of "
            "fillers have none; allImages_release.mat of the targets has."
        )
    if _ALL in fields or len(fields) == 1:
        whole = _ALL if _ALL in fields else fields[0]
        return {whole: "", **{field: f"_{field.lower()}" for field in fields if field != whole}}
    return {field: f"_{field.lower()}" for field in fields}


def _inner(table: Table, field: str) -> Table:
    for row, cell in table.cells[field].items():
        if not isinstance(cell, dict):
            raise table.error(row, field, "has no counts of hits and misses. Get the file again.")
    return json_table(
        table.file, list(table.cells[field]), keys=[f"{row}, {field}" for row in table.cells.index]
    )


ADAPTER = Adapter(
    name="figrim",
    summary="FIGRIM: scenes of 21 categories with hit and false-alarm rates.",
    options=FigrimOptions,
    load=load_figrim,
    published=(
        Published("hit_rate", 630, 0.6712, 0.1679, None, _COUNT),
        Published("false_alarm_rate", 630, 0.0998, 0.0933, None, _COUNT),
    ),
)
