"""The posterior of Bayesian ridge regression by three routes, each with a measure of how far it may be off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import linalg
from scipy.linalg import lapack

from memfeat.estimators.centred import AT_A_TIME, Centred
from memfeat.estimators.evidence import (
    Evidence,
    NotPositiveError,
    Priors,
    Spectrum,
    diagonalised,
    maximise,
)

Float64 = npt.NDArray[np.float64]
PANEL = 64  # columns that LAPACK reduces at a time


@dataclass(frozen=True, slots=True)
class Posterior:
    """Weights and their covariance.

    The variance of x'w at a centred x is ``sum(variances * (x @ directions)**2)``, and, where `rest` is not
    zero, `rest` times the squared length of what of x lies in none of the directions.
    """

    evidence: Evidence
    weights: Float64
    """Posterior mean, shape (p,)."""
    directions: Float64
    """Shape (p, k); orthonormal where `rest` is not zero."""
    variances: Float64
    """Shape (k,)."""
    rest: float
    doubt: float
    """About how large relative errors of fitted values and precisions may be; 0 on the most careful route."""


def by_columns(columns: Centred, y: Float64, priors: Priors) -> Posterior:
    """Decompose the products of columns, p x p: the route for at least as many rows as columns.

    The Gram matrix is made tridiagonal, on which the precisions are found; weights and covariance come from
    a Cholesky factor of the matrix as it was. Columns are taken in the order of their lengths: reduced from
    long to short, a Gram matrix keeps the digits of its short columns, of which any other order loses as
    many as lengths differ by (with lengths from 1 to 10^6, fitted values come out right to 1e-13 instead of
    1e-8). Memory: two p x p matrices at most.

    Raises
    ------
    NotPositiveError
        The matrix is singular to working precision.
    """
    order = np.argsort(-columns.squares, kind="stable")
    gram = columns.gram(order)
    diagonal = gram.diagonal().copy()
    _mirror(gram)
    gram, d, e, tau, _ = lapack.dsytrd(gram, lower=1, lwork=PANEL * len(gram), overwrite_a=1)
    # Now reflectors below the diagonal, and above it the Gram matrix as it was.
    rotation = _Rotation(gram, tau, order)
    projected = columns.transposed_times(y)
    spectrum = Spectrum(d, e, _eigenvalues(d, e), rotation.transposed_times(projected), rotation.times)
    found = maximise(spectrum, y, priors, predict=columns.times)

    np.fill_diagonal(gram, diagonal)
    gram *= found.alpha
    np.fill_diagonal(gram, gram.diagonal() + found.lambda_)
    factor, singular = lapack.dpotrf(gram, lower=0, clean=1, overwrite_a=1)
    if singular:
        raise NotPositiveError
    root, _ = lapack.dtrtri(factor, lower=0, overwrite_c=1)
    back = np.argsort(order)
    for start in range(0, len(root), AT_A_TIME):
        root[:, start : start + AT_A_TIME] = root[back, start : start + AT_A_TIME]

    def solve(vector: Float64) -> Float64:
        return np.asarray(found.alpha * (root @ (vector @ root)))

    weights = solve(projected)
    gamma = len(root) - found.lambda_ * float(np.einsum("ij,ij->", root, root))
    # The difference that takes `gamma` has rounding of its own, which says nothing of the matrix.
    off = abs(gamma - found.effective) - 16 * len(root) * np.finfo(np.float64).eps
    doubt = max(
        _share(columns.times(weights - found.weights), columns.times(weights)),
        _share(max(off, 0.0), min(found.effective, y.size - found.effective)),
        _probe(columns, solve, found.lambda_ / found.alpha, np.sqrt(columns.squares)),
    )
    return Posterior(found, weights, root, np.ones(len(root)), 0.0, doubt)


def by_rows(columns: Centred, y: Float64, priors: Priors) -> Posterior:
    """Decompose the products of rows, n x n: the route for fewer rows than columns.

    Its eigenvectors u become directions X'u. Memory: three n x n matrices, and at most twice the n directions.
    """
    values, vectors = linalg.eigh(columns.kernel(), lower=True, overwrite_a=True, check_finite=False)
    directions = np.empty((columns.shape[1], values.size))
    for where, block in columns.columns():
        np.matmul(block.T, vectors, out=directions[where])
    squares = np.einsum("ij,ij->j", directions, directions)
    # Rounding moves every eigenvalue by as much as the largest; the squares tell what it did to each.
    found = values > values.size * np.finfo(np.float64).eps * values[-1]
    found &= np.abs(squares - values) < values / 2
    lengths = np.sqrt(squares[found])
    directions = directions if found.all() else directions[:, found]
    directions /= lengths
    made = _from_directions(columns, y, priors, lengths, lengths * (y @ vectors[:, found]), directions)
    ridge = made.evidence.lambda_ / made.evidence.alpha
    moved = np.sum(np.abs(squares - values)[found] / (values[found] + ridge))
    left_out = np.sum(squares[~found] / (squares[~found] + ridge))
    effective = made.evidence.effective
    doubt = max(
        _share(moved + left_out, min(effective, y.size - effective)),
        _unsolved(columns, y, made, ridge),
    )
    return replace(made, doubt=doubt)


def by_singular_values(columns: Centred, y: Float64, priors: Priors) -> Posterior:
    """Decompose the matrix itself: slower than its products, and right where those lose too many digits.

    Memory: one centred copy, and about as much again.
    """
    copy = columns.copy()
    rows, width = copy.shape
    if rows > width:
        triangle = np.linalg.qr(copy, mode="r")
        del copy
        _, lengths, transposed = linalg.svd(triangle, overwrite_a=True, check_finite=False)
        projected = transposed @ columns.transposed_times(y)
    else:
        left, lengths, transposed = linalg.svd(
            copy, full_matrices=False, overwrite_a=True, check_finite=False
        )
        projected = lengths * (y @ left)
    return _from_directions(columns, y, priors, lengths, projected, np.ascontiguousarray(transposed.T))


def _from_directions(
    columns: Centred, y: Float64, priors: Priors, lengths: Float64, projected: Float64, directions: Float64
) -> Posterior:
    values = np.square(lengths)
    found = maximise(diagonalised(values, projected, directions), y, priors, predict=columns.times)
    variances = 1.0 / (found.alpha * values + found.lambda_)
    rest = 1.0 / found.lambda_ if directions.shape[1] < directions.shape[0] else 0.0
    return Posterior(found, found.weights, directions, variances, rest, 0.0)


class _Rotation:
    """Products with the orthogonal matrix that LAPACK's `dsytrd` leaves as reflectors below the diagonal."""

    def __init__(self, reduced: Float64, tau: Float64, order: npt.NDArray[np.intp]) -> None:
        side = len(reduced)
        # Row and column 1 of it are those of the identity; the rest is as a QR decomposition leaves its Q,
        # one row further down. Seen from the second number on, the same memory is that array: no copy.
        flat = reduced.reshape(-1, order="F")
        self.reflectors = flat[1 : 1 + side * (side - 1)].reshape((side, side - 1), order="F")
        self.tau, self.order = tau, order

    def times(self, q: Float64) -> Float64:
        """Return the product with q, in the order of the original columns."""
        product = np.empty_like(q)
        product[self.order] = self._apply("N", q)
        return product

    def transposed_times(self, vector: Float64) -> Float64:
        """Return the product of the transpose with a vector that is in the order of the original columns."""
        return self._apply("T", vector[self.order])

    def _apply(self, which: str, vector: Float64) -> Float64:
        if vector.size == 1:
            return vector
        turned, _, _ = lapack.dormqr("L", which, self.reflectors, self.tau, vector[1:, None], lwork=1)
        return np.concatenate([vector[:1], turned[:, 0]])


def _eigenvalues(diagonal: Float64, off_diagonal: Float64) -> Float64:
    values: Float64 = linalg.eigvalsh_tridiagonal(diagonal, off_diagonal, lapack_driver="sterf")
    return np.maximum(values, 0.0)


def _mirror(lower: Float64) -> None:
    """Copy the lower triangle to the upper one, in place."""
    for start in range(0, len(lower), AT_A_TIME):
        end = start + AT_A_TIME
        corner = lower[start:end, start:end]
        corner += np.tril(corner, -1).T
        lower[start:end, end:] = lower[end:, start:end].T


def _unsolved(columns: Centred, y: Float64, made: Posterior, ridge: float) -> float:
    """Return by how much fitted values would change if the weights solved their equations exactly."""
    weights, axes = made.weights, made.directions
    left = columns.transposed_times(y - columns.times(weights)) - ridge * weights
    along = left @ axes
    change = axes @ (along * made.variances) * made.evidence.alpha + (left - axes @ along) / ridge
    return _share(columns.times(change), columns.times(weights))


def _probe(columns: Centred, solve: Callable[[Float64], Float64], ridge: float, lengths: Float64) -> float:
    """Return how far `solve` is from the inverse of X'X + ridge on one fixed vector without structure."""
    signs = np.where(np.random.default_rng(0).random(lengths.size) < 0.5, -1.0, 1.0)
    vector = signs * lengths
    solved = solve(vector)
    left = vector - columns.transposed_times(columns.times(solved)) - ridge * solved
    return _share(columns.times(solve(left)), columns.times(solved))


def _share(part: Float64 | float, whole: Float64 | float) -> float:
    size = float(np.linalg.norm(whole))
    return float(np.linalg.norm(part)) / size if size else 0.0
