"""Support vector regression with a Gaussian kernel that is computed once, on a target of unit deviation."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin, _fit_context
from sklearn.svm import SVR
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from memfeat.estimators.centred import AT_A_TIME, Centred

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
Gamma = float | Literal["scale", "auto"]


class ScaledSVR(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Epsilon-insensitive regression with the kernel ``exp(-gamma |x - z|^2)``, on the standardised target.

    It is ``sklearn.svm.SVR`` on ``(y - mean) / deviation``, mean and deviation being those of the training
    rows: scikit-learn's epsilon of 0.1 is a tenth of a deviation here, while memorability scores as they are
    deviate by 0.1 altogether, so that it would ignore nearly all errors. The kernel comes from one matrix
    product instead of a loop over pairs. It is held in float64: libsvm stops when its conditions hold to `tol`,
    and a kernel rounded to float32 makes it stop elsewhere (predictions off by 1e-3 of a deviation).

    Parameters
    ----------
    C
        Cost of errors beyond epsilon.
    epsilon
        Error that costs nothing, in standard deviations of the target.
    gamma
        Width of the kernel: a number, ``"scale"`` for 1 / (p var(X)), or ``"auto"`` for 1 / p.
    gamma_factor
        What gamma is multiplied by: a way to search near ``"scale"``.
    tol
        libsvm's tolerance for stopping.
    most_memory
        GiB that the kernel, 8 n^2 bytes, may take. Where it needs more, libsvm computes rows of it when it
        wants them: the same result, some ten times slower.

    Attributes
    ----------
    support_, support_vectors_ : (m,) and (m, p)
        Which training rows determine the fit, and these rows.
    dual_coef_ : (m,) float64
    intercept_ : float
        Of the standardised target.
    target_mean_, target_deviation_ : float
        Of the training targets; a constant target is divided by 1.
    gamma_ : float
        With its factor.
    n_features_in_ : int

    References
    ----------
    Chang, C.-C. and Lin, C.-J. (2011), LIBSVM: a library for support vector machines, ACM TIST 2(3).

    Examples
    --------
    >>> X = np.linspace(0, 6, 40)[:, None]
    >>> y = 0.8 + 0.05 * np.sin(X[:, 0])
    >>> fitted = ScaledSVR(C=10).fit(X, y)
    >>> np.abs(fitted.predict(X) - y).max().round(3)
    np.float64(0.004)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "gamma": [StrOptions({"scale", "auto"}), Interval(Real, 0, None, closed="neither")],
        "gamma_factor": [Interval(Real, 0, None, closed="neither")],
        "tol": [Interval(Real, 0, None, closed="neither")],
        "most_memory": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        *,
        C: float = 1.0,
        epsilon: float = 0.1,
        gamma: Gamma = "scale",
        gamma_factor: float = 1.0,
        tol: float = 1e-3,
        most_memory: float = 4.0,
    ) -> None:
        self.C = C
        self.epsilon = epsilon
        self.gamma = gamma
        self.gamma_factor = gamma_factor
        self.tol = tol
        self.most_memory = most_memory

    @_fit_context(prefer_skip_nested_validation=True)  # type: ignore[untyped-decorator]
    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit on rows X, shape (n, p), and targets y, shape (n,).

        Raises
        ------
        ValueError
            Fewer than two rows, or values that are not finite.
        """
        _fit_all([self], X, y)
        return self

    def predict(self, X: npt.ArrayLike) -> Float64:
        """Return the predicted targets, shape (n,), on the scale of the training targets.

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        check_is_fitted(self)
        checked = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        scores = np.full(len(checked), self.intercept_)
        origin = self.support_vectors_.mean(axis=0, dtype=np.float64) if len(self.support_vectors_) else 0.0
        support = self.support_vectors_ - origin
        squares = np.einsum("ij,ij->i", support, support)
        for start in range(0, len(checked), AT_A_TIME):
            rows = checked[start : start + AT_A_TIME] - origin
            distances = _distances(rows @ support.T, np.einsum("ij,ij->i", rows, rows), squares)
            scores[start : start + AT_A_TIME] += gaussian(distances, self.gamma_) @ self.dual_coef_
        return np.asarray(self.target_mean_ + self.target_deviation_ * scores)


def svr_path(X: npt.ArrayLike, y: npt.ArrayLike, *, C: Sequence[float], **settings: Any) -> list[ScaledSVR]:
    """Fit one regression per cost, all on one kernel matrix.

    Parameters
    ----------
    X, y
        Rows, shape (n, p), and targets, shape (n,).
    C
        The costs.
    **settings
        Other parameters of `ScaledSVR`, shared by all.

    Returns
    -------
    list of ScaledSVR
        Fitted, in the order of `C`; each is what it would be if it were fitted alone.

    Raises
    ------
    ValueError
        As by `ScaledSVR.fit`; no cost was given.

    Examples
    --------
    >>> X = np.linspace(0, 6, 40)[:, None]
    >>> [round(each.score(X, np.sin(X[:, 0])), 2) for each in svr_path(X, np.sin(X[:, 0]), C=[0.01, 1])]
    [0.2, 0.99]
    """
    regressors = [ScaledSVR(C=cost, **settings) for cost in C]
    if not regressors:
        raise ValueError("svr_path fits one regression per cost in C; C is empty.")
    for each in regressors:
        each._validate_params()
    _fit_all(regressors, X, y)
    return regressors


def _fit_all(regressors: Sequence[ScaledSVR], X: npt.ArrayLike, y: npt.ArrayLike) -> None:
    """Fit regressors that differ in C alone."""
    first = regressors[0]
    checked, targets = validate_data(
        first, X, y, dtype=[np.float64, np.float32], y_numeric=True, ensure_min_samples=2
    )
    y64 = np.asarray(targets, dtype=np.float64)
    mean, deviation = standard(y64)
    standardised = (y64 - mean) / deviation
    gamma = width(first.gamma, checked) * first.gamma_factor
    shared = {"epsilon": first.epsilon, "tol": first.tol}
    inside = 8 * len(checked) ** 2 <= first.most_memory * 2**30
    given = gaussian(squared_distances(checked), gamma) if inside else checked
    for each in regressors:
        kind = {"kernel": "precomputed"} if inside else {"kernel": "rbf", "gamma": gamma}
        fitted = SVR(C=each.C, **shared, **kind).fit(given, standardised)
        each.support_ = fitted.support_
        each.support_vectors_ = checked[fitted.support_]
        each.dual_coef_ = np.asarray(fitted.dual_coef_, dtype=np.float64).reshape(-1)
        each.intercept_ = float(fitted.intercept_[0])
        each.target_mean_, each.target_deviation_, each.gamma_ = mean, deviation, gamma
        each.n_features_in_ = checked.shape[1]


def standard(y: Float64) -> tuple[float, float]:
    """Return mean and standard deviation of a target; 1 for that of a constant, which is one of rounding."""
    return float(y.mean()), float(y.std()) if np.ptp(y) else 1.0


def width(gamma: Gamma, X: Array) -> float:
    """Return gamma as a number: 1 / (p var(X)) for ``"scale"``, 1 / p for ``"auto"``."""
    if gamma == "auto":
        return float(1.0 / X.shape[1])
    if gamma == "scale":
        variance = float(X.var(dtype=np.float64))
        return float(1.0 / (X.shape[1] * variance)) if variance else 1.0
    return float(gamma)


def squared_distances(X: Array) -> Float64:
    """Return ``|x - z|^2`` of all pairs of rows, shape (n, n), symmetric to the bit, with a diagonal of zeros.

    >>> squared_distances(np.array([[0.0, 0.0], [3.0, 4.0]]))
    array([[ 0., 25.],
           [25.,  0.]])
    """
    # Distances do not change with the origin; near it, their products lose fewer digits.
    found = Centred(X).kernel()
    squares = found.diagonal().copy()
    for start in range(0, len(found), AT_A_TIME):
        end = start + AT_A_TIME
        corner = found[start:end, start:end]
        corner += np.tril(corner, -1).T
        found[start:, start:end] = _distances(found[start:, start:end], squares[start:], squares[start:end])
        found[start:end, end:] = found[end:, start:end].T
    np.fill_diagonal(found, 0.0)
    return found.T  # in C's order, which libsvm takes as it is


def _distances(products: Float64, rows: Float64, columns: Float64) -> Float64:
    """Return ``|x - z|^2`` from products x'z, shape (n, m), and the squares of both."""
    distances = rows[:, None] + columns - 2 * products
    return np.maximum(distances, 0, out=distances)


def gaussian(distances: Float64, gamma: float) -> Float64:
    """Return exp(-gamma d) in the place of the squared distances d."""
    distances *= -gamma
    return np.exp(distances, out=distances)
