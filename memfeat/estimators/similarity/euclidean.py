"""Euclidean distance from the mean of the fitted videos."""

from __future__ import annotations

import numpy as np

from memfeat.estimators.similarity.context_measure import Array, ContextMeasure


class EuclideanDistance(ContextMeasure):
    """Euclidean distance of each row from the mean of the fitted rows, in the whitened space.

    Since that space is whitened, it is the Mahalanobis distance within the kept components:
    ``sqrt(sum_k u_k^2)``, about the square root of their number for a typical row.

    Parameters
    ----------
    n_components
        Dimensions of the space, at most.
    scale
        Whether the distances are z-scored with the fitted rows' mean and deviation.
    random_state
        Seed of the randomised decomposition.

    Examples
    --------
    >>> videos = np.random.default_rng(0).normal(size=(60, 8))
    >>> squared = EuclideanDistance(scale=False).fit_transform(videos) ** 2
    >>> round(float(squared.sum()) / 59, 6)  # the variances of eight components
    8.0
    """

    def __init__(self, *, n_components: int = 10, scale: bool = True, random_state: int = 0) -> None:
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def _values(self, scores: Array) -> Array:
        lengths: Array = np.linalg.norm(scores, axis=1, keepdims=True)
        return lengths

    def _names(self) -> list[str]:
        return ["euclidean"]
