from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from memfeat.errors import UsageError
from memfeat.store.importing.parquet import read_parquet
from memfeat.store.importing.values import FeatureFileError


@pytest.fixture
def save(tmp_path):
    def write(frame: pd.DataFrame, **options):
        frame.to_parquet(tmp_path / "m.parquet", **options)
        return tmp_path / "m.parquet"

    return write


@pytest.mark.parametrize("dtype", ["f4", "f8", "i4"])
def test_a_column_per_number(save, dtype):
    frame = pd.DataFrame({"id": ["a", "b"], "x": np.array([1, 2], dtype), "y": np.array([3, 4], dtype)})
    found = read_parquet(save(frame))
    assert found.names == ("a", "b")
    assert found.read("b").array.tolist() == [2, 4]
    assert found.read("b").array.dtype == ("f4" if dtype == "f4" else "f8")


def test_ids_as_the_index_or_as_numbers(save):
    frame = pd.DataFrame({"x": [0.5, 0.25]}, index=pd.Index([7, 12], name="video_id"))
    assert read_parquet(save(frame)).names == ("7", "12")
    frame = pd.DataFrame({"id": [7.0, 12.0], "x": [0.5, 0.25]})
    assert read_parquet(save(frame)).names == ("7", "12")


def test_a_vector_per_row_and_a_vector_per_frame(save):
    found = read_parquet(save(pd.DataFrame({"id": [1, 2, 3], "e": [[1.0, 2.0], [3.0, 4.0], None]})))
    assert found.read("2").array.tolist() == [3.0, 4.0]
    with pytest.raises(FeatureFileError, match="'3'"):
        found.read("3")
    nested = pd.DataFrame({"id": ["a", "b"], "e": [[[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0]]]})
    found = read_parquet(save(nested))
    assert found.read("a").array.tolist() == [[1, 2], [3, 4]]
    with pytest.raises(FeatureFileError, match="'b'"):
        found.read("b")


def test_a_missing_number_fails_its_row_alone(save):
    frame = pd.DataFrame({"id": ["a", "b"], "x": pd.array([1, None], dtype="Int64"), "y": [0.5, 0.5]})
    found = read_parquet(save(frame))
    assert found.read("a").array.tolist() == [1, 0.5]
    with pytest.raises(FeatureFileError, match="NaN"):
        found.read("b")


def test_columns_of_text_and_missing_names(save):
    frame = pd.DataFrame({"id": ["a"], "x": [1.0], "title": ["t"]})
    with pytest.raises(UsageError, match=r"'title' holds 't'.*--columns"):
        read_parquet(save(frame))
    assert read_parquet(save(frame), columns=["x"]).read("a").array.tolist() == 1.0
    with pytest.raises(UsageError, match="no column that names"):
        read_parquet(save(pd.DataFrame({"x": [0.5], "y": [0.5]})))
    with pytest.raises(UsageError, match="row 1 has no name"):
        read_parquet(save(pd.DataFrame({"id": [None], "x": [1.0]})))


def test_a_damaged_and_a_missing_file(save, tmp_path):
    file = save(pd.DataFrame({"id": ["a"], "x": [1.0]}))
    file.write_bytes(file.read_bytes()[:-30])
    with pytest.raises(UsageError, match=r"m\.parquet cannot be read"):
        read_parquet(file)
    with pytest.raises(UsageError, match="cannot be read"):
        read_parquet(tmp_path / "none.parquet")
