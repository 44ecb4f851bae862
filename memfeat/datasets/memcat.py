"""MemCat (Goetschalckx and Wagemans, PeerJ 2019): 10,000 images of five categories, each of many subcategories."""

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

_FILE = "memcat_image_data.csv"
# A correction subtracts false alarms, so a score may fall below 0.
_TARGETS = {"memorability_w_fa_correction": -1.0, "memorability_wo_fa_correction": 0.0}
_AUTHORS = "Goetschalckx and Wagemans, PeerJ 2019"


class MemcatOptions(ReleaseOptions):
    """Options of the adapter ``memcat``."""


def load_memcat(name: str, root: Path, options: MemcatOptions, note: str = "") -> Dataset:
    """Read MemCat from a folder as downloaded: ``memcat_image_data.csv`` and ``<category>/<subcategory>/<image>``.

    Ids are category, subcategory and file name, as in ``animal/bear/….jpg``: the folders of the release. There are
    two scores, with and without correction for false alarms, and no official split.

    Raises
    ------
    UsageError
        There is no memcat_image_data.csv below the folder.
    LabelError
        It is damaged, or does not fit the images.
    """
    file = one_file(root, _FILE, what="the scores of MemCat")
    if file is None:
        raise UsageError(
            f"There is no {_FILE} below {str(root)!r}. It is in MemCat_data of the release; give the folder that holds "
            "MemCat_data and MemCat_images with --root."
        )
    release = _release(read_csv(file))
    return assemble(name, release, media(root, options.videos, suffixes=IMAGE_SUFFIXES), options, note=note)


def _release(table: Table) -> Release:
    parts = [table.names(table.column(c), unique=False) for c in ("category", "subcategory", "image_file")]
    table.cells["id"] = ["/".join(path) for path in zip(*parts, strict=True)]
    ids = table.names("id")
    columns: dict[str, Any] = {
        target: table.numbers(table.column(target), low=low, high=1).to_numpy()
        for target, low in _TARGETS.items()
    }
    texts = {
        field: {id: (text.replace("_", " "),) for id, text in zip(ids, part, strict=True)}
        for field, part in zip(("categories", "subcategories"), parts, strict=False)
    }
    return Release(
        table=pd.DataFrame(columns, index=ids.to_numpy()),
        targets=list(_TARGETS),
        aliases={id: [f"MemCat_images/MemCat/{id}", f"MemCat/{id}", f"images/{id}", id] for id in ids},
        texts=texts,
        files=[table.file],
        ids="category, subcategory and file name",
        text_sources=dict.fromkeys(texts, table.file.name),
    )


ADAPTER = Adapter(
    name="memcat",
    summary="MemCat: 10,000 images of five categories, with and without correction for false alarms.",
    options=MemcatOptions,
    load=load_memcat,
    published=tuple(Published(target, 10_000, source=_AUTHORS) for target in _TARGETS),
)
