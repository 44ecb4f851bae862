"""What is done to a feature's columns before a regressor sees them, as scikit-learn transformers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_array, check_is_fitted, validate_data

from memfeat.errors import UsageError

Array = npt.NDArray[Any]
NO_VARIANCE = 1e-12  # share of the first component's variance below which a direction is rounding noise
ROWS_AT_A_TIME = 512
PASS = "passthrough"


class Blocks:
    """Arrays with one row per video, side by side but kept apart: each with its own dtype.

    One array for all would turn float32 vectors into float64 or take digits from the scalars beside them.
    Rows are chosen as from an array (``X[rows]``), which is all that scikit-learn's splitters ask for.

    Parameters
    ----------
    arrays
        Shapes (n, width), equal n.

    Examples
    --------
    >>> X = Blocks([np.zeros((3, 4), np.float32), np.ones((3, 1))])
    >>> X.shape, X[[0, 2]].shape
    ((3, 5), (2, 5))
    """

    def __init__(self, arrays: Sequence[Array]) -> None:
        self.arrays = tuple(arrays)
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

    def fit_transform(self, X: Blocks | npt.ArrayLike, y: object = None) -> Array:
        """Fit, and return the prepared X; see `transform`."""
        return np.hstack(self._fit_transform(X, transform=True))

    def transform(self, X: Blocks | npt.ArrayLike) -> Array:
        """Return the prepared columns, shape (n, k), float64.

        Raises
        ------
        ValueError
            Other widths than in `fit`, or values that are not finite.
        """
        check_is_fitted(self)
        pairs = zip(self.parts_, self._split(X), strict=True)
        return np.hstack([_float64(block if t == PASS else t.transform(block)) for (_, _, t), block in pairs])

    def _fit_transform(self, X: Blocks | npt.ArrayLike, *, transform: bool) -> list[Array]:
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

    def _split(self, X: Blocks | npt.ArrayLike) -> list[Array]:
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


class PrincipalComponents(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Scores on the first principal components, whitened: mean 0 and variance 1 over the fitted rows.

    scikit-learn's ``PCA(n_components, whiten=True, svd_solver="randomized")`` in float64, with two
    differences where that one has no usable answer: fewer rows than components give ``rows - 1``
    components, and directions without variance (equal rows) are left out, since whitening divides by it.
    Fitted rows are projected as new rows are; scikit-learn takes theirs from the decomposition, which is
    the same for a feature wider than there are rows. Values come in as they are stored: float32 becomes
    float64 here, for the fitted rows alone.

    Parameters
    ----------
    n_components
        The largest number of components.
    random_state
        Seed of the randomised decomposition.

    Attributes
    ----------
    mean_ : (d,) float64
    components_ : (k, d) float64
        Directions divided by their standard deviation; k is at most `n_components`.

    References
    ----------
    Halko, N., Martinsson, P. and Tropp, J. (2011), Finding structure with randomness, SIAM Review 53(2).

    Examples
    --------
    >>> scores = PrincipalComponents(2).fit_transform(np.random.default_rng(0).normal(size=(50, 30)))
    >>> np.round(scores.std(axis=0, ddof=1), 6).tolist()
    [1.0, 1.0]
    """

    def __init__(self, n_components: int = 10, *, random_state: int = 0) -> None:
        self.n_components = n_components
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: object = None) -> PrincipalComponents:
        """Find the directions of the rows of X, shape (n, d).

        Raises
        ------
        ValueError
            Fewer than two rows, or values that are not finite.
        """
        checked = validate_data(self, X, dtype=[np.float64, np.float32], ensure_min_samples=2)
        rows, width = checked.shape
        k = max(1, min(self.n_components, width, rows - 1))
        # A copy of our own may be centred in place: one float64 copy instead of two.
        pca = PCA(
            k,
            svd_solver="randomized" if k < min(rows, width) else "full",
            random_state=self.random_state,
            copy=False,
        )
        with np.errstate(invalid="ignore"):  # equal rows: shares of no variance at all
            pca.fit(np.array(checked, dtype=np.float64, order="C"))
        variance = pca.explained_variance_
        kept = variance > NO_VARIANCE * max(variance[0], np.square(pca.mean_).max())
        self.mean_ = pca.mean_
        if kept.any():
            self.components_ = pca.components_[kept] / np.sqrt(variance[kept])[:, None]
        else:
            self.components_ = np.zeros((1, width))
        return self

    def transform(self, X: npt.ArrayLike) -> Array:
        """Return the whitened scores, shape (n, k).

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        check_is_fitted(self)
        checked = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        scores = np.empty((checked.shape[0], self.components_.shape[0]))
        for start in range(0, checked.shape[0], ROWS_AT_A_TIME):
            rows = slice(start, start + ROWS_AT_A_TIME)
            scores[rows] = (checked[rows] - self.mean_) @ self.components_.T
        return scores


def _float64(block: npt.ArrayLike) -> Array:
    return np.asarray(block, dtype=np.float64)
