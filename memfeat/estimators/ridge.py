"""Ridge regression whose penalty is found on the training rows."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from numbers import Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.linear_model import Ridge
from sklearn.model_selection import KFold
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data
from threadpoolctl import threadpool_limits

from memfeat.estimators.centred import Centred

Float64 = npt.NDArray[np.float64]
PENALTIES = tuple(float(f"{10.0 ** (k / 2):.3g}") for k in range(-6, 13))
"""From 0.001 to a million, two to a power of ten: .001, .00316, .01, ..."""
INNER_FOLDS = 5


class TunedRidge(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """scikit-learn's ``Ridge``, by default with the penalty of least error on rows that were left out.

    On dense columns every row is left out once, exactly, for all penalties from one eigendecomposition
    (Golub, Heath and Wahba); scikit-learn's ``RidgeCV`` chooses the same, several times slower. On sparse
    ones, such as words of captions, rows are left out in five random parts, since leaving out single rows needs
    a dense matrix of all pairs of rows. Least means least mean squared error.

    Parameters
    ----------
    alpha
        The penalty; None finds it.
    alphas
        The penalties to choose from; None is 19 from 0.001 to 1,000,000, evenly on a logarithmic scale.
    fit_intercept
        Whether columns and target are centred.
    random_state
        Seed of the random parts, which dense columns do not need.

    Attributes
    ----------
    alpha_ : float
    alphas_, errors_ : (m,) float64
        The penalties tried and their mean squared errors on rows left out; only where `alpha` is None.
    coef_ : (p,)
    intercept_ : float
    n_features_in_ : int

    References
    ----------
    Golub, G., Heath, M. and Wahba, G. (1979), Generalized cross-validation as a method for choosing a good
    ridge parameter, Technometrics 21(2).

    Examples
    --------
    >>> X = np.random.default_rng(0).normal(size=(50, 30))
    >>> y = X[:, 0] + np.random.default_rng(1).normal(size=50)
    >>> TunedRidge().fit(X, y).alpha_
    31.6
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "alpha": [None, Interval(Real, 0, None, closed="neither")],
        "alphas": [None, "array-like"],
        "fit_intercept": ["boolean"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        alpha: float | None = None,
        alphas: Sequence[float] | None = None,
        fit_intercept: bool = True,
        random_state: int | None = 0,
    ) -> None:
        self.alpha = alpha
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: npt.ArrayLike) -> Self:
        """Find the penalty and the weights from rows X, shape (n, p), dense or sparse, and targets y, shape (n,).

        Raises
        ------
        ValueError
            Fewer than two rows, values that are not finite, or penalties that are not above zero.

        Warns
        -----
        UserWarning
            The penalty found is the smallest or the largest of those tried.
        """
        checked, targets = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr", "csc"],
            dtype=[np.float64, np.float32],
            y_numeric=True,
            ensure_min_samples=2,
        )
        y64 = np.asarray(targets, dtype=np.float64)
        with _few_threads(checked):
            self.alpha_ = self._chosen(checked, y64) if self.alpha is None else float(self.alpha)
            fitted = Ridge(alpha=self.alpha_, fit_intercept=self.fit_intercept).fit(checked, y64)
        self.coef_, self.intercept_ = fitted.coef_, float(fitted.intercept_)
        return self

    def _chosen(self, X: Any, y: Float64) -> float:
        tried = np.asarray(PENALTIES if self.alphas is None else self.alphas, dtype=np.float64)
        if tried.ndim != 1 or not tried.size or not (np.isfinite(tried) & (tried > 0)).all():
            raise ValueError(f"alphas must be finite numbers above zero, at least one; got {self.alphas!r}.")
        self.alphas_ = np.sort(tried)
        if sparse.issparse(X):
            self.errors_ = _in_parts(X, y, self.alphas_, intercept=self.fit_intercept, seed=self.random_state)
        else:
            self.errors_ = leave_one_out(X, y, self.alphas_, intercept=self.fit_intercept)
        best = int(np.argmin(self.errors_))
        if best in (0, len(self.alphas_) - 1) and len(self.alphas_) > 1:
            warnings.warn(
                f"The penalty found, alpha={self.alphas_[best]:g}, is the {'largest' if best else 'smallest'} "
                "tried: a better one may lie beyond. Give alphas to try others.",
                stacklevel=3,
            )
        return float(self.alphas_[best])

    def predict(self, X: Any) -> Float64:
        """Return the predicted targets, shape (n,).

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        check_is_fitted(self)
        checked = validate_data(
            self, X, accept_sparse=["csr", "csc"], dtype=[np.float64, np.float32], reset=False
        )
        return np.asarray(checked @ self.coef_ + self.intercept_)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


def _few_threads(X: Any) -> AbstractContextManager[Any]:
    """Hold BLAS to one thread where X is sparse.

    scikit-learn's conjugate gradients then call it for vectors as short as a text is of words, thousands of times,
    and to wake further threads costs several times what they do.
    """
    return threadpool_limits(1, user_api="blas") if sparse.issparse(X) else nullcontext()


def leave_one_out(X: npt.NDArray[Any], y: Float64, alphas: Float64, *, intercept: bool = True) -> Float64:
    """Return the mean squared error of each row's prediction by the ridge regression on all others.

    Parameters
    ----------
    X, y
        Rows, shape (n, p), and targets, shape (n,).
    alphas
        Penalties above zero, shape (m,).
    intercept
        Whether each regression has an intercept of its own.

    Returns
    -------
    (m,) float64

    Notes
    -----
    With M = (XX' + alpha)^-1, the error of row i is (My)_i / M_ii; with fewer columns than rows the same comes
    from the eigenvectors of X'X.

    Examples
    --------
    >>> X, y = np.array([[0.0], [1.0], [3.0]]), np.array([0.0, 1.0, 2.0])
    >>> leave_one_out(X, y, np.array([1e-9])).round(4)
    array([0.4537])
    """
    columns = Centred(X, centre=intercept)
    centred = y - y.mean() if intercept else y
    # Where a fit can pass through all rows, only the products of rows tell what is left of each.
    errors = _by_columns if columns.shape[0] > columns.shape[1] + 1 else _by_rows
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.mean(np.square(errors(columns, centred, alphas, intercept=intercept)), axis=0)
    # Rows that a tiny penalty fits exactly whether they are in or not: nothing is known of their errors.
    return np.where(np.isnan(found), np.inf, found)


def _by_columns(columns: Centred, y: Float64, alphas: Float64, *, intercept: bool) -> Float64:
    # From long columns to short: rounding then spares the short ones.
    order = np.argsort(-columns.squares, kind="stable")
    values, vectors = linalg.eigh(columns.gram(order), lower=True, overwrite_a=True, check_finite=False)
    values = np.maximum(values, 0.0)[:, None]
    projected = vectors.T @ columns.transposed_times(y)[order]
    left = np.empty((y.size, alphas.size))
    for where, block in columns.rows():
        scores = block.take(order, axis=1) @ vectors
        kept = 1.0 - np.square(scores) @ (1.0 / (values + alphas)) - (1.0 / y.size if intercept else 0.0)
        left[where] = (y[where, None] - scores @ (projected[:, None] / (values + alphas))) / kept
    return left


def _by_rows(columns: Centred, y: Float64, alphas: Float64, *, intercept: bool) -> Float64:
    kernel = columns.kernel()
    if intercept:
        # The constant vector is in the null space of centred rows. Moved out of it, it is found apart.
        kernel += np.tril(np.full_like(kernel, (1.0 + 2.0 * np.trace(kernel)) / y.size))
    values, vectors = linalg.eigh(kernel, lower=True, overwrite_a=True, check_finite=False)
    values = np.maximum(values, 0.0)[:, None]
    inverse = 1.0 / (values + alphas)
    if intercept:
        inverse[-1] = 0.0
    left_out: Float64 = (vectors @ (inverse * (y @ vectors)[:, None])) / (np.square(vectors) @ inverse)
    return left_out


def _in_parts(X: Any, y: Float64, alphas: Float64, *, intercept: bool, seed: int | None) -> Float64:
    squares = np.zeros(alphas.size)
    rows = X.tocsr()
    parts = KFold(min(INNER_FOLDS, y.size), shuffle=True, random_state=seed)
    for fitted, judged in parts.split(y):
        inside, outside = rows[fitted], rows[judged]
        for k, alpha in enumerate(alphas):
            model = Ridge(alpha=alpha, fit_intercept=intercept).fit(inside, y[fitted])
            squares[k] += np.sum(np.square(model.predict(outside) - y[judged]))
    return squares / y.size
