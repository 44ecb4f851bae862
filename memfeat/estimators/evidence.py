"""The two precisions of Bayesian ridge regression, by MacKay's updates on a decomposed Gram matrix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.linalg import lapack

Float64 = npt.NDArray[np.float64]
CANCELS = 1e-3  # share of the target's squares below which their difference to the fit's loses three digits


class NotPositiveError(ArithmeticError):
    """Rounding has made a matrix indefinite that cannot be."""


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A Gram matrix G = Q T Q', with T tridiagonal (or diagonal) and Q orthonormal columns."""

    diagonal: Float64
    """Of T, shape (k,)."""
    off_diagonal: Float64
    """Of T, shape (k - 1,)."""
    eigenvalues: Float64
    """Of T, shape (k,), none below zero."""
    projected: Float64
    """Q'X'y, shape (k,)."""
    weights: Callable[[Float64], Float64]
    """Maps k numbers q to Qq, one weight per column."""

    def solve(self, ridge: float) -> Float64:
        """Return (T + ridge)^-1 Q'X'y, shape (k,).

        Raises
        ------
        NotPositiveError
            T + ridge is not positive definite in floating point.
        """
        if self.off_diagonal.any():
            *_, solution, info = lapack.dptsv(self.diagonal + ridge, self.off_diagonal, self.projected)
            if info:
                raise NotPositiveError
            return np.asarray(solution, dtype=np.float64)
        return self.projected / (self.diagonal + ridge)


@dataclass(frozen=True, slots=True, kw_only=True)
class Priors:
    """Gamma priors on both precisions, as shape and rate, and where the search for them begins and ends."""

    alpha_1: float = 1e-6
    alpha_2: float = 1e-6
    lambda_1: float = 1e-6
    lambda_2: float = 1e-6
    alpha_init: float
    lambda_init: float = 1.0
    max_iter: int = 300
    tol: float = 1e-3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the updates ended in."""

    alpha: float
    """Precision of the noise."""
    lambda_: float
    """Precision of the weights."""
    effective: float
    """Number of weights that the data determine (MacKay's gamma), at these precisions."""
    weights: Float64
    """Posterior mean of the weights, shape (p,)."""
    n_iter: int


def effective_weights(eigenvalues: Float64, alpha: float, lambda_: float) -> float:
    """Return MacKay's gamma, the sum of alpha e / (lambda + alpha e), from 0 to the number of eigenvalues.

    >>> effective_weights(np.array([1.0, 3.0]), 1.0, 1.0)
    1.25
    """
    return float(np.sum(alpha * eigenvalues / (lambda_ + alpha * eigenvalues)))


def maximise(
    spectrum: Spectrum, y: Float64, priors: Priors, *, predict: Callable[[Float64], Float64]
) -> Evidence:
    """Update weights and precisions in turn until the weights change by less than `tol` in total.

    Parameters
    ----------
    spectrum
        The decomposed Gram matrix of the centred columns.
    y
        The centred target, shape (n,).
    priors
        Priors, start values, and when to stop.
    predict
        Maps weights to fitted values, shape (n,). Called only where the sum of squared errors would lose
        digits in the difference of two sums.

    Raises
    ------
    NotPositiveError
        See `Spectrum.solve`.

    References
    ----------
    MacKay, D. (1992), Bayesian Interpolation, Neural Computation 4(3), for the updates; Tipping, M. (2001),
    Sparse Bayesian Learning and the Relevance Vector Machine, JMLR 1, appendix A, for the priors.
    """
    alpha, lambda_ = float(priors.alpha_init), float(priors.lambda_init)
    squares = float(y @ y)
    before: Float64 | None = None
    n_iter = 0
    while n_iter < priors.max_iter:
        n_iter += 1
        ridge = lambda_ / alpha
        q = spectrum.solve(ridge)
        weights = spectrum.weights(q)
        length = float(q @ q)
        # |y - Xw|^2 with (T + ridge) q = Q'X'y put in.
        errors = squares - float(q @ spectrum.projected) - ridge * length
        if errors + 2 * priors.alpha_2 < CANCELS * squares:
            errors = float(np.sum((y - predict(weights)) ** 2))
        gamma = effective_weights(spectrum.eigenvalues, alpha, lambda_)
        lambda_ = (gamma + 2 * priors.lambda_1) / (length + 2 * priors.lambda_2)
        alpha = (y.size - gamma + 2 * priors.alpha_1) / (errors + 2 * priors.alpha_2)
        if before is not None and np.abs(before - weights).sum() < priors.tol:
            break
        before = weights
    q = spectrum.solve(lambda_ / alpha)
    gamma = effective_weights(spectrum.eigenvalues, alpha, lambda_)
    return Evidence(alpha, lambda_, gamma, spectrum.weights(q), n_iter)


def diagonalised(values: Float64, projected: Float64, vectors: Float64) -> Spectrum:
    """Return the spectrum of a Gram matrix with these eigenvalues (k,) and eigenvectors (p, k)."""
    return Spectrum(values, np.zeros(max(values.size - 1, 0)), values, projected, lambda q: vectors @ q)
