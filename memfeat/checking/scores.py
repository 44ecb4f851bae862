"""Scores of each target: statistics, impossible values, and the published figures beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from memfeat.checking.counting import SPLIT
from memfeat.checking.report import Comparison, Finding, Statistics
from memfeat.dataset import Dataset, Published
from memfeat.metrics import is_constant

_SLOPE = re.compile(r"decay|alpha|slope")
_OTHER_SCALE = re.compile(r"prime|(^|[_-])z([_-]|$)|zscore|logit")
_FAR_LOW, _FAR_HIGH = -1.0, 2.0


def kind_of(target: str, values: Any) -> str:
    """Return what a target is, by its name and its values: ``slope``, ``share`` or ``other``.

    A share of answers lies in [0, 1], or near it after a correction. Slopes of forgetting lie about 0.

    >>> kind_of("decay", [-0.002]), kind_of("memorability", [0.8, 0.9]), kind_of("memorability", [80, 91])
    ('slope', 'share', 'other')
    """
    if _SLOPE.search(target.lower()):
        return "slope"
    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    outside = finite.size > 0 and not 0 <= float(np.median(finite)) <= 1
    return "other" if outside or _OTHER_SCALE.search(target.lower()) else "share"


def parts_of(dataset: Dataset) -> Iterator[tuple[str | None, pd.DataFrame]]:
    """Yield all rows (None), then those of each official split."""
    if dataset.labels is None:
        return
    table = dataset.labels.table
    yield None, table
    if SPLIT in table:
        for split, rows in table.groupby(SPLIT, sort=True):
            if len(rows) < len(table):
                yield str(split), rows


def statistics(dataset: Dataset) -> tuple[Statistics, ...]:
    """Describe each target, over all rows and in each split."""
    targets = () if dataset.labels is None else dataset.labels.targets
    return tuple(
        _describe(target, split, rows[target]) for target in targets for split, rows in parts_of(dataset)
    )


def _describe(target: str, split: str | None, column: pd.Series[Any]) -> Statistics:
    values = column.dropna()
    some = len(values) > 0
    return Statistics(
        target=target,
        split=split,
        rows=len(column),
        n=len(values),
        mean=float(values.mean()) if some else None,
        sd=float(values.std()) if len(values) > 1 else None,
        low=float(values.min()) if some else None,
        high=float(values.max()) if some else None,
        distinct=int(values.nunique()),
    )


def check_scores(dataset: Dataset) -> Iterator[Finding]:
    """Find scores that cannot be, and say what a reader of figures has to know of them."""
    if dataset.labels is None:
        return
    for target in dataset.labels.targets:
        values = dataset.labels.table[target].dropna()
        if len(values) == 0:
            continue
        if len(values) > 1 and is_constant(values.to_numpy()):
            yield Finding(
                "error", "constant", f"All {len(values):,} scores of {target!r} are {values.iloc[0]:g}"
            )
        kind = kind_of(target, values)
        if kind == "slope":
            rising = int((values > 0).sum())
            if rising:
                yield Finding(
                    "note",
                    "rising-slopes",
                    f"{rising:,} of {len(values):,} slopes of {target!r} ({rising / len(values):.1%}) are "
                    "positive: remembered better after a longer delay, which is mostly noise",
                )
        elif kind == "other":
            yield Finding(
                "note",
                "other-scale",
                f"{target!r} is not on a scale from 0 to 1 ({values.min():g} to {values.max():g}): models that "
                "predict shares need it scaled",
            )
        else:
            yield from _range(target, values)


def _range(target: str, values: pd.Series[Any]) -> Iterator[Finding]:
    far = values[(values <= _FAR_LOW) | (values >= _FAR_HIGH)]
    if len(far):
        shown = ", ".join(f"{value:g}" for value in sorted(far.unique())[:3])
        yield Finding(
            "error",
            "impossible-scores",
            f"{len(far):,} scores of {target!r} are no shares, but may be codes for missing ones ({shown})",
            tuple(far.index),
        )
    near = values[((values < 0) | (values > 1)) & ~values.index.isin(far.index)]
    if len(near):
        yield Finding(
            "warning",
            "scores-outside",
            f"{len(near):,} of {len(values):,} scores of {target!r} lie outside 0 to 1 "
            f"({near.min():g} to {near.max():g}), as corrections for false alarms or delay make them; "
            "models that predict shares need them scaled",
            tuple(near.index),
        )


def compare(dataset: Dataset, published: Sequence[Published]) -> tuple[tuple[Comparison, ...], list[Finding]]:
    """Put published figures beside those of this copy.

    A mean or sd agrees when it rounds, give or take one unit of the last digit, to what was published.
    """
    if not published or dataset.labels is None:
        return (), []
    table = dataset.labels.table
    parts: dict[str | None, pd.DataFrame] = {None: table}
    if SPLIT in table:
        parts.update((str(split), rows) for split, rows in table.groupby(SPLIT))
    made, findings = [], []
    # Targets of other editions of a release are none of this copy's.
    ours = [each for each in published if each.target in table]
    absent: dict[str, None] = {}
    for each in ours:
        rows = parts.get(each.split)
        if rows is None or (each.n > 0 and not rows[each.target].notna().any()):
            where = f"split {each.split!r}" if each.split else "all rows"
            absent[where if rows is None else f"{each.target!r} in {where}"] = None
            continue
        row = _compare(each, _describe(each.target, each.split, rows[each.target]))
        made.append(row)
        if row.differs:
            what = f"{each.target!r}" + (f" in split {each.split!r}" if each.split else "")
            of = f" ({each.source})" if each.source else ""
            findings.append(Finding("error", "not-as-published", f"{what}: {_in_words(row)}{of}"))
    if not ours:
        known = dict.fromkeys(each.target for each in published)
        text = (
            f"No target here has published figures; {', '.join(known)} {'has' if len(known) == 1 else 'have'}"
        )
        findings.append(Finding("note", "not-compared", text))
    elif absent:
        text = f"There are published figures, and no scores here, for {', '.join(absent)}"
        findings.append(Finding("note", "not-compared", text))
    return tuple(made), findings


def _compare(each: Published, here: Statistics) -> Comparison:
    differs = ["n"] if each.n != here.n else []
    differs += ["mean"] if _apart(each.mean, [here.mean]) else []
    # Authors divide by n or by n - 1 and seldom say which.
    other = None if here.sd is None else here.sd * np.sqrt((here.n - 1) / here.n)
    differs += ["sd"] if _apart(each.sd, [here.sd, other]) else []
    return Comparison(
        target=each.target,
        split=each.split,
        source=each.source,
        published_n=each.n,
        n=here.n,
        published_mean=each.mean,
        mean=here.mean,
        published_sd=each.sd,
        sd=here.sd,
        differs=tuple(differs),
    )


def _apart(published: float | None, here: Sequence[float | None]) -> bool:
    if published is None:
        return False
    return all(value is None or abs(value - published) > tolerance(published) for value in here)


def tolerance(published: float) -> float:
    """Return one unit of the last digit of a published figure, and a little for floating point.

    >>> round(tolerance(0.756), 6), round(tolerance(0.800992), 9)
    (0.001, 1e-06)
    """
    exponent = Decimal(repr(float(published))).as_tuple().exponent
    return 10.0 ** (exponent if isinstance(exponent, int) else 0) * (1 + 1e-6)


def _in_words(row: Comparison) -> str:
    said = []
    if "n" in row.differs:
        said.append(f"{row.n:,} scores instead of {row.published_n:,}")
    for name, here, there in (
        ("mean", row.mean, row.published_mean),
        ("sd", row.sd, row.published_sd),
    ):
        if name in row.differs and there is not None:
            said.append(f"{name} {'undefined' if here is None else f'{here:.6g}'} instead of {there:g}")
    return ", ".join(said)
