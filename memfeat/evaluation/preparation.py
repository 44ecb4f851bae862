"""What is done to a feature's columns before a regressor sees them, as scikit-learn transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix, hstack, issparse
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils.validation import check_array, check_is_fitted

from memfeat.errors import UsageError

Array = npt.NDArray[Any]
PASS = "passthrough"  # scikit-learn's own word for no transformer


class Blocks:
    """Arrays with one row per video, side by side but kept apart: each with its own dtype.

    One array for all would turn float32 vectors into float64 or take digits from the scalars beside them.
    Rows are chosen as from an array (``X[rows]``), which is all that scikit-learn's splitters ask for.

    Parameters
    ----------
    arrays
        Shapes (n, width), equal n. Texts are object arrays (n, 1) whose cells are tuples of strings. What one
        transformer needs together may be `Blocks` again.

    Examples
    --------
    >>> X = Blocks([np.zeros((3, 4), np.float32), np.ones((3, 1))])
    >>> X.shape, X[[0, 2]].shape
    ((3, 5), (2, 5))
    """

    ndim = 2

    def __init__(self, arrays: Sequence[Array | Blocks]) -> None:
        self.arrays: tuple[Any, ...] = tuple(arrays)
        if not self.arrays or any(a.ndim != 2 or len(a) != len(self.arrays[0]) for a in self.arrays):
            shapes = ", ".join(str(a.shape) for a in self.arrays) or "none"
            raise UsageError(f"Blocks are arrays (n, width) with equal n; got the shapes {shapes}.")

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and columns of all arrays together."""
        return len(self.arrays[0]), sum(array.shape[1] for array in self.arrays)

    def __len__(self) -> int:
        return len(self.arrays[0])

    def __getitem__(self, rows: Any) -> Blocks:
        chosen = rows[0] if isinstance(rows, tuple) else rows
        return Blocks([array[chosen] for array in self.arrays])


class PerFeature(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Prepares each feature by a transformer of its own and puts the results side by side, in float64.

    The result is an array, or a scipy CSR matrix when one of the transformers gives a sparse one.

    Parameters
    ----------
    parts
        One ``(name, width, transformer)`` per feature, in the order of the columns; the transformer
        ``"passthrough"`` leaves values as they are.

    Attributes
    ----------
    parts_ : list
        The same with fitted copies of the transformers.
    n_features_in_ : int
        Sum of the widths.

    Examples
    --------
    >>> from sklearn.preprocessing import StandardScaler
    >>> prepared = PerFeature([("a", 1, StandardScaler()), ("b", 1, "passthrough")])
    >>> prepared.fit_transform([[1.0, 5.0], [3.0, 7.0]])
    array([[-1.,  5.],
           [ 1.,  7.]])
    """

    def __init__(self, parts: Sequence[tuple[str, int, Any]]) -> None:
        self.parts = parts

    def fit(self, X: Blocks | npt.ArrayLike, y: object = None) -> PerFeature:
        """Fit each transformer on its columns of X: `Blocks`, or an array (n, sum of widths)."""
        self._fit_transform(X, transform=False)
        return self

    def fit_transform(self, X: Blocks | npt.ArrayLike, y: object = None) -> Any:
        """Fit, and return the prepared X; see `transform`."""
        return _side_by_side(self._fit_transform(X, transform=True))

    def transform(self, X: Blocks | npt.ArrayLike) -> Any:
        """Return the prepared columns, shape (n, k), float64: an array or a CSR matrix.

        Raises
        ------
        ValueError
            Other widths than in `fit`, or values that are not finite.
        """
        return _side_by_side(self.transform_apart(X))

    def transform_apart(self, X: Blocks | npt.ArrayLike) -> list[Any]:
        """Return the prepared columns of each feature by itself, shapes (n, k), else as `transform`."""
        check_is_fitted(self)
        pairs = zip(self.parts_, self._split(X), strict=True)
        return [_float64(block if t == PASS else t.transform(block)) for (_, _, t), block in pairs]

    def _fit_transform(self, X: Blocks | npt.ArrayLike, *, transform: bool) -> list[Any]:
        fitted, prepared = [], []
        for (name, width, unfitted), block in zip(self.parts, self._split(X), strict=True):
            transformer = unfitted if unfitted == PASS else clone(unfitted)
            if transformer != PASS and transform:
                prepared.append(_float64(transformer.fit_transform(block)))
            elif transformer != PASS:
                transformer.fit(block)
            elif transform:
                prepared.append(_float64(block))
            fitted.append((name, width, transformer))
        self.parts_ = fitted
        self.n_features_in_ = sum(width for _, width, _ in self.parts)
        return prepared

    def _split(self, X: Blocks | npt.ArrayLike) -> list[Any]:
        widths = [width for _, width, _ in self.parts]
        if isinstance(X, Blocks):
            found = [array.shape[1] for array in X.arrays]
            if found != widths:
                raise ValueError(f"X has blocks of {found} columns; PerFeature has parts of {widths}.")
            return list(X.arrays)
        array = check_array(X, dtype=[np.float64, np.float32])
        if array.shape[1] != sum(widths):
            raise ValueError(
                f"X has {array.shape[1]} features, but PerFeature is expecting {sum(widths)} features."
            )
        return np.split(array, np.cumsum(widths)[:-1], axis=1)


def _float64(block: Any) -> Any:
    sparse = bool(issparse(block))
    return block.astype(np.float64, copy=False) if sparse else np.asarray(block, dtype=np.float64)


def _side_by_side(prepared: list[Any]) -> Any:
    if any(issparse(block) for block in prepared):
        return csr_matrix(hstack([csr_matrix(block) for block in prepared]))
    return np.hstack(prepared)
