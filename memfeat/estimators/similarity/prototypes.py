"""Distances of videos from several groups of fitted videos."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from memfeat.estimators.similarity.context_measure import Array, ContextMeasure
from memfeat.estimators.similarity.density import choose_bandwidth, log_density
from memfeat.estimators.similarity.distances import fractional_distances

DISTANCES = ("euclidean", "fractional", "kde")


class PrototypeMeasure(ContextMeasure):
    """One column per group of fitted rows: a row's distance from the group's mean, or from its density.

    A subclass calls ``_learn_groups`` with the groups' rows and has the parameters `distance` and `f`.

    Attributes
    ----------
    prototypes_ : (groups, k) float64
        The groups' means in the whitened space.
    members_ : list of (m, k) float64
        With ``distance="kde"`` the groups' rows; else empty.
    bandwidths_ : list of float
        With ``distance="kde"`` one per group.
    outside_ : list of float
        With ``distance="kde"`` the score of rows where a group's density is 0: the mean of the fitted rows'
        finite scores.
    """

    distance: str
    f: float

    def _learn_groups(self, scores: Array, groups: Sequence[Array]) -> None:
        if self.distance not in DISTANCES:
            raise ValueError(f"distance={self.distance!r}; expected one of {', '.join(DISTANCES)}.")
        self.prototypes_ = np.array([group.mean(axis=0) for group in groups])
        self.members_: list[Array] = []
        self.bandwidths_: list[float] = []
        self.outside_: list[float] = []
        if self.distance == "kde":
            self.members_ = [group.copy() for group in groups]
            self.bandwidths_ = [choose_bandwidth(group) for group in groups]
            fitted = self._densities(scores)
            self.outside_ = [float(column[np.isfinite(column)].mean()) for column in fitted.T]

    def _values(self, scores: Array) -> Array:
        if self.distance == "kde":
            values = self._densities(scores)
            return np.where(np.isfinite(values), values, self.outside_)
        return fractional_distances(scores, self.prototypes_, 2.0 if self.distance == "euclidean" else self.f)

    def _densities(self, scores: Array) -> Array:
        per_group = zip(self.members_, self.bandwidths_, strict=True)
        return np.column_stack([-log_density(scores, members, width) for members, width in per_group])
