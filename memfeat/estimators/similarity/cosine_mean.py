"""Cosine between a video and the mean of the fitted videos."""

from __future__ import annotations

from memfeat.estimators.similarity.context_measure import Array, ContextMeasure
from memfeat.estimators.similarity.cosine import cosines


class CosineToMean(ContextMeasure):
    """Cosine of the angle between each row and the mean of the fitted rows, in -1..1 before scaling.

    Rows and mean are seen along the whitened components, from the feature's own origin: ``cos(W x, W m)``,
    with the components divided by their deviation as the rows of W. The published M3-S code takes the cosine
    after centring, where the mean is zero but for rounding, so that its values are cosines with an arbitrary
    direction; that is not offered. A row or a mean of zeros has cosine 0.

    Parameters
    ----------
    n_components
        Dimensions of the space, at most.
    scale
        Whether the cosines are z-scored with the fitted rows' mean and deviation.
    random_state
        Seed of the randomised decomposition.

    Attributes
    ----------
    origin_ : (1, k) float64
        The fitted rows' mean along the whitened components.

    Examples
    --------
    >>> import numpy as np
    >>> videos = np.random.default_rng(0).normal(loc=1.0, size=(60, 30))
    >>> context = CosineToMean(scale=False).fit(videos)
    >>> np.round(context.transform([videos.mean(axis=0), -videos.mean(axis=0)]), 6).tolist()
    [[1.0], [-1.0]]
    """

    def __init__(self, *, n_components: int = 10, scale: bool = True, random_state: int = 0) -> None:
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def _learn(self, scores: Array) -> None:
        self.origin_ = (self.pca_.components_ @ self.pca_.mean_)[None]

    def _values(self, scores: Array) -> Array:
        return cosines(scores + self.origin_, self.origin_)

    def _names(self) -> list[str]:
        return ["cosine_mean"]
