"""MASSVIS (Borkin et al., InfoVis 2013): visualizations and how often each was recognized."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble
from memfeat.datasets._pairing import media
from memfeat.datasets._rates import rates
from memfeat.datasets._release import Table, find_files, read_csv
from memfeat.errors import LabelError, UsageError
from memfeat.video.header import IMAGE_SUFFIXES

_SETS = ("410", "393")
_SOURCES = {
    "G": "government and world organizations",
    "N": "news media",
    "I": "infographics",
    "S": "scientific publications",
}
_PERCENT = {
    "at_a_glance_hit_rate": "mem: at-a-glance HR (%)",
    "at_a_glance_false_alarm_rate": "mem: at-a-glance FAR (%)",
    "prolonged_hit_rate": "mem: prolonged HR (%)",
}
_COUNT = "count of targets410_metadata.csv"
_COUNT_393 = "count of targets393_metadata.csv"


class MassvisOptions(ReleaseOptions):
    """Options of the adapter ``massvis``."""

    targets: Literal["auto", "410", "393"] = "auto"
    """Which table: 410 visualizations with counts of answers, or the 393 of the study with longer viewing; the
    first that is there when not given."""


def load_massvis(name: str, root: Path, options: MassvisOptions, note: str = "") -> Dataset:
    """Read MASSVIS from a folder as downloaded: a table, and the images where they are there.

    Ids are the file names. The 410 have counts: ``hit_rate`` = hits / (hits + misses), and
    ``false_alarm_rate`` likewise. The 393 have rates in per cent, which become shares.

    Raises
    ------
    UsageError
        There is no such table below the folder.
    LabelError
        It is damaged, or does not fit the images.
    """
    sets = _SETS if options.targets == "auto" else (options.targets,)
    found = {number: find_files(root, f"targets{number}_metadata.csv") for number in sets}
    number = next((number for number in sets if found[number]), None)
    if number is None:
        tables = " or ".join(f"targets{number}_metadata.csv" for number in sets)
        raise UsageError(
            f"There is no {tables} below {str(root)!r}. They are in csv_files of the MASSVIS dataset; give the "
            "folder with --root."
        )
    if len(found[number]) > 1:
        listed = ", ".join(map(str, found[number]))
        raise LabelError(f"Several different tables could be that of the {number}: {listed}. Keep one.")
    # Titles were saved on a Mac: some have characters that are no UTF-8.
    table = read_csv(found[number][0], encoding="mac_roman")
    remarks = [f"The {number} targets are read from {table.file.name}."]
    return assemble(
        name,
        _release(table, tuple(remarks)),
        media(root, options.videos, suffixes=IMAGE_SUFFIXES),
        options,
        note=note,
    )


def _release(table: Table, remarks: tuple[str, ...]) -> Release:
    ids = table.names(table.column("filename"))
    columns: dict[str, pd.Series[Any]] = {}
    if table.optional(*_PERCENT.values()):
        for target, column in _PERCENT.items():
            if there := table.optional(column):
                columns[target] = table.numbers(there, low=0, high=100, withheld=True) / 100
    else:
        columns = rates(table)
    texts = {}
    for field, column in (("titles", "title"), ("types", "vistype"), ("categories", "category")):
        if there := table.optional(column):
            cells = zip(ids, table.texts(there), strict=True)
            texts[field] = {id: tuple(_SOURCES.get(text, text) for text in cell) for id, cell in cells}
    data = pd.DataFrame(
        {column: values.to_numpy() for column, values in columns.items()}, index=ids.to_numpy()
    )
    return Release(
        table=data,
        targets=[column for column in columns if not column.startswith("n:")],
        aliases={id: [id] for id in ids},
        texts=texts,
        files=[table.file],
        ids=f"the file names in {table.file.name}",
        remarks=remarks,
        text_sources=dict.fromkeys(texts, table.file.name),
    )


ADAPTER = Adapter(
    name="massvis",
    summary="MASSVIS: 410 visualizations with hit and false-alarm rates, or the 393 seen for longer.",
    options=MassvisOptions,
    load=load_massvis,
    published=(
        Published("hit_rate", 410, 0.5611, 0.1537, None, _COUNT),
        Published("false_alarm_rate", 410, 0.1322, 0.1061, None, _COUNT),
        Published("at_a_glance_hit_rate", 393, 0.5561, 0.1530, None, _COUNT_393),
        Published("at_a_glance_false_alarm_rate", 393, 0.1286, 0.1039, None, _COUNT_393),
        Published("prolonged_hit_rate", 393, 0.7970, 0.1798, None, _COUNT_393),
    ),
)
