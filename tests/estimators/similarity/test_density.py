from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KernelDensity

from memfeat.estimators.similarity.density import BANDWIDTHS, choose_bandwidth, log_density


def sample(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns))


@pytest.mark.parametrize("columns", [1, 3, 10])
@pytest.mark.parametrize("bandwidth", [0.4, 2.0, 30.0])
def test_the_density_is_scikit_learns(columns: int, bandwidth: float) -> None:
    points, rows = sample(60, columns), sample(300, columns, 1)
    theirs = KernelDensity(kernel="epanechnikov", bandwidth=bandwidth).fit(points).score_samples(rows)
    np.testing.assert_allclose(log_density(rows, points, bandwidth), theirs, atol=1e-9)


def test_the_density_integrates_to_one() -> None:
    grid = np.linspace(-8, 8, 4001)[:, None]
    density = np.exp(log_density(grid, sample(40, 1), 0.7))
    assert density.sum() * 0.004 == pytest.approx(1.0, abs=1e-5)
    plane = np.stack(np.meshgrid(*[np.linspace(-6, 6, 401)] * 2), axis=-1).reshape(-1, 2)
    assert np.exp(log_density(plane, sample(40, 2), 1.3)).sum() * 0.03**2 == pytest.approx(1.0, abs=1e-3)


def test_beyond_the_bandwidth_there_is_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = log_density(np.array([[0.999], [1.0], [5.0]]), np.zeros((1, 1)), 1.0)
    assert np.isfinite(found).tolist() == [True, False, False]


def test_the_grid_is_a_hundredth_to_a_hundred() -> None:
    assert len(BANDWIDTHS) == 100
    assert BANDWIDTHS[0] == pytest.approx(0.01) and BANDWIDTHS[-1] == pytest.approx(100.0)
    np.testing.assert_allclose(np.diff(np.log(BANDWIDTHS)), np.log(1e4) / 99)


@pytest.mark.filterwarnings("ignore:invalid value encountered in subtract:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:One or more of the test scores are non-finite")
@pytest.mark.parametrize(
    ("rows", "columns", "seed"), [(40, 1, 0), (63, 2, 1), (101, 4, 2), (5, 2, 3), (80, 10, 4)]
)
def test_the_bandwidth_is_scikit_learns_grid_search(rows: int, columns: int, seed: int) -> None:
    points = sample(rows, columns, seed)
    search = GridSearchCV(KernelDensity(kernel="epanechnikov"), {"bandwidth": BANDWIDTHS}, cv=5).fit(points)
    assert choose_bandwidth(points) == search.best_params_["bandwidth"]


def test_the_loneliest_held_out_point_bounds_the_bandwidth() -> None:
    points = np.vstack([sample(50, 2), [[20.0, 0.0]]])
    loneliest = np.linalg.norm(points[:-1] - points[-1], axis=1).min()
    assert loneliest < choose_bandwidth(points) < 1.5 * loneliest


def test_when_no_bandwidth_serves_the_largest_is_taken() -> None:
    assert choose_bandwidth(np.array([[0.0], [1e6]])) == BANDWIDTHS[-1]
    assert choose_bandwidth(np.zeros((1, 3))) == BANDWIDTHS[-1]


def test_equal_points_want_the_smallest_bandwidth() -> None:
    assert choose_bandwidth(np.zeros((20, 3))) == BANDWIDTHS[0]


def test_rows_are_counted_alike_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    points = sample(70, 3)
    whole, width = log_density(points, points, 1.5), choose_bandwidth(points)
    monkeypatch.setattr("memfeat.estimators.similarity.density.ROWS_AT_A_TIME", 7)
    np.testing.assert_array_equal(log_density(points, points, 1.5), whole)
    assert choose_bandwidth(points) == width
