"""Lists of names by split: tables and the pickled pair; a pickle that asks for code is refused."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from memfeat.datasets._splitfile import read_splits
from memfeat.errors import LabelError


def key(name):
    return name.removesuffix(".webm") if name.startswith("v") else ""


class Trap:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize(
    "content",
    [
        (["v1.webm", "v2.webm"], ["v3.webm"]),
        [("v1.webm", "v2.webm"), ("v3.webm",)],
        (np.array(["v1.webm", "v2.webm"]), np.array(["v3.webm"])),
        (np.array(["v1.webm", "v2.webm"], dtype=object), ["v3.webm"]),
    ],
    ids=["lists", "tuples", "arrays", "objects"],
)
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickled_pair(tmp_path, content, protocol):
    file = tmp_path / "split.pkl"
    file.write_bytes(pickle.dumps(content, protocol))
    assert read_splits(file, key) == {"v1": "train", "v2": "train", "v3": "val"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (Trap(), "asks for builtins.print, and only lists of names are read"),
        (["v1"], "two or three lists of names"),
        ({"train": ["v1"]}, "two or three lists"),
        ((["v1"], [2]), "two or three lists"),
        ((["v1"], []), "two or three lists"),
        ((["v1"], ["v1.webm"]), "entry 1 of val: v1 is in train too"),
        ((["v1"], ["x"]), "entry 1 of val: 'x' is no video"),
    ],
)
def test_pickles_of_something_else(tmp_path, content, words):
    file = tmp_path / "split.pkl"
    file.write_bytes(pickle.dumps(content))
    with pytest.raises(LabelError, match=words):
        read_splits(file, key)


def test_a_pickle_that_breaks_off(tmp_path):
    file = tmp_path / "split.pkl"
    file.write_bytes(pickle.dumps((["v1"], ["v2"]))[:-9])
    with pytest.raises(LabelError, match=r"split\.pkl cannot be read"):
        read_splits(file, key)


def test_a_table(tmp_path):
    file = tmp_path / "split.csv"
    file.write_text("video,split\nv1.webm,train\nv2,my-test\n")
    assert read_splits(file, key) == {"v1": "train", "v2": "my-test"}
    file.write_text("video,split\nv1.webm,train\nv1,val\n")
    with pytest.raises(LabelError, match="lines 2, 3, column 'video': 'v1' stands 2 times"):
        read_splits(file, key)
    file.write_text("video,split\nv1.webm,\n")
    with pytest.raises(LabelError, match="line 2, column 'split': is empty"):
        read_splits(file, key)
