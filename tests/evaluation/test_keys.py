from __future__ import annotations

import pytest

from memfeat.errors import UsageError
from memfeat.evaluation.keys import check_keys, differences
from memfeat.evaluation.pipeline import Block

OLD = {"extractor": "hog", "version": 1, "parameters": {"cell": 8}, "canvas": {"size": [256, 256]}}
BLOCKS = (
    Block("hog:mean", "hog", "mean", 9, "aa", "pca", OLD),
    Block("hog:first", "hog", "first", 9, "aa", "pca", OLD),
    Block("flow:mean", "flow", "mean", 1, "bb", "zscore"),
)


def test_equal_keys_pass_and_further_features_do_not_matter() -> None:
    check_keys(BLOCKS, {"hog": "aa", "flow": "bb", "other": "cc"}, {}, where="It")


def test_missing_features_are_named() -> None:
    with pytest.raises(UsageError, match="The store lacks flow, which the model needs; it has hog"):
        check_keys(BLOCKS, {"hog": "aa"}, {}, where="The store")


def test_a_different_key_says_what_differs() -> None:
    new = {**OLD, "version": 2, "parameters": {"cell": 16}}
    with pytest.raises(
        UsageError, match=r"hog \(parameters.cell: the model has 8, here 16, version: .* 1, here 2\)"
    ):
        check_keys(BLOCKS, {"hog": "a2", "flow": "bb"}, {"hog": new}, where="The store")
    with pytest.raises(UsageError, match=r"flow \(key bb there b2\)"):
        check_keys(BLOCKS, {"hog": "aa", "flow": "b2"}, {"flow": {}}, where="The store")


def test_differences_name_what_only_one_has() -> None:
    assert differences({"a": {"b": 1}}, {"c": None}) == "a.b: the model has 1, here none"
    assert differences({"a": 1}, {"a": 1}) == ""
    assert differences(None, {"a": 1}) == ""
