import numpy as np
import pytest

from memfeat.store.importing.npy import read_npy
from memfeat.store.importing.values import FeatureFileError


@pytest.mark.parametrize("shape", [(), (5,), (3, 4)])
@pytest.mark.parametrize("dtype", ["f4", "f8", ">f4", "f2", "i2"])
def test_arrays_are_read_back(tmp_path, shape, dtype):
    array = (np.arange(np.prod(shape, dtype=int)).reshape(shape) + 1).astype(dtype)
    np.save(tmp_path / "a.npy", array)
    found = read_npy(tmp_path / "a.npy")
    assert found.shape == shape
    np.testing.assert_array_equal(found, array)


def test_fortran_order_is_no_other_array(tmp_path):
    array = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    np.save(tmp_path / "a.npy", array)
    np.testing.assert_array_equal(read_npy(tmp_path / "a.npy"), array)


def test_objects_are_refused_unopened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"run": "me"}], dtype=object), allow_pickle=True)
    with pytest.raises(FeatureFileError, match="can run any program"):
        read_npy(tmp_path / "a.npy")


def test_what_is_no_npy(tmp_path):
    import pickle

    whole = tmp_path / "whole.npy"
    np.save(whole, np.ones((3, 100)))
    np.savez(tmp_path / "zip.npz", a=np.ones(3))
    contents = {
        "cut short": whole.read_bytes()[:-1],
        "header alone": whole.read_bytes()[:60],
        "empty": b"",
        "pickle": pickle.dumps([1, 2]),
        "zip": (tmp_path / "zip.npz").read_bytes(),
    }
    for content in contents.values():
        (tmp_path / "a.npy").write_bytes(content)
        with pytest.raises(FeatureFileError, match=r"a\.npy"):
            read_npy(tmp_path / "a.npy")
    with pytest.raises(FeatureFileError, match="No such file"):
        read_npy(tmp_path / "none.npy")


def test_nan_and_three_dimensions_are_refused(tmp_path):
    for array, words in (
        (np.array([np.nan]), "NaN"),
        (np.ones((1, 2, 3)), "shape"),
        (np.empty((3, 0)), "shape|empty"),
    ):
        np.save(tmp_path / "a.npy", array)
        with pytest.raises(FeatureFileError, match=words):
            read_npy(tmp_path / "a.npy")
