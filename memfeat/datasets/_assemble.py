"""From the rows, files and texts of a release to a `Dataset`, saying what is withheld, missing or left over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict

from memfeat.dataset import Dataset, Scan
from memfeat.datasets._pairing import pair
from memfeat.datasets._release import sources
from memfeat.store.labels import Labels
from memfeat.store.texts import Texts

_SHOWN = 5


class ReleaseOptions(BaseModel):
    """Options that every release has."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    videos: str = "."
    """Folder of the media, relative to the root; everything below the root when not given."""
    include_extra: bool = False
    """Whether files that no table names are part of the dataset too; otherwise they are only reported."""


@dataclass(frozen=True)
class Release:
    """What the tables of a release say.

    Attributes
    ----------
    table
        One row per id: targets, ``split``, ``group``, ``n:<target>``.
    targets
        The columns that are scores.
    aliases
        Names under which the file of an id may lie, by id, the likeliest first.
    texts
        Texts by field and id.
    files
        The tables that were read.
    remarks
        What is to be said.
    ids
        In words, how ids were made.
    integers
        Whether files may be named by the number of their id.
    text_sources
        Files that the texts are from, by field.
    urls
        Where the videos were, by id; not part of the dataset.
    """

    table: pd.DataFrame
    targets: Sequence[str]
    aliases: Mapping[str, Sequence[str]]
    texts: Mapping[str, Mapping[str, Sequence[str]]]
    files: Sequence[Path]
    ids: str
    remarks: tuple[str, ...] = ()
    integers: bool = False
    text_sources: Mapping[str, str] = field(default_factory=dict)
    urls: Mapping[str, str] = field(default_factory=dict)


def assemble(name: str, release: Release, found: Scan, options: ReleaseOptions, *, note: str) -> Dataset:
    """Match the tables of a release with its files.

    Raises
    ------
    LabelError
        An id fits several files, or a file several ids.
    """
    paired = pair(release.aliases, found.files, integers=release.integers)
    remarks = [*release.remarks, *withheld(release.table, release.targets), *found.remarks]
    files = dict(paired.files)
    if not found.files:
        remarks.append(
            "There is no video or image here: scores and texts can be used, features cannot be measured."
        )
    elif paired.missing:
        remarks.append(
            f"{len(paired.missing)} of {len(release.aliases)} ids have no file: {listed(paired.missing)}."
        )
    if paired.extra:
        left = "they are part of the dataset" if options.include_extra else "they are left out"
        remarks.append(f"{len(paired.extra)} files are named in no table, {left}: {listed(paired.extra)}.")
        if options.include_extra:
            files |= {extra: found.files[extra] for extra in paired.extra if extra not in files}
    texts = {kind: {id: of[id] for id in of if of[id]} for kind, of in release.texts.items()}
    texts = {kind: of for kind, of in texts.items() if of}
    known = {kind: release.text_sources[kind] for kind in texts if kind in release.text_sources}
    return Dataset(
        name,
        dict(sorted(files.items())),
        Labels(release.table.sort_index(), targets=release.targets, note=note, source=sources(release.files)),
        ids=release.ids,
        remarks=tuple(remarks),
        texts=Texts(texts, source=known) if texts else None,
        missing=paired.missing,
        extra=paired.extra,
    )


def withheld(table: pd.DataFrame, targets: Sequence[str]) -> list[str]:
    """Say which rows have no score, by split."""
    split = table["split"] if "split" in table else pd.Series(None, index=table.index, dtype=object)
    said = []
    for part, rows in table.groupby(split.fillna("no split"), sort=True):
        by_count: dict[int, list[str]] = {}
        for target in targets:
            by_count.setdefault(int(rows[target].isna().sum()), []).append(target)
        said += [
            f"{count} of {len(rows)} rows of {part} have no {', '.join(names)}; they are kept without a label."
            for count, names in by_count.items()
            if count
        ]
    return said


def listed(names: Iterable[str]) -> str:
    """Return the first few names, and how many more there are.

    >>> listed("abcdefg")
    'a, b, c, d, e and 2 more'
    """
    names = list(names)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
