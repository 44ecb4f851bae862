from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.store.importing.table import TableShipment, choose, find_id_column, pick
from memfeat.store.importing.values import FeatureFileError

FILE = Path("m.npz")


def test_a_row_is_read_by_its_name():
    found = TableShipment(FILE, ["a", "b"], np.arange(12.0).reshape(2, 3, 2), remarks=["said"])
    assert (found.names, found.remarks, found.files("b")) == (("a", "b"), ("said",), (FILE,))
    assert found.read("b").array.tolist() == [[6, 7], [8, 9], [10, 11]]
    assert TableShipment(FILE, ["a"], np.array([0.5])).read("a").array.shape == ()
    assert TableShipment(FILE, ["a"], np.array([[0.5]])).read("a").array.shape == ()


def test_a_row_that_cannot_be_used_fails_when_it_is_read():
    found = TableShipment(FILE, ["a", "b"], [np.ones(2), FeatureFileError("line 3 is odd")])
    assert found.read("a").array.tolist() == [1, 1]
    with pytest.raises(FeatureFileError, match="line 3"):
        found.read("b")


@pytest.mark.parametrize(
    ("names", "rows", "words"),
    [
        (["a"], np.ones((2, 1)), "1 names for 2 rows"),
        ([], np.ones((0, 1)), "has no row"),
        (["a", " "], np.ones((2, 1)), "row 2 has no name"),
        (["a", "b", "a"], np.ones((3, 1)), "1 names more than once, such as 'a'"),
    ],
)
def test_names_that_are_none(names, rows, words):
    with pytest.raises(UsageError, match=words):
        TableShipment(FILE, names, rows)


@pytest.mark.parametrize(
    ("columns", "given", "found", "said"),
    [
        (["x", "Name"], None, "Name", 0),
        (["clip", "x"], None, "clip", 1),
        (["id", "video_id"], "video_id", "video_id", 0),
        (["\u00e9", "id "], None, "id ", 0),
    ],
)
def test_the_column_of_names(columns, given, found, said):
    by, remarks = find_id_column(columns, given, FILE)
    assert (by, len(remarks)) == (found, said)


@pytest.mark.parametrize(
    ("columns", "given", "words"),
    [
        (["id", "video_id"], None, "id, video_id may name"),
        (["id", "x"], "idd", "no column 'idd'.*Did you mean 'id'"),
        (["x", "x"], None, "two columns called 'x'"),
        ([], None, "no column"),
    ],
)
def test_no_column_of_names(columns, given, words):
    with pytest.raises(UsageError, match=words):
        find_id_column(columns, given, FILE)


def test_columns_are_chosen_by_name_or_by_the_feature_they_spell_out():
    known = ["hog:mean[0]", "hog:mean[1]", "size"]
    assert pick(known, None, FILE) == known
    assert pick(known, ["size", "hog:mean"], FILE) == ["size", *known[:2]]
    with pytest.raises(UsageError, match="no column 'hog'"):
        pick(known, ["hog"], FILE)
    with pytest.raises(UsageError, match="names and no numbers"):
        pick([], None, FILE)


def test_labels_are_no_features_unless_named():
    known = ["hog", "Memorability ", "split", "split:fold1", "group", "n:memorability", "other", "n:other"]
    chosen, said = choose(known, None, FILE, ["memorability"])
    assert chosen == ["hog"]
    assert said[0] == "Columns taken: hog."
    assert "left out: Memorability , split, split:fold1, group, n:memorability and 2 more" in said[1]
    chosen, said = choose(known, ["hog", "other"], FILE, ["memorability"])
    assert chosen == ["hog", "other"]
    assert "named like labels: other. A model" in said[1]
    assert choose(["a", "b"], None, FILE, ["c"]) == (["a", "b"], ["Columns taken: a, b."])
    assert choose([*"abcdefg"], None, FILE)[1] == ["Columns taken: 7, from 'a' to 'g'."]
    with pytest.raises(UsageError, match=r"names and labels \(score, group\), and no other.*--columns"):
        choose(["score", "group"], None, FILE, ["score"])
