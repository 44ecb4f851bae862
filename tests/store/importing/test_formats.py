from __future__ import annotations

import h5py
import numpy as np
import pandas as pd
import pytest

from memfeat.errors import UsageError
from memfeat.store.importing.formats import SUMMARIES, open_shipment
from memfeat.store.importing.importer import import_features
from memfeat.store.importing.sparse_text import Bins


@pytest.mark.parametrize(
    ("kind", "format", "reading"),
    [
        ("C3D", "dense", {}),
        ("LBP", "dense", {}),
        ("HMP", "hmp", {"bins": [1, 6075], "lines": 1}),
        ("InceptionV3", "inceptionv3", {"bins": [0, 999], "lines": 1}),
        ("ColorHistogram", "color-histogram", {"bins": [0, 255], "lines": 3}),
    ],
)
def test_folders_tell_what_they_hold(ship, kind, format, reading):
    folder, _ = ship(kind)
    found, shipment = open_shipment(folder, ids=["video3.webm"])
    assert (found, shipment.reading) == (format, reading)


def test_a_sparse_folder_of_no_known_name_needs_its_bins(ship):
    folder, true = ship("HMP")
    folder = folder.rename(folder.parent / "motion")
    with pytest.raises(UsageError, match=r"hmp \(bin:value pairs, bins 1 to 6075\).*--bins"):
        open_shipment(folder)
    assert open_shipment(folder, hint="my-HMP")[0] == "hmp"
    assert open_shipment(folder, format="hmp")[0] == "hmp"
    found, shipment = open_shipment(folder, bins=Bins(1, 6075))
    assert (found, shipment.reading["bins"]) == ("sparse", [1, 6075])
    np.testing.assert_array_equal(shipment.read("video3").array, true["video3.webm"])
    with pytest.raises(UsageError, match="do not say how many bins"):
        open_shipment(folder, format="sparse")


def test_every_file_format_opens(tmp_path):
    rows = np.arange(6, dtype="f4").reshape(3, 2)
    frame = pd.DataFrame(rows, columns=["x", "y"])
    frame.insert(0, "id", ["a", "b", "c"])
    frame.to_csv(tmp_path / "m.csv", index=False)
    frame.to_csv(tmp_path / "m.tsv", index=False, sep="\t")
    frame.to_parquet(tmp_path / "m.parquet")
    np.savez(tmp_path / "m.npz", ids=frame["id"].to_numpy(str), values=rows)
    with h5py.File(tmp_path / "m.h5", "w") as file:
        file["ids"], file["values"] = ["a", "b", "c"], rows
    (tmp_path / "m.hdf5").write_bytes((tmp_path / "m.h5").read_bytes())
    np.save(tmp_path / "m.npy", rows)
    (tmp_path / "m.ids.txt").write_text("a\nb\nc\n")
    for suffix in ("csv", "tsv", "parquet", "npz", "h5", "hdf5", "npy"):
        kind, shipment = open_shipment(tmp_path / f"m.{suffix}")
        assert kind in SUMMARIES
        assert shipment.names == ("a", "b", "c")
        np.testing.assert_array_equal(np.stack([shipment.read(name).array for name in "abc"]), rows)
    renamed = (tmp_path / "m.csv").rename(tmp_path / "m.dat")
    assert open_shipment(renamed, format="csv")[1].names == ("a", "b", "c")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"format": "hmpp"}, "Did you mean 'hmp'"),
        ({"format": "csv"}, "is a folder; the format 'csv'"),
        ({"id_column": "id"}, "go with one file"),
        ({"format": "c3d", "bins": Bins(0, 3)}, "has no bins"),
    ],
)
def test_options_that_do_not_fit_a_folder(ship, options, words):
    folder, _ = ship("C3D")
    with pytest.raises(UsageError, match=words):
        open_shipment(folder, **options)


def test_paths_that_hold_nothing_to_read(tmp_path):
    for name, words in (
        ("none", "no file or folder"),
        ("a.p", "is a pickle"),
        ("a.pt", "is a pickle"),
        ("a.docx", "is one file"),
    ):
        if name != "none":
            (tmp_path / name).write_bytes(b"x")
        with pytest.raises(UsageError, match=words):
            open_shipment(tmp_path / name)
    folder = tmp_path / "f"
    folder.mkdir()
    with pytest.raises(UsageError, match=r"no \.npy, \.txt or \.csv"):
        open_shipment(folder)
    (folder / "video3-0.p").write_bytes(b"x")
    with pytest.raises(UsageError, match="can run any program"):
        open_shipment(folder)
    (folder / "a.txt").write_text("1")
    np.save(folder / "a.npy", np.ones(1))
    with pytest.raises(UsageError, match=r"1 \.npy and 1 text files"):
        open_shipment(folder)
    (tmp_path / "m.csv").write_text("id,x\na,1\n")
    with pytest.raises(UsageError, match="Bins go with"):
        open_shipment(tmp_path / "m.csv", bins=Bins(0, 3))
    with pytest.raises(UsageError, match="one file per video"):
        open_shipment(tmp_path / "m.csv", format="hmp")


def test_an_unreadable_first_file_does_not_decide(ship):
    folder, _ = ship("HMP")
    (folder / "video10.txt").write_text("")
    assert open_shipment(folder)[0] == "hmp"


@pytest.mark.parametrize("format", ["csv", "parquet", "npz", "h5"])
def test_the_scores_of_the_store_are_no_feature(labelled, tmp_path, format):
    file = tmp_path / f"all.{format}"
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0, 4.0], "score": labelled.labels["score"].tolist()})
    table.insert(0, "id", labelled.labels.index.tolist())
    columns = {name: table[name].to_numpy("S" if name == "id" else float) for name in table}
    if format == "csv":
        table.to_csv(file, index=False)
    elif format == "parquet":
        table.to_parquet(file)
    elif format == "npz":
        np.savez(file, **columns)
    else:
        with h5py.File(file, "w") as out:
            for name, column in columns.items():
                out[name] = column
    done = import_features(labelled, file, "all")
    assert labelled.matrix(["all"]).to_numpy().ravel().tolist() == [2.0, 3.0, 4.0, 1.0]
    text = "\n".join(done.lines())
    assert "note: Columns taken: x.\nnote: Columns left out: score." in text
    with pytest.raises(UsageError, match=r"labels \(score\)"):
        table[["id", "score"]].to_csv(tmp_path / "score.csv", index=False)
        import_features(labelled, tmp_path / "score.csv", "score-again")
