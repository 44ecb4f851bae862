"""Share of the fitted videos that lie in about the same direction as a video."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memfeat.estimators.similarity.context_measure import Array, ContextMeasure
from memfeat.estimators.similarity.cosine import directions

ROWS_AT_A_TIME = 256


class CosineThreshold(ContextMeasure):
    """Share of the fitted rows whose cosine with a row is at least a threshold; one column per threshold.

    Cosines are taken in the whitened space, around the fitted rows' mean. Only fitted rows are counted, also
    for new rows: the published code counts held-out rows too, which lets them influence each other. A fitted
    row counts itself, as published; that adds 1/n to each of them alike. A row at the mean has no direction
    and counts nobody.

    Parameters
    ----------
    thresholds
        Cosines, above -1 and below 1.
    n_components
        Dimensions of the space, at most.
    scale
        Whether the shares are z-scored with the fitted rows' mean and deviation.
    random_state
        Seed of the randomised decomposition.

    Attributes
    ----------
    directions_ : (n, k) float64
        The fitted rows, each divided by its length.

    Examples
    --------
    >>> videos = [[5.0, 0.0], [7.0, 0.0], [-5.0, 0.0], [-7.0, 0.0], [0.0, 3.0], [0.0, -3.0]]
    >>> shares = CosineThreshold(0.9, scale=False).fit_transform(videos)
    >>> (shares[:, 0] * 6).round().astype(int).tolist()  # itself and, for the first four, its neighbour
    [2, 2, 2, 2, 1, 1]
    """

    def __init__(
        self,
        thresholds: float | Sequence[float] = (0.4, 0.5, 0.7),
        *,
        n_components: int = 10,
        scale: bool = True,
        random_state: int = 0,
    ) -> None:
        self.thresholds = thresholds
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def _learn(self, scores: Array) -> None:
        if not self._thresholds() or not all(-1 < threshold < 1 for threshold in self._thresholds()):
            raise ValueError(
                f"thresholds={self.thresholds!r}: give one or more cosines above -1 and below 1."
            )
        self.directions_ = directions(scores)

    def _values(self, scores: Array) -> Array:
        rows = directions(scores)
        counts = np.empty((len(rows), len(self._thresholds())))
        for start in range(0, len(rows), ROWS_AT_A_TIME):
            chunk = slice(start, start + ROWS_AT_A_TIME)
            cosines = rows[chunk] @ self.directions_.T
            for column, threshold in enumerate(self._thresholds()):
                counts[chunk, column] = np.count_nonzero(cosines >= threshold, axis=1)
        return counts / len(self.directions_)

    def _names(self) -> list[str]:
        return [f"cosine_threshold_{threshold:g}" for threshold in self._thresholds()]

    def _thresholds(self) -> tuple[float, ...]:
        return tuple(np.atleast_1d(self.thresholds).tolist())
