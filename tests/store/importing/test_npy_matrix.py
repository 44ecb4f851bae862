import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.store.importing.npy_matrix import read_npy_matrix


@pytest.fixture
def matrix(tmp_path):
    np.save(tmp_path / "x.npy", np.arange(6, dtype="f4").reshape(2, 3))
    (tmp_path / "x.ids.txt").write_text("b c.mp4\r\na\r\n")
    return tmp_path / "x.npy"


def test_rows_are_named_by_the_file_beside(matrix):
    found = read_npy_matrix(matrix)
    assert found.names == ("b c.mp4", "a")
    assert found.read("a").array.tolist() == [3, 4, 5]
    assert found.files("a") == (matrix,)


def test_names_and_rows_must_agree(matrix):
    matrix.with_suffix(".ids.txt").write_text("a\n")
    with pytest.raises(UsageError, match="1 names for 2 rows"):
        read_npy_matrix(matrix)
    matrix.with_suffix(".ids.txt").unlink()
    with pytest.raises(UsageError, match=r"x\.ids\.txt, cannot be read"):
        read_npy_matrix(matrix)


def test_a_damaged_array(matrix):
    matrix.write_bytes(matrix.read_bytes()[:-5])
    with pytest.raises(UsageError, match=r"cannot be read as \.npy"):
        read_npy_matrix(matrix)
    np.save(matrix, np.array(1.0))
    with pytest.raises(UsageError, match="row per video"):
        read_npy_matrix(matrix)
    np.save(matrix, np.array([{}, {}]), allow_pickle=True)
    with pytest.raises(UsageError, match="cannot be read"):
        read_npy_matrix(matrix)
