"""Fractional distance from the mean of the fitted videos."""

from __future__ import annotations

import numpy as np

from memfeat.estimators.similarity.context_measure import Array, ContextMeasure
from memfeat.estimators.similarity.distances import fractional_distances


class FractionalDistance(ContextMeasure):
    """Fractional distance of each row from the mean of the fitted rows.

    In the whitened space, where that mean is the origin, a row u has the distance
    ``(sum_k |u_k|^f)^(1/f)``. With f below 1, differences in many directions count for more than one large
    difference, and distances stay spread out where Euclidean ones concentrate.

    Parameters
    ----------
    f
        Exponent, above 0; 2 gives the Euclidean distance. The M3-S model has 0.5.
    n_components
        Dimensions of the space, at most.
    scale
        Whether the distances are z-scored with the fitted rows' mean and deviation.
    random_state
        Seed of the randomised decomposition.

    References
    ----------
    Aggarwal, C., Hinneburg, A. and Keim, D. (2001), On the surprising behavior of distance metrics in high
    dimensional space, ICDT.

    Examples
    --------
    >>> import numpy as np
    >>> videos = np.random.default_rng(0).normal(size=(60, 30))
    >>> context = FractionalDistance(scale=False).fit(videos)
    >>> usual, unusual = context.transform([videos.mean(axis=0), videos[0] + 5])[:, 0]
    >>> bool(usual < 1e-6 < unusual)
    True
    """

    def __init__(
        self, f: float = 0.5, *, n_components: int = 10, scale: bool = True, random_state: int = 0
    ) -> None:
        self.f = f
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def _values(self, scores: Array) -> Array:
        return fractional_distances(scores, np.zeros((1, scores.shape[1])), self.f)

    def _names(self) -> list[str]:
        return ["fractional"]
