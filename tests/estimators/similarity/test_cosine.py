from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics.pairwise import cosine_similarity

from memfeat.estimators.similarity.cosine import cosines, directions

# Lengths whose squares neither vanish nor overflow.
rows = arrays(np.float64, (4, 3), elements=st.floats(-1e6, 1e6).filter(lambda x: x == 0 or abs(x) > 1e-6))


@given(rows, rows)
def test_cosines_are_scikit_learns(u: np.ndarray, v: np.ndarray) -> None:
    found = cosines(u, v)
    np.testing.assert_allclose(found, cosine_similarity(u, v), atol=1e-12)
    assert (np.abs(found) <= 1).all()


@given(rows)
def test_directions_have_length_one_or_are_none(u: np.ndarray) -> None:
    lengths = np.linalg.norm(directions(u), axis=1)
    np.testing.assert_allclose(lengths, (np.linalg.norm(u, axis=1) > 0).astype(float), atol=1e-12)


def test_the_rows_are_left_as_they_were() -> None:
    given_rows = np.array([[3.0, 4.0]])
    directions(given_rows)
    assert given_rows.tolist() == [[3.0, 4.0]]
