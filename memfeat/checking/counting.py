"""How much there is, and whether tables and files name the same items."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

import pandas as pd

from memfeat.checking.report import Counts, Finding, number
from memfeat.dataset import Dataset
from memfeat.video.header import IMAGE_SUFFIXES, VIDEO_SUFFIXES

SPLIT = "split"


def split_columns(dataset: Dataset) -> list[str]:
    """Return the columns with official splits: ``split`` and ``split:<name>``."""
    if dataset.labels is None:
        return []
    return [name for name in map(str, dataset.labels.table) if name == SPLIT or name.startswith(f"{SPLIT}:")]


def called(column: str, split: str) -> str:
    """Return how a split is spoken of.

    >>> called("split", "train"), called("split:fold1", "train")
    ("split 'train'", "split 'train' of 'fold1'")
    """
    return f"split {split!r}" + (f" of {column.partition(':')[2]!r}" if column != SPLIT else "")


def count(dataset: Dataset) -> Counts:
    """Count rows, files, texts, splits and groups."""
    table = pd.DataFrame() if dataset.labels is None else dataset.labels.table
    suffixes = [path.suffix.lower() for path in dataset.files.values()]
    return Counts(
        rows=len(table),
        files=len(dataset.files),
        videos=sum(suffix in VIDEO_SUFFIXES for suffix in suffixes),
        images=sum(suffix in IMAGE_SUFFIXES for suffix in suffixes),
        both=sum(id in dataset.files for id in table.index),
        texts={field: len(of) for field, of in (dataset.texts or {}).items()},
        splits={
            column: {str(name): int(n) for name, n in table[column].value_counts().sort_index().items()}
            for column in split_columns(dataset)
        },
        groups=int(table["group"].nunique()) if "group" in table else None,
    )


def check_ids(dataset: Dataset) -> Iterator[Finding]:
    """Compare the ids of tables, files, texts and halves."""
    rows = [] if dataset.labels is None else [str(id) for id in dataset.labels.table.index]
    files = dataset.files
    if not rows and not files:
        yield Finding("error", "empty", "There are neither rows nor files")
    elif dataset.labels is None:
        yield Finding("note", "no-labels", "No scores were read; features can be extracted, nothing fitted")
    elif not files:
        yield Finding(
            "note", "no-media", "No videos or images are here: scores and texts alone, for --labels-only"
        )

    missing = _union(dataset.missing, (id for id in rows if id not in files)) if files else ()
    if missing:
        share = (
            f"{len(missing):,} of {len(rows):,} items of the tables" if rows else number(len(missing), "item")
        )
        yield Finding("error", "missing-files", f"{share} without a file here", missing)
    named = set(rows)
    extra = _union(dataset.extra, (id for id in files if id not in named)) if rows else dataset.extra
    if extra:
        yield Finding("warning", "extra-files", f"{number(len(extra), 'file')} that no table names", extra)

    known = named | set(files) | set(missing) | set(extra)
    for field, of in (dataset.texts or {}).items():
        if strangers := tuple(id for id in of if id not in known):
            yield Finding(
                "warning",
                "unmatched-texts",
                f"{number(len(strangers), 'item')} with {field} and no row",
                strangers,
            )
        lacking = tuple(id for id in rows if id not in of)
        if lacking:
            yield Finding(
                "note", "no-texts", f"{len(lacking):,} of {len(rows):,} rows without {field}", lacking
            )
    for target, halves in dataset.halves.items():
        if strangers := tuple(id for id in halves.ids if id not in known):
            yield Finding(
                "warning",
                "unmatched-halves",
                f"{number(len(strangers), 'item')} with split halves of {target!r} and no row",
                strangers,
            )
    yield from _names(sorted(known))


def check_splits(dataset: Dataset) -> Iterator[Finding]:
    """Find rows without a split, and test sets that cannot be judged here."""
    if dataset.labels is None:
        return
    table = dataset.labels.table
    loose = {}
    for column in split_columns(dataset):
        rows = table.index[table[column].isna()]
        if 0 < len(rows) < len(table):
            loose[column] = tuple(rows)
        names = table[column].dropna().unique()
        if len(names) == 1:
            yield Finding(
                "note",
                "one-split",
                f"All rows{' with a split' if column in loose else ''} are of {called(column, names[0])}",
            )
    if loose:
        most = max(map(len, loose.values()))
        named = [column.partition(":")[2] for column in loose if column != SPLIT]
        where = f" in {', '.join(map(repr, named))}" if named else ""
        yield Finding(
            "warning",
            "no-split",
            f"{'Up to ' if len(loose) > 1 else ''}{most:,} of {len(table):,} rows belong to no split{where}: "
            "neither fitted nor judged",
            tuple(dict.fromkeys(id for rows in loose.values() for id in rows)),
        )
    yield from _unlabelled(dataset)


def _unlabelled(dataset: Dataset) -> Iterator[Finding]:
    assert dataset.labels is not None
    table = dataset.labels.table
    without: dict[tuple[str, str], list[str]] = defaultdict(list)
    findings = []
    for target in dataset.labels.targets:
        blank = table[target].isna()
        if not blank.any():
            continue
        if blank.all():
            findings.append(Finding("error", "no-scores", f"No row has a score for {target!r}"))
            continue
        told = pd.Series(False, index=table.index)
        for column in split_columns(dataset):
            for split, rows in table.groupby(column, sort=True):
                if rows[target].isna().all():
                    told |= table.index.isin(rows.index)
                    without[column, str(split)].append(target)
        left = table.index[blank & ~told]
        if len(left):
            few = len(left) < len(table) / 2
            findings.append(
                Finding(
                    "warning" if few else "note",
                    "unlabelled-rows",
                    f"{len(left):,} of {len(table):,} rows without a score for {target!r}",
                    tuple(left),
                )
            )
    for (column, split), targets in without.items():
        n = int((table[column] == split).sum())
        yield Finding(
            "note",
            "unlabelled-split",
            f"{called(column, split).capitalize()} has {number(n, 'row')} and no score for "
            f"{', '.join(map(repr, targets))}: it can be predicted, not judged",
        )
    yield from findings


def _names(ids: list[str]) -> Iterator[Finding]:
    """Find ids that some file systems or tables take for one."""
    by_case, by_stem = defaultdict(list), defaultdict(list)
    for id in ids:
        by_case[id.casefold()].append(id)
        path = PurePosixPath(id)
        if path.suffix.lower() in VIDEO_SUFFIXES | IMAGE_SUFFIXES:
            by_stem[str(path.with_suffix(""))].append(id)
    for code, groups, what in (
        ("same-but-case", by_case, "ids differ only by upper and lower case: one file on macOS and Windows"),
        ("same-but-suffix", by_stem, "files differ only by suffix; they may be one clip in two formats"),
    ):
        same = tuple(tuple(group) for group in groups.values() if len(group) > 1)
        if same:
            flat = tuple(id for group in same for id in group)
            yield Finding("warning", code, f"{len(flat):,} {what}", flat, same)


def _union(first: Iterable[str], second: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys([*first, *second]))
