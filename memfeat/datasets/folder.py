"""Any folder of videos or images, with or without a table of scores."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict

from memfeat.dataset import Adapter, Dataset, scan
from memfeat.datasets._pairing import media
from memfeat.datasets._table import Roles, read_table, to_labels
from memfeat.errors import UsageError
from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES

_TABLES = (".csv", ".tsv", ".parquet")
_SUFFIXES = (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES)


class FolderOptions(BaseModel):
    """Options of the adapter ``folder``; what is not given is guessed, and the guess is shown."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    videos: str = "."
    """Folder of the media, relative to the root."""
    labels: str | None = None
    """Table of scores (csv, tsv or parquet), relative to the root; the only one there when not given."""
    id: str | None = None
    """Column that names the video."""
    targets: list[str] | None = None
    """Columns with scores."""
    split: str | None = None
    """Column with the official split (train, val, test)."""
    group: str | None = None
    """Column whose equal values must stay in one fold."""
    annotations: dict[str, str] = {}
    """Column with the number of annotations, by target."""
    synthetic: bool = False
    """Whether the scores are made up; said beside every figure."""


def load_folder(name: str, root: Path, options: FolderOptions, note: str = "") -> Dataset:
    """Read a folder of media and, where there is one, its table of scores.

    Where the options name the table and its column of ids, the media may be absent.

    Raises
    ------
    UsageError
        A folder or file that the options name does not exist, or there is no media file.
    LabelError
        The table cannot be read or does not fit the files.
    """
    scores_alone = options.id is not None and options.labels is not None
    found = media(root, options.videos, suffixes=_SUFFIXES) if scores_alone else scan(root / options.videos)
    remarks = list(found.remarks)
    table_file = _table_file(root, options.labels, remarks)
    if table_file is None:
        return Dataset(name, found.files, None, remarks=tuple(remarks))
    roles = Roles(options.id, options.targets, options.split, options.group, options.annotations)
    ids = list(found.files) or None
    labels, said, matches = to_labels(
        read_table(table_file), table_file, ids, roles, synthetic=options.synthetic, note=note
    )
    if ids is None:
        remarks.append("There is no video or image here: scores can be used, features cannot be measured.")
    return Dataset(
        name,
        found.files,
        labels,
        remarks=(*remarks, *said),
        missing=matches.rows_without_video if ids else tuple(labels.table.index),
        extra=matches.videos_without_row,
    )


def _table_file(root: Path, given: str | None, remarks: list[str]) -> Path | None:
    if given is not None:
        file = root / given
        if not file.is_file():
            raise UsageError(
                f"There is no table of scores {str(file)!r}. Check labels = {given!r} in the recipe."
            )
        return file
    tables = sorted(
        file for file in root.iterdir() if file.suffix.lower() in _TABLES and not file.name.startswith(".")
    )
    if len(tables) > 1:
        remarks.append(
            f"No labels are read: {', '.join(file.name for file in tables)} all look like tables; "
            'name one with --labels FILE, or labels = "…" under [dataset] in a recipe, pipelines/NAME.toml.'
        )
        return None
    if tables:
        remarks.append(f"Labels are read from {tables[0].name}, the only table there.")
        return tables[0]
    remarks.append(f"There is no table of scores in {root}; features are extracted without labels.")
    return None


ADAPTER = Adapter(
    name="folder",
    summary="A folder of videos or images, and a CSV, TSV or parquet table of scores.",
    options=FolderOptions,
    load=load_folder,
)
