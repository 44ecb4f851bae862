"""Distances of a video from the fitted videos of each class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.estimators.similarity.context_measure import Array
from memfeat.estimators.similarity.prototypes import PrototypeMeasure


class ClassPrototypes(PrototypeMeasure):
    """Distance of each row from the mean of the fitted rows of each class, such as an action.

    A row may have several classes or none; new rows need none. The M3-S model takes all 551 action labels of
    Memento10k, for densities those of at least 780 videos.

    Parameters
    ----------
    min_members
        Classes with fewer fitted rows are left out: a class of one video is that video.
    distance
        ``"euclidean"`` or ``"fractional"`` from the classes' means, or ``"kde"``: minus the log density of a
        class's rows, see `KernelDensityScore`.
    f
        Exponent of the fractional distance.
    n_components
        Dimensions of the whitened space, at most.
    scale
        Whether each column is z-scored with the fitted rows' mean and deviation.
    random_state
        Seed of the randomised decomposition.

    Attributes
    ----------
    classes_ : list of str
        The classes used, one per column, sorted.
    counts_ : list of int
        Their fitted rows.
    left_out_ : dict
        Fitted rows of the classes with too few.

    Examples
    --------
    >>> videos = np.random.default_rng(0).normal(size=(40, 12))
    >>> actions = [("running",)] * 15 + [("running", "jumping")] * 10 + [("cooking",)] * 12 + [()] * 3
    >>> context = ClassPrototypes(min_members=12).fit(videos, classes=actions)
    >>> context.classes_, context.counts_, context.left_out_
    (['cooking', 'running'], [12, 25], {'jumping': 10})
    >>> context.transform(videos).shape
    (40, 2)
    """

    def __init__(
        self,
        min_members: int = 10,
        *,
        distance: str = "euclidean",
        f: float = 0.5,
        n_components: int = 10,
        scale: bool = True,
        random_state: int = 0,
    ) -> None:
        self.min_members = min_members
        self.distance = distance
        self.f = f
        self.n_components = n_components
        self.scale = scale
        self.random_state = random_state

    def fit(
        self, X: npt.ArrayLike, y: object = None, classes: Sequence[Any] | Array | None = None
    ) -> ClassPrototypes:
        """Take the rows of X, shape (n, d), and their classes as the context.

        Parameters
        ----------
        X
            Shape (n, d).
        y
            Not used: scores are no classes.
        classes
            One tuple of labels per row; a label alone stands for a tuple of one. A column of texts, shape
            (n, 1) with a tuple in each cell, does as well.

        Raises
        ------
        ValueError
            No classes, not one entry per row, or no class with `min_members` rows; else as `transform`.
        """
        self._fit(X, classes=classes)
        return self

    def fit_transform(
        self, X: npt.ArrayLike, y: object = None, classes: Sequence[Any] | Array | None = None
    ) -> Array:
        """Fit, and measure the same rows; see `fit` and `transform`."""
        return self._fit(X, classes=classes)

    def _learn(self, scores: Array, classes: Sequence[Any] | Array | None = None) -> None:
        if classes is None:
            raise ValueError(
                "ClassPrototypes needs classes, one tuple of labels per row: fit(X, classes=...)."
            )
        if len(classes) != len(scores):
            raise ValueError(f"classes has {len(classes)} entries for {len(scores)} rows; give one per row.")
        labels = [_labels(entry) for entry in classes]
        counts = Counter(label for row in labels for label in row)
        self.classes_ = sorted(label for label, count in counts.items() if count >= self.min_members)
        self.counts_ = [counts[label] for label in self.classes_]
        self.left_out_ = {label: counts[label] for label in sorted(set(counts) - set(self.classes_))}
        if not self.classes_:
            largest = max(counts.values(), default=0)
            raise ValueError(
                f"no class has min_members={self.min_members} rows: {len(counts)} classes among "
                f"{len(scores)} rows, the largest with {largest}. Lower min_members."
            )
        groups = [scores[np.array([label in row for row in labels], dtype=bool)] for label in self.classes_]
        self._learn_groups(scores, groups)

    def _names(self) -> list[str]:
        return list(self.classes_)


def _labels(entry: Any) -> frozenset[str]:
    if isinstance(entry, np.ndarray):  # one row of a column of texts
        return frozenset(label for cell in entry.ravel() for label in _labels(cell))
    return frozenset([entry] if isinstance(entry, str) else entry)
