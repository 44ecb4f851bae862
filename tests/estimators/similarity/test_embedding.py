from __future__ import annotations

import numpy as np
import pytest
from sklearn.manifold import TSNE, trustworthiness
from threadpoolctl import threadpool_limits

from memfeat.estimators.similarity.embedding import embed


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(60, 10))


def test_it_is_scikit_learns_from_the_first_three_components(scores: np.ndarray) -> None:
    start = (1e-4 * scores[:, :3]).astype(np.float32)
    with threadpool_limits(limits=1, user_api="openmp"):
        theirs = TSNE(3, perplexity=10, init=start, max_iter=300, random_state=0).fit_transform(scores)
    np.testing.assert_array_equal(embed(scores, perplexity=10, max_iter=300), theirs)


def test_threads_do_not_change_a_digit(scores: np.ndarray) -> None:
    with threadpool_limits(limits=4, user_api="openmp"):
        several = embed(scores, max_iter=250)
    with threadpool_limits(limits=1, user_api="openmp"):
        one = embed(scores, max_iter=250)
    np.testing.assert_array_equal(several, one)


def test_neighbours_stay_neighbours(blobs: tuple[np.ndarray, np.ndarray]) -> None:
    assert trustworthiness(blobs[0], embed(blobs[0], max_iter=300)) > 0.9


def test_a_random_start_depends_on_the_seed_alone(scores: np.ndarray) -> None:
    first, again, other = (
        embed(scores, start="random", learning_rate=200.0, max_iter=250, random_state=seed)
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.allclose(first, other)


@pytest.mark.parametrize("columns", [1, 2])
def test_fewer_than_three_components_are_filled_up_with_noise(scores: np.ndarray, columns: int) -> None:
    embedding = embed(scores[:, :columns], max_iter=250)
    assert embedding.shape == (60, 3)
    assert np.linalg.matrix_rank(embedding - embedding.mean(axis=0)) == 3


@pytest.mark.parametrize("rows", [2, 3, 4, 5, 31])
def test_few_rows_have_fewer_neighbours(scores: np.ndarray, rows: int) -> None:
    embedding = embed(scores[:rows], max_iter=250)
    assert embedding.shape == (rows, 3)
    assert np.isfinite(embedding).all()


def test_a_third_of_the_other_rows_is_the_most(scores: np.ndarray) -> None:
    few = scores[:31]
    np.testing.assert_array_equal(
        embed(few, perplexity=30, max_iter=250), embed(few, perplexity=10, max_iter=250)
    )


@pytest.mark.parametrize("wrong", [{"start": "pca"}, {"perplexity": 0}, {"perplexity": float("nan")}])
def test_wrong_settings_are_named(scores: np.ndarray, wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="tsne_init='pca'|perplexity"):
        embed(scores, **wrong)
