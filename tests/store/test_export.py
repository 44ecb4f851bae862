from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pyarrow.parquet
import pytest

from memfeat.errors import SetupError, UsageError
from memfeat.store.export import export
from memfeat.store.feature_store import FeatureStore
from memfeat.store.importing.importer import import_features
from memfeat.store.labels import Labels, write_labels

COLUMNS = ["contrast", "hog", "clip:first"]


@pytest.fixture
def labelled(filled):
    table = pd.DataFrame({"y": [0.1, 1 / 3], "split": ["train", None]}, index=["é.webm", "a.mp4"])
    write_labels(filled.path, Labels(table, synthetic=True))
    return filled


def test_csv_has_ids_and_reads_back_exactly(filled, tmp_path: Path) -> None:
    done = export(filled.path, COLUMNS, tmp_path / "new" / "out.csv")
    assert (done.rows, done.columns, done.sidecars, done.note) == (5, 12, (), "")
    with done.path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    matrix = filled.matrix(COLUMNS)
    assert tuple(row["id"] for row in rows) == matrix.ids
    assert [float(row["contrast:mean"]) for row in rows] == matrix.block("contrast")[:, 0].tolist()
    np.testing.assert_array_equal(
        np.array([[np.float32(row[f"hog:mean[{n}]"]) for n in range(6)] for row in rows]), matrix.block("hog")
    )


def test_parquet_keeps_types(labelled, tmp_path: Path) -> None:
    done = export(labelled.path, COLUMNS, tmp_path / "out.parquet", labels=True)
    table = pyarrow.parquet.read_table(done.path)
    assert table.column_names[0] == "id" and table.column_names[-2:] == ["y", "split"]
    assert (
        str(table.schema.field("hog:mean[0]").type) == "float"
        and str(table.schema.field("contrast:mean").type) == "double"
    )
    frame = pd.read_parquet(done.path).set_index("id")
    assert frame.loc["a.mp4", "y"] == 1 / 3 and frame.loc["é.webm", "split"] == "train"
    assert frame["y"].isna().sum() == 3
    assert "synthetic" in done.note and "synthetic" in str(table.schema.metadata)
    np.testing.assert_array_equal(
        frame[[f"hog:mean[{n}]" for n in range(6)]].to_numpy(), labelled.matrix(["hog"]).to_numpy()
    )


def test_csv_joins_labels_by_id(labelled, tmp_path: Path) -> None:
    export(labelled.path, ["contrast"], tmp_path / "out.csv", labels=True)
    frame = pd.read_csv(tmp_path / "out.csv", index_col="id")
    assert frame.loc["a.mp4", "y"] == 1 / 3 and np.isnan(frame.loc["c d.mp4", "y"])


def test_npy_has_ids_and_columns_beside_it(filled, tmp_path: Path) -> None:
    done = export(filled.path, COLUMNS, tmp_path / "out.npy")
    matrix = filled.matrix(COLUMNS)
    np.testing.assert_array_equal(np.load(done.path), matrix.to_numpy())
    ids, columns = done.sidecars
    assert (ids.name, columns.name) == ("out.ids.txt", "out.columns.json")
    assert tuple(ids.read_text("utf-8").split("\n")[:-1]) == matrix.ids
    described = json.loads(columns.read_text())
    assert [(c["name"], c["width"], c["key"]) for c in described] == [
        (c.name, c.width, c.key) for c in matrix.columns
    ]


def test_views_and_missing_rows(filled, put: Callable, make, tmp_path: Path) -> None:
    put("x.mp4", make.size())
    done = export(filled, ["hog"], tmp_path / "a.csv")
    assert done.rows == 5 and done.missing == {"x.mp4": "not extracted: hog"}
    assert export(filled.filter(ids=["a.mp4"]), ["hog"], tmp_path / "b.csv").rows == 1


def test_format_by_name_or_ending(filled, tmp_path: Path) -> None:
    assert export(filled.path, ["hog"], tmp_path / "data", format="npy").path.name == "data"
    for path in ("out", "out.xlsx", "out.hdf"):
        with pytest.raises(UsageError, match="csv, parquet, npy, npz or h5"):
            export(filled.path, ["hog"], tmp_path / path)
    for suffix in ("npy", "npz", "h5"):
        with pytest.raises(UsageError, match="no labels"):
            export(filled.path, ["hog"], tmp_path / f"out.{suffix}", labels=True)
    with pytest.raises(UsageError, match="is a folder"):
        export(filled.path, ["hog"], tmp_path, format="csv")
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "data",
        "data.columns.json",
        "data.ids.txt",
    ]


def test_npz_and_h5_hold_an_array_per_column(filled, tmp_path: Path) -> None:
    matrix = filled.matrix(COLUMNS)
    with np.load(export(filled.path, COLUMNS, tmp_path / "out.npz").path) as archive:
        assert tuple(archive["ids"].tolist()) == matrix.ids
        found = {name: archive[name] for name in archive.files if name != "ids"}
    with h5py.File(export(filled.path, COLUMNS, tmp_path / "out.h5").path) as file:
        assert tuple(file["ids"].asstr()[()]) == matrix.ids
        assert not file["ids"].id.get_type().is_variable_str()
        for column in matrix.columns:
            assert file[column.name].attrs["feature_key"] == column.key
            np.testing.assert_array_equal(file[column.name][()], found[column.name])
    assert list(found) == [column.name for column in matrix.columns]
    for name, array in found.items():
        np.testing.assert_array_equal(array, matrix.block(name))
        assert array.dtype == matrix.block(name).dtype


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npz", "h5"])
@pytest.mark.parametrize(
    ("column", "array"), [("hog:mean", "mean"), ("contrast:mean", "values"), ("clip:std", "mean")]
)
def test_an_import_gives_back_every_bit(filled, tmp_path: Path, suffix: str, column: str, array: str) -> None:
    path = export(filled.path, [*COLUMNS, "hog:first", "clip:std"], tmp_path / f"out.{suffix}").path
    other = FeatureStore.create(tmp_path / "other", dataset="other")
    done = import_features(other, path, "again", columns=[column], new_ids=True)
    expected = filled.matrix([column])
    assert done.imported == expected.ids
    for id, row in zip(expected.ids, expected.block(column), strict=True):
        stored = other[id]["again"].arrays[array]
        np.testing.assert_array_equal(np.atleast_1d(stored), row)


def test_a_bare_array_is_imported_with_its_ids(filled, tmp_path: Path) -> None:
    path = export(filled.path, ["hog"], tmp_path / "out.npy").path
    other = FeatureStore.create(tmp_path / "other", dataset="other")
    assert import_features(other, path, "hog", new_ids=True).imported == filled.ids
    np.testing.assert_array_equal(other.matrix(["hog"]).to_numpy(), filled.matrix(["hog"]).to_numpy())


@pytest.mark.parametrize("suffix", ["csv", "parquet", "npy", "npz", "h5"])
def test_a_failed_export_leaves_the_old_file(
    filled, tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"out.{suffix}"
    export(filled.path, ["hog"], path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    targets = ["pandas.DataFrame.to_csv", "pandas.DataFrame.to_parquet", "pathlib.Path.write_text"]
    for target in [*targets, "numpy.savez", "h5py.Group.create_dataset"]:
        monkeypatch.setattr(target, full)
    with pytest.raises(SetupError, match="Free some space"):
        export(filled.path, ["contrast"], path)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()} == before
