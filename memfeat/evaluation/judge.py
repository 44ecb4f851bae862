"""From held-out predictions to figures: fold means first, pooled rows second, or one split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

from memfeat.errors import StoreError
from memfeat.metrics import METRICS
from memfeat.statistics import Figure, figures

if TYPE_CHECKING:
    import pandas as pd

How = Literal["fold mean", "pooled", "one split"]
COLUMNS = ("id", "split", "target", "predicted", "predicted_sd")
"""Columns of a table of predictions: the id, the part that held it out, true score, predicted score and its
predictive standard deviation (empty where the model gives none)."""


@dataclass(frozen=True, slots=True)
class Result:
    """One row of a results table: every metric of one model on one split, judged in one way."""

    split: str
    """The name of the split: ``5-fold``, ``test``, ``dev``."""
    how: How
    figures: dict[str, Figure]
    parts: dict[str, dict[str, float | None]]
    """Each metric in each fold; empty unless `how` is ``fold mean``."""

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        named = {name: figure.as_dict() for name, figure in self.figures.items()}
        return {"split": self.split, "how": self.how, "figures": named, "parts": self.parts}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Result:
        """Return the result that `as_dict` described; StoreError when a field is missing or unknown."""
        try:
            if values["how"] not in get_args(How):
                raise ValueError(f"unknown way of judging {values['how']!r}")
            named = {name: Figure.from_dict(figure) for name, figure in values["figures"].items()}
            return cls(values["split"], values["how"], named, values["parts"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise StoreError(f"A saved result is described wrongly: {error}.") from None


def judge(
    predictions: pd.DataFrame,
    *,
    split: str,
    k_fold: bool,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[Result, ...]:
    """Return the figures of held-out predictions, the headline first.

    Parameters
    ----------
    predictions
        Table with the columns `COLUMNS`. An id may stand in several folds, as in repeated k-fold: the videos
        are then resampled, and there are no pooled rows.
    split
        Name of the split, for tables.
    k_fold
        Whether ``split`` holds the fold of each row. The headline is then the mean over folds, with rows
        resampled within folds. Pooled rows follow: each fold's model has an offset of its own (a fold with
        high scores is predicted by a model of the lower rest), which biases a pooled correlation downwards,
        below zero for a model that knows nothing.
    resamples, level, seed
        As for `memfeat.statistics.figures`.

    Returns
    -------
    tuple of Result
    """
    truth, predicted = predictions["target"].to_numpy(), predictions["predicted"].to_numpy()
    settings: dict[str, Any] = {"resamples": resamples, "level": level, "seed": seed}
    if not k_fold:
        return (Result(split, "one split", figures(truth, predicted, **settings), {}),)
    folds = predictions["split"].to_numpy(dtype=str)
    parts: dict[str, dict[str, float | None]] = {}
    for fold in sorted(set(folds.tolist()), key=lambda name: (len(name), name)):
        held_out = folds == fold
        parts[fold] = {name: metric(truth[held_out], predicted[held_out]) for name, metric in METRICS.items()}
    units = predictions["id"].to_numpy(dtype=str)
    mean = Result(split, "fold mean", figures(truth, predicted, folds=folds, units=units, **settings), parts)
    if predictions["id"].duplicated().any():
        return (mean,)
    return mean, Result(split, "pooled", figures(truth, predicted, **settings), {})
