"""How reliable the scores are: from the numbers of answers behind them, and from halves of the participants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from memfeat.checking.report import Annotations, Finding
from memfeat.checking.scores import kind_of, parts_of
from memfeat.dataset import Dataset
from memfeat.metrics import spearman
from memfeat.reliability import Agreement, from_counts, from_halves
from memfeat.store.labels import COUNT

_LEAST_AGREEMENT = 0.9
_FEW = 3


def answers(dataset: Dataset) -> tuple[Annotations, ...]:
    """Describe the numbers of answers of each target that has them, and the reliability that follows."""
    if dataset.labels is None:
        return ()
    found = []
    for target in dataset.labels.annotations:
        share = kind_of(target, dataset.labels.table[target]) == "share"
        for split, rows in parts_of(dataset):
            described = _describe(target, split, rows, share)
            if described is not None:
                found.append(described)
    return tuple(found)


def _describe(target: str, split: str | None, rows: pd.DataFrame, share: bool) -> Annotations | None:
    counts: pd.Series[Any] = rows[COUNT + target].dropna()
    if len(counts) == 0:
        return None
    return Annotations(
        target=target,
        split=split,
        n=len(counts),
        low=int(counts.min()),
        median=float(counts.median()),
        mean=float(counts.mean()),
        high=int(counts.max()),
        reliability=from_counts(rows[target], rows[COUNT + target]) if share else None,
    )


def check_annotations(dataset: Dataset) -> Iterator[Finding]:
    """Find scores behind which there are hardly any answers."""
    if dataset.labels is None:
        return
    table = dataset.labels.table
    for target, column in dataset.labels.annotations.items():
        scored = table[table[target].notna()]
        few = scored.index[scored[column] < _FEW]
        if len(few):
            yield Finding(
                "warning",
                "few-answers",
                f"{len(few):,} scores of {target!r} rest on fewer than {_FEW} answers",
                tuple(few),
            )
        unknown = scored.index[scored[column].isna()]
        if len(unknown):
            yield Finding(
                "note",
                "no-count",
                f"{len(unknown):,} scores of {target!r} have no number of answers",
                tuple(unknown),
            )


def check_halves(dataset: Dataset) -> tuple[dict[str, Agreement], list[Finding]]:
    """Return the agreement of the halves of each target, and whether they belong to the scores beside them."""
    found: dict[str, Agreement] = {}
    findings = []
    for target, halves in dataset.halves.items():
        if halves.a.shape != halves.b.shape or halves.a.shape[-1] != len(halves.ids):
            findings.append(
                Finding(
                    "error",
                    "halves-shape",
                    f"The split halves of {target!r} have shapes {halves.a.shape} and {halves.b.shape} for "
                    f"{len(halves.ids):,} items",
                )
            )
            continue
        agreement = from_halves(halves.a, halves.b)
        if agreement is None:
            findings.append(
                Finding("warning", "halves-undefined", f"The split halves of {target!r} have no correlation")
            )
            continue
        found[target] = agreement
        if dataset.labels is None or target not in dataset.labels.targets:
            continue
        # Rows in another order are the usual fault, and nothing else shows it.
        both = np.concatenate([halves.a, halves.b])
        seen = np.isfinite(both)
        sums = np.where(seen, both, 0.0).sum(axis=0)
        mean = pd.Series(
            np.divide(sums, seen.sum(axis=0), out=np.full(sums.shape, np.nan), where=seen.any(axis=0)),
            index=list(halves.ids),
        )
        pairs = pd.DataFrame({"all": dataset.labels.table[target], "halves": mean}).dropna()
        rho = spearman(pairs["all"], pairs["halves"]) if len(pairs) >= _FEW else None
        if rho is not None and rho < _LEAST_AGREEMENT:
            findings.append(
                Finding(
                    "error",
                    "halves-apart",
                    f"The means of the split halves of {target!r} and its scores correlate only {rho:.3f} "
                    "(Spearman): their rows may be in another order",
                )
            )
    return found, findings
