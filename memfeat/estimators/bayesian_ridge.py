"""Bayesian ridge regression from products of columns, several times faster than from singular values."""

from __future__ import annotations

from collections.abc import Callable
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from memfeat.estimators.centred import AT_A_TIME, Centred
from memfeat.estimators.evidence import NotPositiveError, Priors
from memfeat.estimators.posterior import Posterior, by_columns, by_rows, by_singular_values

Float64 = npt.NDArray[np.float64]
MOST_DOUBT = 1e-11
"""Relative error above which singular values are taken instead. Where it is met, fitted values and deviations
are right to 1e-10 at least in the tests, against arithmetic of 50 digits."""


class GramBayesianRidge(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Bayesian ridge regression, as `sklearn.linear_model.BayesianRidge` defines it, by one Gram matrix.

    The weights w have a Gaussian prior of precision lambda, the noise has precision alpha, and both are found by
    maximising the marginal likelihood. With r = lambda / alpha, the posterior mean is ``(X'X + r)^-1 X'y``, so
    that every update needs only the matrix of products: of columns (p x p) where there are as many rows as
    columns, of rows (n x n) otherwise. It is decomposed once. Start values, updates and the rule for stopping
    are scikit-learn's, and so are the results, but for rounding: predictions and deviations agree to a relative
    1e-10, with columns of scales from 1 to 10^6 too. Products lose digits that singular values keep; what was
    lost is measured after each fit, and where it is too much, singular values are taken after all
    (`route_`). Nothing is scaled: a prior shared by all weights makes the fit depend on units.

    Parameters
    ----------
    max_iter
        The most updates.
    tol
        Updates end when the weights change by less than this, in the sum of absolute values.
    alpha_1, alpha_2
        Shape and rate of the gamma prior on the noise's precision.
    lambda_1, lambda_2
        Shape and rate of the gamma prior on the weights' precision.
    alpha_init
        Precision of the noise to begin with; None for one by the variance of the target.
    lambda_init
        Precision of the weights to begin with; None for 1.
    fit_intercept
        Whether columns and target are centred.

    Attributes
    ----------
    coef_ : (p,) float64
        Posterior mean of the weights.
    intercept_ : float
    alpha_, lambda_ : float
        Precisions of the noise and of the weights.
    n_iter_ : int
        Updates made.
    X_offset_ : (p,) float64
        Means of the columns.
    directions_, variances_, rest_variance_ : (p, k), (k,), float
        The posterior covariance: variances along directions, and along all that are at right angles to them.
    route_ : str
        ``"columns"``, ``"rows"`` or ``"singular values"``: what was decomposed.
    n_features_in_ : int

    Notes
    -----
    X may be float32: blocks of it become float64, never the whole, and all results are float64 (scikit-learn's
    are float32 then). Beside X, a fit holds one p x p matrix (n >= p), or three n x n matrices and two of X's
    size (n < p). With as many rows as columns, or a target without noise on columns of very different scales,
    scikit-learn's own rounding can exceed 1e-10; the results here then are the more exact ones.

    References
    ----------
    MacKay, D. (1992), Bayesian Interpolation, Neural Computation 4(3). Tipping, M. (2001), Sparse Bayesian
    Learning and the Relevance Vector Machine, JMLR 1.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0], [1.0, 3.0], [2.0, 1.0], [3.0, 4.0]])
    >>> fitted = GramBayesianRidge().fit(X, [1.0, 2.1, 2.9, 4.2])
    >>> mean, deviation = fitted.predict([[1.5, 2.0]], return_std=True)
    >>> mean.round(3), deviation.round(3), fitted.route_
    (array([2.526]), array([0.038]), 'columns')
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "max_iter": [Interval(Integral, 1, None, closed="left")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "alpha_1": [Interval(Real, 0, None, closed="left")],
        "alpha_2": [Interval(Real, 0, None, closed="left")],
        "lambda_1": [Interval(Real, 0, None, closed="left")],
        "lambda_2": [Interval(Real, 0, None, closed="left")],
        "alpha_init": [None, Interval(Real, 0, None, closed="neither")],
        "lambda_init": [None, Interval(Real, 0, None, closed="neither")],
        "fit_intercept": ["boolean"],
    }

    def __init__(
        self,
        *,
        max_iter: int = 300,
        tol: float = 1e-3,
        alpha_1: float = 1e-6,
        alpha_2: float = 1e-6,
        lambda_1: float = 1e-6,
        lambda_2: float = 1e-6,
        alpha_init: float | None = None,
        lambda_init: float | None = None,
        fit_intercept: bool = True,
    ) -> None:
        self.max_iter = max_iter
        self.tol = tol
        self.alpha_1 = alpha_1
        self.alpha_2 = alpha_2
        self.lambda_1 = lambda_1
        self.lambda_2 = lambda_2
        self.alpha_init = alpha_init
        self.lambda_init = lambda_init
        self.fit_intercept = fit_intercept

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Find the posterior of the weights from rows X, shape (n, p), and targets y, shape (n,).

        Raises
        ------
        ValueError
            Fewer than two rows, values that are not finite, or so large that their squares are not.
        """
        checked, targets = validate_data(
            self, X, y, dtype=[np.float64, np.float32], y_numeric=True, ensure_min_samples=2
        )
        y64 = np.asarray(targets, dtype=np.float64)
        with np.errstate(over="ignore", invalid="ignore"):
            columns = Centred(checked, centre=self.fit_intercept)
            squares = columns.squares.sum() + np.square(y64).sum()
        if not np.isfinite(squares):
            raise ValueError("Squares of X or y overflow: values are too large. Divide them by a constant.")
        offset = float(y64.mean()) if self.fit_intercept else 0.0
        made = self._posterior(columns, y64 - offset, float(y64.var()))
        self.alpha_, self.lambda_ = made.evidence.alpha, made.evidence.lambda_
        self.n_iter_ = made.evidence.n_iter
        self.coef_, self.X_offset_ = made.weights, columns.mean
        self.intercept_ = offset - float(self.X_offset_ @ self.coef_)
        self.directions_, self.variances_ = made.directions, made.variances
        self.rest_variance_ = made.rest
        return self

    def _posterior(self, columns: Centred, y: Float64, variance: float) -> Posterior:
        # The eps is scikit-learn's, for a constant target.
        alpha = 1.0 / (variance + np.finfo(np.float64).eps) if self.alpha_init is None else self.alpha_init
        priors = Priors(
            alpha_1=self.alpha_1,
            alpha_2=self.alpha_2,
            lambda_1=self.lambda_1,
            lambda_2=self.lambda_2,
            alpha_init=alpha,
            lambda_init=1.0 if self.lambda_init is None else self.lambda_init,
            max_iter=self.max_iter,
            tol=self.tol,
        )
        rows, width = columns.shape
        route: Callable[[Centred, Float64, Priors], Posterior] = by_columns if rows >= width else by_rows
        self.route_ = "columns" if rows >= width else "rows"
        try:
            made = route(columns, y, priors)
            if made.doubt <= MOST_DOUBT:
                return made
        except NotPositiveError:
            pass
        self.route_ = "singular values"
        return by_singular_values(columns, y, priors)

    def predict(self, X: npt.ArrayLike, return_std: bool = False) -> Any:
        """Return the predicted targets, shape (n,), float64.

        Parameters
        ----------
        X
            Shape (n, p).
        return_std
            Whether to return their standard deviation as well, that of the noise included: the square root of
            1 / alpha + x'Sx, S being the posterior covariance of the weights and x centred.

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        check_is_fitted(self)
        checked = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        mean = np.empty(len(checked))
        variance = np.full(len(checked), 1.0 / self.alpha_)
        for start in range(0, len(checked), AT_A_TIME):
            rows = slice(start, start + AT_A_TIME)
            mean[rows] = checked[rows] @ self.coef_ + self.intercept_
            if return_std:
                variance[rows] += self._spread(checked[rows] - self.X_offset_)
        return (mean, np.sqrt(variance)) if return_std else mean

    def _spread(self, centred: Float64) -> Float64:
        along = centred @ self.directions_
        spread: Float64 = np.square(along) @ self.variances_
        if self.rest_variance_:
            outside = centred - along @ self.directions_.T
            spread += self.rest_variance_ * np.einsum("ij,ij->i", outside, outside)
        return spread

    @property
    def sigma_(self) -> Float64:
        """The posterior covariance of the weights, shape (p, p), made anew on each use."""
        check_is_fitted(self)
        covariance = (self.directions_ * self.variances_) @ self.directions_.T
        if self.rest_variance_:
            covariance -= self.rest_variance_ * (self.directions_ @ self.directions_.T)
            covariance.flat[:: len(covariance) + 1] += self.rest_variance_
        return np.asarray(covariance)
