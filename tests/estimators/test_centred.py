from __future__ import annotations

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfeat.estimators import centred
from memfeat.estimators.centred import Centred


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centred, "AT_A_TIME", 3)


@settings(deadline=None, max_examples=40)
@given(
    rows=st.integers(1, 11),
    width=st.integers(1, 11),
    seed=st.integers(0, 99),
    dtype=st.sampled_from([np.float32, np.float64]),
    order=st.sampled_from(["C", "F"]),
    centre=st.booleans(),
)
def test_products_are_those_of_the_centred_matrix(
    rows: int, width: int, seed: int, dtype: type, order: str, centre: bool
) -> None:
    generator = np.random.default_rng(seed)
    X = np.asarray(generator.normal(3, 1, size=(rows, width)), dtype=dtype, order=order)
    whole = X.astype(np.float64)
    if centre:
        whole -= whole.mean(axis=0)
    by_row, by_column = generator.normal(size=rows), generator.normal(size=width)
    columns = Centred(X, centre=centre)
    close = {"rtol": 1e-12, "atol": 1e-12}
    np.testing.assert_allclose(columns.copy(), whole, **close)
    np.testing.assert_allclose(columns.times(by_column), whole @ by_column, **close)
    np.testing.assert_allclose(columns.transposed_times(by_row), whole.T @ by_row, **close)
    np.testing.assert_allclose(columns.squares, np.square(whole).sum(axis=0), **close)
    np.testing.assert_allclose(columns.gram(), np.tril(whole.T @ whole), **close)
    np.testing.assert_allclose(columns.kernel(), np.tril(whole @ whole.T), **close)
    mixed = generator.permutation(width)
    np.testing.assert_allclose(columns.gram(mixed), np.tril(whole[:, mixed].T @ whole[:, mixed]), **close)
    assert columns.gram().dtype == columns.times(by_column).dtype == np.float64


@pytest.mark.parametrize("seed", range(3))
def test_means_far_from_zero_are_right_to_the_last_digit(seed: int) -> None:
    far = np.random.default_rng(seed).normal(size=(3001, 1)) + 1e9
    exact = math.fsum(far[:, 0]) / len(far)
    assert abs(Centred(far).mean[0] - exact) <= np.spacing(exact)


def test_a_constant_column_becomes_exactly_zero() -> None:
    column = Centred(np.full((1000, 1), 0.1))
    assert not column.copy().any()


def test_no_copy_of_the_matrix_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(centred, "AT_A_TIME", 64)
    X = np.ones((20_000, 50), np.float32)
    tracemalloc.start()
    columns = Centred(X)
    columns.times(np.ones(50))
    columns.transposed_times(np.ones(20_000))
    columns.gram()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < X.nbytes / 4
