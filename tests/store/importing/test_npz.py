import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.store.importing.npz import read_npz
from memfeat.store.importing.values import FeatureFileError


def test_names_and_a_matrix(tmp_path):
    rows = np.arange(6, dtype="f4").reshape(2, 3)
    for names in (np.array(["a", "é"]), np.array([b"a", "é".encode()])):
        np.savez_compressed(tmp_path / "m.npz", ids=names, x=rows)
        found = read_npz(tmp_path / "m.npz")
        assert found.names == ("a", "é")
        np.testing.assert_array_equal(found.read("é").array, rows[1])


def test_vectors_per_frame(tmp_path):
    rows = np.arange(24.0).reshape(2, 3, 4)
    np.savez(tmp_path / "m.npz", video_id=np.array([7, 12]), x=rows)
    found = read_npz(tmp_path / "m.npz")
    assert found.names == ("7", "12")
    assert found.read("12").array.shape == (3, 4)


def test_one_array_per_video(tmp_path):
    np.savez(tmp_path / "m.npz", **{"video3.webm": np.ones(2), "video4.webm": np.array([np.nan, 1.0])})
    found = read_npz(tmp_path / "m.npz")
    assert found.names == ("video3.webm", "video4.webm")
    with pytest.raises(FeatureFileError, match="'video4.webm' holds 1 of 2"):
        found.read("video4.webm")
    with pytest.raises(UsageError, match="leave columns out"):
        read_npz(tmp_path / "m.npz", columns=["x"])


def test_several_matrices_need_a_choice(tmp_path):
    np.savez(tmp_path / "m.npz", clips=np.array(["a"]), x=np.ones((1, 2)), y=np.zeros((1, 3)))
    with pytest.raises(UsageError, match=r"several arrays beside 'clips': x, y.*--columns"):
        read_npz(tmp_path / "m.npz", id_column="clips")
    assert read_npz(tmp_path / "m.npz", id_column="clips", columns=["y"]).read("a").array.shape == (3,)
    with pytest.raises(UsageError, match="no array 'who'"):
        read_npz(tmp_path / "m.npz", id_column="who")


def test_damage_objects_and_other_files_are_refused(tmp_path):
    file = tmp_path / "m.npz"
    np.savez(file, ids=np.array(["a", None], dtype=object), x=np.ones(2), allow_pickle=True)
    with pytest.raises(UsageError, match="can run any program"):
        read_npz(file)
    np.savez_compressed(file, ids=np.array(["a"]), x=np.random.default_rng(0).random((1, 5000)))
    whole = bytearray(file.read_bytes())
    for content in (bytes(whole[:-100]), b"", bytes(whole[:3000]) + bytes(100) + bytes(whole[3100:])):
        file.write_bytes(content)
        with pytest.raises(UsageError, match=r"m\.npz"):
            read_npz(file)
    np.save(tmp_path / "n.npy", np.ones(3))
    with pytest.raises(UsageError, match=r"no \.npz archive"):
        read_npz(tmp_path / "n.npy")
    with pytest.raises(UsageError, match="cannot be read"):
        read_npz(tmp_path / "none.npz")
    np.savez(file, ids=np.array(["a"]), x=np.array(1.0))
    with pytest.raises(UsageError, match="single number"):
        read_npz(file)
    np.savez(file, ids=np.array(["a", "b"]), x=np.ones((3, 2)))
    with pytest.raises(UsageError, match="2 names for 3 rows"):
        read_npz(file)
