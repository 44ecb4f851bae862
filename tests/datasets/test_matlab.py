"""MATLAB files, written by SciPy: structs nested in matrices of one, damage, and versions that are not read."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from memfeat.datasets._matlab import matrix, read_mat, struct_table
from memfeat.errors import LabelError


def structs(*rows: dict) -> np.ndarray:
    array = np.empty((1, len(rows)), dtype=[(name, object) for name in rows[0]])
    for k, row in enumerate(rows):
        for name, value in row.items():
            array[0, k][name] = value
    return array


def save(tmp_path: Path, **variables: object) -> Path:
    savemat(tmp_path / "x.mat", variables)
    return tmp_path / "x.mat"


def test_a_struct_array_is_a_table(tmp_path: Path) -> None:
    counts = structs({"hits": np.uint8(200), "misses": np.uint8(100)})
    rows = structs(
        {"name": "a b.jpg", "n": 3, "inner": counts, "list": [1.0, 2.0], "none": np.zeros((1, 0))},
        {"name": "é.jpg", "n": 4.5, "inner": counts, "list": [3.0, 4.0], "none": np.zeros((1, 0))},
    )
    file = save(tmp_path, allImages=rows)
    table = struct_table(file, read_mat(file, "missing", "allImages"))
    assert table.cells["name"].tolist() == ["a b.jpg", "é.jpg"]
    assert table.cells["n"].tolist() == [3, 4.5]
    assert table.cells["inner"][1] == {"hits": 200, "misses": 100}
    assert sum(table.cells["inner"][1].values()) == 300  # and no byte that overflows
    assert table.cells["list"][2].ravel().tolist() == [3.0, 4.0]
    assert table.cells["none"].tolist() == [None, None]


def test_a_cell_array_of_structs_is_the_same_table(tmp_path: Path) -> None:
    cells = np.empty((2, 1), dtype=object)
    for k in range(2):
        cells[k, 0] = {"filepath": f"{k}.jpg", "hits": 7 + k}
    file = save(tmp_path, sorted_target_data=cells)
    table = struct_table(file, read_mat(file, "sorted_target_data"))
    assert table.cells["filepath"].tolist() == ["0.jpg", "1.jpg"]
    assert table.numbers("hits").tolist() == [7, 8]
    with pytest.raises(LabelError, match=r"x\.mat, entry 2, column 'hits': 8 is above 7"):
        table.numbers("hits", high=7)


def test_what_is_no_struct_is_refused(tmp_path: Path) -> None:
    file = save(tmp_path, x=np.arange(3.0))
    with pytest.raises(LabelError, match="entry 1: is no struct with fields but float"):
        struct_table(file, read_mat(file))


def test_the_only_variable_needs_no_name(tmp_path: Path) -> None:
    assert read_mat(save(tmp_path, hrs=[[0.5, 0.25]])).tolist() == [[0.5, 0.25]]
    with pytest.raises(LabelError, match=r"should hold one variable; it holds a, b"):
        read_mat(save(tmp_path, a=1, b=2))
    with pytest.raises(LabelError, match=r"should hold hrs or scores; it holds a, b"):
        read_mat(tmp_path / "x.mat", "hrs", "scores")


def test_damaged_files_are_refused_wherever_they_are_cut(tmp_path: Path) -> None:
    whole = save(
        tmp_path, hrs=np.linspace(0, 1, 200)[None], names=np.array(["a", "b"], dtype=object)
    ).read_bytes()
    for kept in [*range(0, len(whole) - 200, 61), len(whole) // 2]:
        (tmp_path / "cut.mat").write_bytes(whole[:kept])
        with pytest.raises(LabelError, match=r"cut\.mat (cannot be read|should hold)"):
            read_mat(tmp_path / "cut.mat", "names")
    (tmp_path / "text.mat").write_text("name,score\n" * 90)
    with pytest.raises(LabelError, match=r"text\.mat cannot be read as a MATLAB file"):
        read_mat(tmp_path / "text.mat", "hrs")
    with pytest.raises(LabelError, match=r"none\.mat cannot be read"):
        read_mat(tmp_path / "none.mat", "hrs")


def test_version_7_3_says_how_to_save_it_again(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "new.mat", "w", userblock_size=512) as file:
        file["hrs"] = [0.5]
    with (tmp_path / "new.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(128))
    with pytest.raises(LabelError, match=r"version 7\.3\. Save it again .*'-v7'"):
        read_mat(tmp_path / "new.mat", "hrs")


@pytest.mark.parametrize(
    ("values", "options", "message"),
    [
        (np.array([["a"]]), {}, "matrix of numbers; it holds <U1"),
        (np.ones((2, 3)), {"shape": (25, None)}, "matrix of 2 × 3; 25 × any was expected"),
        (np.ones(3), {}, "matrix of 3; any × any"),
        (np.array([[1.0, np.nan]]), {}, r"row 1, column 2: nan where a number is needed"),
        (
            np.array([[0.5], [1.5]]),
            {"low": 0, "high": 1},
            r"row 2, column 1: 1\.5 where a number from 0 to 1",
        ),
        (np.ones((2, 2), dtype=complex), {}, "matrix of numbers"),
    ],
)
def test_matrices_are_checked(tmp_path: Path, values: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(LabelError, match=message):
        matrix(tmp_path / "x.mat", values, **options)
