"""A matrix with the means of its columns taken off, a block at a time: no centred copy is ever held."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.linalg.blas import dsyrk

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
AT_A_TIME = 512
"""Rows (or columns) per block: enough for matrix products at full speed, 12 MB at a width of 3,072."""


class Centred:
    """Products with the centred columns of a matrix, in float64 whatever the matrix holds.

    Parameters
    ----------
    X
        Shape (n, p), float32 or float64, finite. It is referred to, not copied.
    centre
        Without it, columns are used as they are.

    Attributes
    ----------
    mean : (p,) float64
        Means of the columns, or zeros. Found in two passes, the second over what the first left, so that
        they are right to the last digit in columns far from zero too.

    Examples
    --------
    >>> columns = Centred(np.array([[1.0, 2.0], [3.0, 6.0]]))
    >>> columns.mean, columns.times(np.ones(2))
    (array([2., 4.]), array([-3.,  3.]))
    >>> columns.gram()[1, 0]
    np.float64(4.0)
    """

    def __init__(self, X: Array, *, centre: bool = True) -> None:
        self.X = X
        self.shape: tuple[int, int] = X.shape
        self.mean: Float64 = np.zeros(self.shape[1])
        if centre:
            for _ in range(2):
                self.mean = self.mean + sum(block.sum(axis=0) for _, block in self.rows()) / self.shape[0]

    def rows(self) -> Iterator[tuple[slice, Float64]]:
        """Yield blocks of centred rows, each with where it is."""
        for start in range(0, self.shape[0], AT_A_TIME):
            where = slice(start, start + AT_A_TIME)
            yield where, self.X[where] - self.mean

    def columns(self) -> Iterator[tuple[slice, Float64]]:
        """Yield blocks of centred columns, each with where it is."""
        for start in range(0, self.shape[1], AT_A_TIME):
            where = slice(start, start + AT_A_TIME)
            yield where, np.subtract(self.X[:, where], self.mean[where], order="C")

    def times(self, vector: Float64) -> Float64:
        """Return the product with a vector of p numbers, shape (n,)."""
        return np.concatenate([block @ vector for _, block in self.rows()])

    def transposed_times(self, vector: Float64) -> Float64:
        """Return the product of the transpose with a vector of n numbers, shape (p,)."""
        product = np.zeros(self.shape[1])
        for where, block in self.rows():
            product += vector[where] @ block
        return product

    @cached_property
    def squares(self) -> Float64:
        """The sum of squares of each column, shape (p,)."""
        total = np.zeros(self.shape[1])
        for _, block in self.rows():
            total += np.einsum("ij,ij->j", block, block)
        return total

    def gram(self, order: npt.NDArray[np.intp] | None = None) -> Float64:
        """Return the lower triangle of the products of all pairs of columns, (p, p), in Fortran's order.

        `order` rearranges the columns. The upper triangle is zero.
        """
        product = np.zeros((self.shape[1], self.shape[1]), order="F")
        for _, block in self.rows():
            ordered = block if order is None else block.take(order, axis=1)
            # The transpose of a block in C's order is one in Fortran's: nothing is copied.
            product = dsyrk(1.0, ordered.T, beta=1.0, c=product, lower=1, overwrite_c=1)
        return product

    def kernel(self) -> Float64:
        """Return the lower triangle of the products of all pairs of rows, (n, n), in Fortran's order."""
        product = np.zeros((self.shape[0], self.shape[0]), order="F")
        for _, block in self.columns():
            product = dsyrk(1.0, block.T, beta=1.0, c=product, lower=1, trans=1, overwrite_c=1)
        return product

    def copy(self) -> Float64:
        """Return all of it, shape (n, p)."""
        return np.asarray(self.X - self.mean, dtype=np.float64)
