"""Transformers of a feature that are fitted on something beside it: its first frames, or the rows' classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from memfeat.evaluation.preparation import Blocks

Array = npt.NDArray[Any]


class FittedOnFirst(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a transformer on the first frames of the rows and applies it to another reduction of the feature.

    Parameters
    ----------
    transformer
        Fitted on the first frames.

    Attributes
    ----------
    transformer_
        Its fitted copy.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> mean, first = np.array([[3.0], [5.0]]), np.array([[0.0], [2.0]])
    >>> FittedOnFirst(StandardScaler()).fit_transform(Blocks([mean, first])).tolist()
    [[2.0], [4.0]]
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def fit(self, X: Blocks | Array, y: object = None) -> FittedOnFirst:
        """Fit on the second half of X: `Blocks` of the values and the first frames, or both side by side."""
        self.transformer_ = clone(self.transformer).fit(_halves(X)[1])
        return self

    def transform(self, X: Blocks | Array) -> Array:
        """Return what the transformer makes of the first half of X, the values."""
        check_is_fitted(self)
        return np.asarray(self.transformer_.transform(_halves(X)[0]))


class WithClasses(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a transformer that asks for the classes of each fitted row; rows to transform need none.

    Parameters
    ----------
    transformer
        Its ``fit`` takes ``classes``, one tuple of labels per row.

    Attributes
    ----------
    transformer_
        Its fitted copy.
    """

    def __init__(self, transformer: Any) -> None:
        self.transformer = transformer

    def fit(self, X: Blocks, y: object = None) -> WithClasses:
        """Fit on X, `Blocks` of the values and the rows' classes, an object array (n, 1) of tuples of strings.

        Raises
        ------
        ValueError
            X is something else, or the transformer has too few classes.
        """
        values, classes = _with_classes(X)
        self.transformer_ = clone(self.transformer).fit(values, classes=classes)
        return self

    def transform(self, X: Blocks) -> Array:
        """Return what the transformer makes of the values; classes are not looked at."""
        check_is_fitted(self)
        return np.asarray(self.transformer_.transform(_with_classes(X)[0]))


def _halves(X: Blocks | Array) -> tuple[Any, Any]:
    if isinstance(X, Blocks):
        values, first = X.arrays
    else:
        width = X.shape[1] // 2
        values, first = X[:, :width], X[:, width:]
    if values.shape[1] != first.shape[1]:
        raise ValueError(
            f"Values have {values.shape[1]} columns and first frames {first.shape[1]}; equal are needed."
        )
    return values, first


def _with_classes(X: Blocks) -> tuple[Any, list[tuple[str, ...]]]:
    if not isinstance(X, Blocks) or len(X.arrays) != 2 or X.arrays[1].dtype != object:
        raise ValueError("Values and classes are needed as Blocks of two arrays.")
    values, classes = X.arrays
    return values, list(classes[:, 0])
