import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memfeat.store.importing.dense_text import read_dense
from memfeat.store.importing.values import FeatureFileError

finite = st.floats(allow_nan=False, allow_infinity=False)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(finite, min_size=1), st.sampled_from([" ", ",", ", ", "\t", "\n", ",\n"]))
def test_a_line_is_read_back_exactly(tmp_path, values, glue):
    file = tmp_path / "a.txt"
    file.write_text(glue.join(map(repr, values)))
    np.testing.assert_array_equal(read_dense(file, width=len(values)), values)


@pytest.mark.parametrize(
    ("text", "words"), [("1 2", "2 numbers; 3 are"), ("1\n2 3", "2 lines; one line"), (",", "no number")]
)
def test_another_count_is_refused(tmp_path, text, words):
    file = tmp_path / "a.txt"
    file.write_text(text)
    with pytest.raises(FeatureFileError, match=words):
        read_dense(file, width=3 if text != "," else None)
