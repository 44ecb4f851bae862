"""What the measures of contextual similarity share: the space they are taken in, and the scale they come in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_is_fitted, validate_data

from memfeat.estimators.principal_components import PrincipalComponents

Array = npt.NDArray[Any]


class ContextMeasure(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """A measure taken on whitened principal components, z-scored over the fitted rows.

    A measure is a subclass with ``_learn(scores)``, which keeps what it needs of the fitted rows,
    ``_values(scores)``, shape (n, columns), and ``_names()``. Its ``__init__`` has `n_components`, `scale`
    and `random_state` beside parameters of its own.

    Attributes
    ----------
    pca_ : PrincipalComponents
        The space. The mean of the fitted rows is its origin.
    scaler_ : StandardScaler or None
        Mean and deviation of the measure over the fitted rows; None when ``scale=False``.
    n_features_in_ : int
    """

    n_components: int
    scale: bool
    random_state: int

    def fit(self, X: npt.ArrayLike, y: object = None) -> ContextMeasure:
        """Take the rows of X, shape (n, d), as the context.

        Raises
        ------
        ValueError
            Fewer than two rows, values that are not finite, or a parameter out of range.
        """
        self._fit(X)
        return self

    def fit_transform(self, X: npt.ArrayLike, y: object = None) -> Array:
        """Fit, and measure the same rows; equal to `transform` of them."""
        return self._fit(X)

    def transform(self, X: npt.ArrayLike) -> Array:
        """Return the measure of each row of X, shape (n, columns), float64, without refitting.

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        check_is_fitted(self)
        checked = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        return self._scaled(self._values(self.pca_.transform(checked)))

    def get_feature_names_out(self, input_features: Sequence[str] | None = None) -> Array:
        """Return the names of the columns; `input_features` is checked for its length alone."""
        check_is_fitted(self)
        check_input_names(input_features, self.n_features_in_)
        return np.array(self._names(), dtype=object)

    def _fit(self, X: npt.ArrayLike, **learning: Any) -> Array:
        checked = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        self.pca_ = PrincipalComponents(self.n_components, random_state=self.random_state).fit(checked)
        scores = self.pca_.transform(checked)
        self._learn(scores, **learning)
        values = self._values(scores)
        self.scaler_ = StandardScaler().fit(values) if self.scale else None
        return self._scaled(values)

    def _scaled(self, values: Array) -> Array:
        scaled: Array = values if self.scaler_ is None else self.scaler_.transform(values)
        return scaled

    def _learn(self, scores: Array) -> None:
        """Keep what the measure needs of the fitted rows' scores, shape (n, k): by default nothing."""

    def _values(self, scores: Array) -> Array:
        raise NotImplementedError

    def _names(self) -> list[str]:
        raise NotImplementedError


def check_input_names(names: Sequence[str] | None, expected: int) -> None:
    """Refuse names of input columns that are not as many as the columns were.

    Raises
    ------
    ValueError
        In scikit-learn's words.

    Examples
    --------
    >>> check_input_names(["a", "b"], 3)
    Traceback (most recent call last):
    ...
    ValueError: input_features should have length equal to number of features (3), got 2
    """
    if names is not None and len(names) != expected:
        raise ValueError(
            f"input_features should have length equal to number of features ({expected}), got {len(names)}"
        )
