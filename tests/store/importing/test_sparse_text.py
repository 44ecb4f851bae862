import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memfeat.errors import UsageError
from memfeat.store.importing.sparse_text import Bins, read_sparse
from memfeat.store.importing.values import FeatureFileError


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(st.integers(0, 20), st.floats(-1e9, 1e9), min_size=1), st.integers(0, 3))
def test_pairs_fill_a_vector_of_zeros(tmp_path, pairs, first):
    file = tmp_path / "a.txt"
    file.write_text(" ".join(f"{bin + first}:{value!r}" for bin, value in pairs.items()))
    expected = np.zeros(21)
    for bin, value in pairs.items():
        expected[bin] = value
    np.testing.assert_array_equal(read_sparse(file, Bins(first, first + 20)), expected)


def test_lines_are_put_one_after_the_other(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("0:1\n1:2\n0:3 1:4\n")
    assert read_sparse(file, Bins(0, 1), lines=3).tolist() == [1, 0, 0, 2, 3, 4]
    with pytest.raises(FeatureFileError, match="3 lines; 2 of bin:value"):
        read_sparse(file, Bins(0, 1), lines=2)


def test_a_message_names_line_and_bin(tmp_path):
    file = tmp_path / "a.txt"
    file.write_text("0:1\n7:2")
    with pytest.raises(
        FeatureFileError, match=r"a\.txt, line 2: bin 7 is out of range; bins run from 0 to 1"
    ):
        read_sparse(file, Bins(0, 1), lines=2)


@pytest.mark.parametrize("text", ["", "5", "a-b", "1-", "-5-3", "9-3"])
def test_bins_that_are_none(text):
    with pytest.raises(UsageError):
        Bins.parse(text)


def test_bins_count_both_ends():
    assert Bins.parse(" 1 - 6075 ") == Bins(1, 6075)
    assert Bins(0, 999).count == 1000
