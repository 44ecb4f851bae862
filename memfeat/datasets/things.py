"""THINGS memorability (Kramer et al., Science Advances 2023): 26,107 pictures of 1,854 objects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from memfeat.dataset import Adapter, Dataset, Published
from memfeat.datasets._assemble import Release, ReleaseOptions, assemble
from memfeat.datasets._pairing import media
from memfeat.datasets._release import Table, one_file, read_csv
from memfeat.errors import UsageError
from memfeat.video.header import IMAGE_SUFFIXES

_FILE = "THINGS_Memorability_Scores.csv"
_FOLDERS = ("images/", "object_images/")
_RATES = {"hit_rate": ("hit_rate", "hr"), "false_alarm_rate": ("false_alarm_rate", "far", "fa")}
_AUTHORS = "Kramer et al., Science Advances 2023"


class ThingsOptions(ReleaseOptions):
    """Options of the adapter ``things``."""


def load_things(name: str, root: Path, options: ThingsOptions, note: str = "") -> Dataset:
    """Read the memorability scores of THINGS, and its images where they are there.

    Ids are object and file name, as in ``aardvark/aardvark_01b.jpg``. The score ``cr`` is corrected recognition,
    the hit rate less the false-alarm rate, so it may be negative; both rates are targets where the table has
    them.

    Raises
    ------
    UsageError
        There is no THINGS_Memorability_Scores.csv below the folder.
    LabelError
        It is damaged, or does not fit the images.
    """
    file = one_file(root, _FILE, "*things*memorability*.csv", what="the scores of THINGS")
    if file is None:
        raise UsageError(
            f"There is no {_FILE} below {str(root)!r}. It is part of THINGS-memorability at OSF; give the folder that "
            "holds it and the images with --root."
        )
    release = _release(read_csv(file))
    return assemble(name, release, media(root, options.videos, suffixes=IMAGE_SUFFIXES), options, note=note)


def _release(table: Table) -> Release:
    ids = table.keys(table.column("file_path"), _id, "object and file name, as in aardvark/aardvark_01b.jpg")
    columns: dict[str, Any] = {"cr": table.numbers(table.column("cr"), low=-1, high=1, withheld=True)}
    for target, names in _RATES.items():
        if there := table.optional(*names):
            columns[target] = table.numbers(there, low=0, high=1, withheld=True)
    data = pd.DataFrame(
        {target: values.to_numpy() for target, values in columns.items()}, index=ids.to_numpy()
    )
    return Release(
        table=data,
        targets=list(columns),
        aliases={id: [*(f"{folder}{id}" for folder in _FOLDERS), id] for id in ids},
        texts={"categories": {id: (id.split("/")[0].rstrip("0123456789").replace("_", " "),) for id in ids}},
        files=[table.file],
        ids="object and file name",
        text_sources={"categories": table.file.name},
    )


def _id(path: str) -> str:
    """Return the last folder and the file name of a path, or nothing when it has no folder.

    >>> _id("images/aardvark/aardvark_01b.jpg"), _id("aardvark_01b.jpg")
    ('aardvark/aardvark_01b.jpg', '')
    """
    parts = path.replace("\\", "/").split("/")
    return "/".join(parts[-2:]) if len(parts) > 1 else ""


ADAPTER = Adapter(
    name="things",
    summary="THINGS: 26,107 pictures of objects, with corrected recognition.",
    options=ThingsOptions,
    load=load_things,
    published=(Published("cr", 26_107, source=_AUTHORS),),
)
