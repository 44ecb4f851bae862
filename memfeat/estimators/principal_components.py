"""Principal components of one feature, whitened."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.utils.validation import check_is_fitted, validate_data

Array = npt.NDArray[Any]
NO_VARIANCE = 1e-12  # share of the first component's variance below which a direction is rounding noise
ROWS_AT_A_TIME = 512


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
    >>> import numpy as np
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
