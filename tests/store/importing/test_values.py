import numpy as np
import pytest

from memfeat.store.importing import values
from memfeat.store.importing.values import FeatureFileError, checked


@pytest.mark.parametrize(
    "array", [np.array(2), np.ones(3, "f4"), np.ones((2, 3), bool), np.arange(4, dtype="u1")]
)
def test_numbers_keep_their_values(array):
    found = checked(array, "a")
    assert found.dtype.kind == "f"
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.array([1.0, np.nan, np.inf]), r"2 of 3 numbers that are NaN or infinite \(first at 1\)"),
        (np.array([[1.0, 2.0], [3.0, -np.inf]]), r"first at 1, 1"),
        (np.ones((2, 2, 2)), r"shape \(2, 2, 2\)"),
        (np.empty(0), r"shape \(0,\)"),
        (np.array(["a"]), "real numbers are needed"),
        (np.array([1j]), "real numbers are needed"),
        (np.array(None, dtype=object), "real numbers are needed"),
    ],
)
def test_anything_else_is_refused_with_its_place(array, words):
    with pytest.raises(FeatureFileError, match=f"^here.*{words}"):
        checked(array, "here")


def test_a_size_that_no_video_needs_is_refused(monkeypatch):
    monkeypatch.setattr(values, "MAX_NUMBERS", 3)
    with pytest.raises(FeatureFileError, match="at most 3 numbers"):
        checked(np.ones(4), "a")
