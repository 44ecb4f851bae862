"""Everything about a dataset's copy that can be known before hours are spent on it."""

from __future__ import annotations

import os
from collections.abc import Sequence

from memfeat.checking.consistency import answers, check_annotations, check_halves
from memfeat.checking.counting import check_ids, check_splits, count
from memfeat.checking.duplicates import Kind, by_group, by_text, check_duplicates
from memfeat.checking.files import check_media, same_content, sizes_of
from memfeat.checking.report import Finding, Report, in_order
from memfeat.checking.scores import check_scores, compare, statistics
from memfeat.dataset import Dataset, Published
from memfeat.extraction.progress import Reporter, Silent


def check(
    dataset: Dataset,
    *,
    published: Sequence[Published] = (),
    hash_files: bool = True,
    headers: bool = True,
    deep: bool = False,
    threads: int | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Look for whatever is wrong with a dataset as it lies here. Nothing is changed.

    Parameters
    ----------
    dataset
        As `memfeat.datasets.load` gives it, or built by hand.
    published
        Figures that a complete copy has: ``memfeat.datasets.get(adapter).published``.
    hash_files
        Look for files with the same bytes. Only files of equal size are read.
    headers
        Open every file: unreadable and truncated ones are found, sizes, rates and durations described.
    deep
        Decode every frame of every file. As slow as extraction's decoding; finds all damage.
    threads
        Files that are read at a time; default one per core, at most 8.
    reporter
        Is told of progress.

    Returns
    -------
    Report
        Its findings are errors (results would be wrong, or data is not there), warnings (results may mislead unless
        something is done) and notes. See ``report.ok``, ``report["missing-files"]``, ``report.table()`` and
        ``report.to_dict()``.

    Notes
    -----
    In a notebook, with a recipe: ``plan = memfeat.recipe.load("lamem")``, then ``check(memfeat.datasets.load(plan),
    published=memfeat.datasets.get(plan.dataset.adapter).published)``.

    Examples
    --------
    >>> import pandas as pd
    >>> from memfeat.dataset import Dataset, Published
    >>> from memfeat.store.labels import Labels
    >>> table = pd.DataFrame(
    ...     {"score": [0.5, 0.7, 0.9, None], "split": ["train", "train", "train", "test"]},
    ...     index=["a.mp4", "b.mp4", "c.mp4", "d.mp4"],
    ... )
    >>> report = check(Dataset("pilot", {}, Labels(table)), published=[Published("score", n=4)])
    >>> print(report)
    pilot: 4 rows, 0 files. 1 error, no warnings, 2 notes.
    error not-as-published: 'score': 3 scores instead of 4
    note no-media: No videos or images are here: scores and texts alone, for --labels-only
    note unlabelled-split: Split 'test' has 1 row and no score for 'score': it can be predicted, not judged
    >>> print(report.table()[["target", "split", "n", "low", "high"]].head(1).to_string(index=False))
    target split  n  low  high
     score   all  3  0.5   0.9
    """
    reporter = reporter or Silent()
    threads = threads or _cores()
    findings: list[Finding] = [*check_ids(dataset)]
    compared, differences = compare(dataset, published)
    findings += differences
    findings += check_scores(dataset)
    findings += check_splits(dataset)
    findings += check_annotations(dataset)
    agreements, apart = check_halves(dataset)
    findings += apart

    status, unreachable = sizes_of(dataset.files)
    findings += unreachable
    media = None
    if headers or deep:
        media, problems = check_media(dataset.files, status, reporter, deep=deep, threads=threads)
        findings += problems
    kinds = [*by_text(dataset)]
    if (named := by_group(dataset)) is not None:
        kinds.append(named)
    if hash_files:
        same, unread = same_content(dataset.files, status, reporter, threads=threads)
        kinds.insert(0, Kind("content", "have the same bytes as another", same))
        findings += unread
    findings += check_duplicates(dataset, kinds)

    return Report(
        name=dataset.name,
        counts=count(dataset),
        statistics=statistics(dataset),
        comparisons=compared,
        annotations=answers(dataset),
        halves=agreements,
        media=media,
        findings=tuple(in_order(findings)),
        remarks=dataset.remarks,
        note="" if dataset.labels is None else dataset.labels.note,
    )


def _cores() -> int:
    # What this process may use: on a shared machine fewer than there are.
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
