"""How thinly a video's neighbourhood is populated by the fitted videos."""

from __future__ import annotations

import numpy as np

from memfeat.estimators.similarity.context_measure import Array, ContextMeasure
from memfeat.estimators.similarity.density import choose_bandwidth, log_density


class KernelDensityScore(ContextMeasure):
    """Minus the log density of the fitted rows at each row: large where videos are unusual.

    Epanechnikov kernel in the whitened space; the bandwidth is the one of 0.01 to 100 (100 values in equal
    ratios) under which held-out rows of five folds are likeliest. The cost grows with the square of the rows:
    about ten seconds at 10,000.

    A fitted row's own kernel counts in its density, as published, which makes fitted rows look a little more
    usual than new ones. A new row without any fitted row within the bandwidth has density 0 and a score of
    infinity, which becomes the mean of the fitted rows' scores, as published: such a row then looks average
    although it is far from everything. ``outside="largest"`` gives it the largest fitted score.

    Parameters
    ----------
    outside
        Score of a row with density 0: ``"mean"`` or ``"largest"`` of the fitted rows'.
    max_rows
        The density is that of the first `max_rows` fitted rows.
    n_components
        Dimensions of the space, at most.
    scale
        Whether the scores are z-scored with the fitted rows' mean and deviation.
    random_state
        Seed of the randomised decomposition.

    Attributes
    ----------
    bandwidth_ : float
    points_ : (m, k) float64
        The rows whose density it is.
    outside_ : float
        The score, before scaling, of a row with density 0.

    Examples
    --------
    >>> videos = np.random.default_rng(0).normal(size=(80, 3))
    >>> context = KernelDensityScore().fit(videos)
    >>> usual, unusual = context.transform([videos.mean(axis=0), [2.0, 2.0, 2.0]])[:, 0]
    >>> bool(usual < 0 < unusual)
    True
    """

    def __init__(
        self,
        *,
        outside: str = "mean",
        max_rows: int = 10_000,
        n_components: int = 10,
        scale: bool = True,
        random_state: int = 0,
    ) -> None:
        self.outside = outside
        self.max_rows = max_rows
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def _learn(self, scores: Array) -> None:
        if self.outside not in ("mean", "largest"):
            raise ValueError(f"outside={self.outside!r}; expected 'mean' or 'largest'.")
        if self.max_rows < 2:
            raise ValueError(f"max_rows={self.max_rows!r}: a density needs at least 2 rows.")
        self.points_ = scores[: self.max_rows].copy()
        self.bandwidth_ = choose_bandwidth(self.points_)
        fitted = -log_density(scores, self.points_, self.bandwidth_)
        finite = fitted[np.isfinite(fitted)]
        self.outside_ = float(finite.mean() if self.outside == "mean" else finite.max())

    def _values(self, scores: Array) -> Array:
        values = -log_density(scores, self.points_, self.bandwidth_)
        return np.where(np.isfinite(values), values, self.outside_)[:, None]

    def _names(self) -> list[str]:
        return ["kde"]
