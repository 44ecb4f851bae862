"""Distances of a video from the centres of groups found by k-means."""

from __future__ import annotations

from sklearn.cluster import KMeans

from memfeat.estimators.similarity.context_measure import Array
from memfeat.estimators.similarity.prototypes import PrototypeMeasure


class KMeansPrototypes(PrototypeMeasure):
    """Distance of each row from each of k centres, found by k-means among the fitted rows.

    Parameters
    ----------
    k
        Number of centres; as many as there are rows when those are fewer. The M3-S model has 20.
    distance
        ``"euclidean"`` or ``"fractional"`` from the centres, or ``"kde"``: minus the log density of a group's
        rows, see `KernelDensityScore`.
    f
        Exponent of the fractional distance.
    n_components
        Dimensions of the whitened space, at most.
    scale
        Whether each column is z-scored with the fitted rows' mean and deviation.
    random_state
        Seed of the randomised decomposition and of k-means, which takes the best of ten starts.

    Attributes
    ----------
    labels_ : (n,) int
        The group of each fitted row.

    Examples
    --------
    >>> import numpy as np
    >>> corners = np.repeat([[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 5, axis=0)
    >>> distances = KMeansPrototypes(3, scale=False).fit_transform(corners)
    >>> (distances < 1e-9).sum(axis=0).tolist()  # each centre is the place of five rows
    [5, 5, 5]
    """

    def __init__(
        self,
        k: int = 20,
        *,
        distance: str = "euclidean",
        f: float = 0.5,
        n_components: int = 10,
        scale: bool = True,
        random_state: int = 0,
    ) -> None:
        self.k = k
        self.distance = distance
        self.f = f
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def _learn(self, scores: Array) -> None:
        if self.k < 1:
            raise ValueError(f"k={self.k!r}: give a number of centres, at least 1.")
        groups = KMeans(min(self.k, len(scores)), n_init=10, random_state=self.random_state).fit(scores)
        self.labels_ = groups.labels_
        found = range(groups.n_clusters)
        # Equal rows leave k-means with empty groups, which have no members to be near to.
        members = [scores[self.labels_ == group] for group in found]
        self._learn_groups(scores, [rows for rows in members if len(rows)])

    def _names(self) -> list[str]:
        return [f"kmeans{group}" for group in range(len(self.prototypes_))]
