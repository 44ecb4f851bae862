from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memfeat.errors import LabelError, StoreError, UsageError
from memfeat.store.labels import SYNTHETIC_NOTE, Labels, labels_unchanged, read_labels, write_labels
from memfeat.store.manifest import read_manifest

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1).filter(str.strip)


def table(**columns: list) -> pd.DataFrame:
    return pd.DataFrame(
        columns, index=[f"{number}.mp4" for number in range(len(next(iter(columns.values()))))]
    )


def test_labels_read_back(store) -> None:
    labels = Labels(
        table(
            score=[0.1, np.nan, 0.3],
            other=[1, 2, 3],
            split=["train", None, "test"],
            group=["a", "b", None],
            **{"n:score": [5, 0, 7]},
        ),
        note="from a study",
        source={"name": "scores.csv", "sha256": "ab"},
    )
    write_labels(store.path, labels)
    found = read_labels(store.path)
    pd.testing.assert_frame_equal(found.table, labels.table)
    assert found.targets == ("score", "other") and found.annotations == {"score": "n:score"}
    assert (found.note, found.source, found.synthetic) == (
        "from a study",
        {"name": "scores.csv", "sha256": "ab"},
        False,
    )
    assert found.has_split and found.has_group
    assert list(found.table.columns) == ["score", "other", "split", "group", "n:score"]
    assert found.table.index.name == "id" and found.table["split"].tolist() == ["train", None, "test"]


def test_further_splits_read_back_and_keep_their_order(store) -> None:
    folds = {f"split:fold{k}": ["train", "test", None] for k in (2, 1)}
    labels = Labels(
        table(group=["a", None, "b"], **folds, score=[0.1, 0.2, 0.3], split=["train", None, "test"])
    )
    write_labels(store.path, labels)
    found = read_labels(store.path)
    assert found.targets == ("score",)
    assert found.named_splits == {"fold2": "split:fold2", "fold1": "split:fold1"}
    assert list(found.table) == ["score", "split", "split:fold2", "split:fold1", "group"]
    assert found.table["split:fold1"].tolist() == ["train", "test", None]
    assert Labels(table(y=[1.0])).named_splits == {}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    st.dictionaries(
        TEXT, st.tuples(st.floats(allow_infinity=False), TEXT | st.none()), min_size=1, max_size=6
    )
)
def test_any_labels_read_back_bit_for_bit(store, rows: dict) -> None:
    values = pd.DataFrame(
        {"y": [v for v, _ in rows.values()], "split": [s for _, s in rows.values()]}, index=list(rows)
    )
    try:
        labels = Labels(values)
    except LabelError as error:  # two spellings of one id
        assert "more than one row" in str(error)
        return
    write_labels(store.path, labels)
    found = read_labels(store.path).table
    assert list(found.index) == list(labels.table.index)
    assert found["split"].tolist() == labels.table["split"].tolist()
    np.testing.assert_array_equal(
        found["y"].to_numpy().view("i8")[~found["y"].isna()],
        labels.table["y"].to_numpy().view("i8")[~labels.table["y"].isna()],
    )
    assert found["y"].isna().tolist() == labels.table["y"].isna().tolist()


@pytest.mark.parametrize(
    "id",
    [
        "007",
        "1e5",
        "NA",
        "nan",
        "None",
        "null",
        " lead",
        "trail ",
        "1.0",
        "True",
        'a"b',
        "a,b",
        "\ufeffbom",
        "=1+1",
    ],
)
def test_ids_stay_text_whatever_they_look_like(store, id: str) -> None:
    write_labels(store.path, Labels(pd.DataFrame({"y": [0.5]}, index=[id])))
    assert read_labels(store.path).table.index.tolist() == [id]


def test_split_named_like_a_missing_value_stays_text(store) -> None:
    write_labels(store.path, Labels(table(y=[1.0, 2.0], split=["NA", "0"])))
    assert read_labels(store.path).table["split"].tolist() == ["NA", "0"]


@pytest.mark.parametrize("title", ["a\rb", "a\r\nb", "a\nb", 'a "b", c'])
def test_groups_are_titles_with_any_character(store, title: str) -> None:
    write_labels(store.path, Labels(table(y=[1.0, np.nan], group=[title, None])))
    assert read_labels(store.path).table["group"].tolist() == [title, None]


def test_synthetic_scores_carry_their_note(store) -> None:
    write_labels(store.path, Labels(table(y=[1.0]), synthetic=True))
    found = read_labels(store.path)
    assert found.synthetic and found.note == SYNTHETIC_NOTE and SYNTHETIC_NOTE in repr(found)
    write_labels(store.path, Labels(table(y=[1.0]), synthetic=True, note="motion plus contrast"))
    assert read_labels(store.path).note == "motion plus contrast"


def test_no_labels_is_none(store) -> None:
    assert read_labels(store.path) is None and labels_unchanged(store.path)


def test_statistics_leave_unlabelled_rows_out() -> None:
    found = Labels(table(y=[1.0, 2.0, np.nan, 3.0], z=[np.nan] * 4)).statistics()
    assert found.loc["y"].tolist() == [3, 2.0, 1.0, 1.0, 3.0]
    assert found.loc["z", "n"] == 0 and math.isnan(found.loc["z", "mean"])
    assert len(Labels(pd.DataFrame(index=pd.Index(["a"]))).statistics()) == 0


@pytest.mark.parametrize(
    ("frame", "why"),
    [
        (
            pd.DataFrame({"y": [1.0, 2.0]}, index=["a", "a"]),
            "1 ids have more than one row of labels, such as 'a'",
        ),
        (pd.DataFrame({"y": [1.0, 2.0]}, index=["caf\u00e9", "cafe\u0301"]), "more than one row"),
        (pd.DataFrame({"y": [1.0]}, index=[7]), "Ids are text; got 7"),
        (pd.DataFrame({"y": ["high"]}, index=["a"]), "'y' needs numbers: .*high"),
        (pd.DataFrame({"y": [np.inf]}, index=["a"]), "'y' holds infinity"),
        (pd.DataFrame({"n:z": [1.0]}, index=["a"]), "counts the annotations of a target that is not"),
        (pd.DataFrame({"id": [1.0]}, index=["a"]), "other than 'id'"),
        (pd.DataFrame({3: [1.0]}, index=["a"]), "printable name"),
        (pd.DataFrame({"split": [" "]}, index=["a"]), "empty text"),
        (pd.DataFrame({"split:": ["train"]}, index=["a"]), "cannot be called ''"),
        (pd.DataFrame({"split:k-fold": ["train"]}, index=["a"]), "'k-fold'.*ways to split"),
        (pd.DataFrame([[1.0, 2.0]], columns=["y", "y"], index=["a"]), "must differ"),
    ],
)
def test_tables_that_cannot_be_labels_are_refused(frame: pd.DataFrame, why: str) -> None:
    with pytest.raises(LabelError, match=why):
        Labels(frame)


def test_targets_must_be_the_columns_that_are_left() -> None:
    with pytest.raises(LabelError, match=r"must be the targets, which are y"):
        Labels(table(y=[1.0], z=[1.0]), targets=["y"])
    with pytest.raises(UsageError, match="control character"):
        Labels(pd.DataFrame({"y": [1.0]}, index=["a\n"]))
    assert Labels(table(z=[1.0], y=[2.0]), targets=["y", "z"]).targets == ("y", "z")


@pytest.mark.parametrize(
    "text", ["", "name,y\na,1\n", "id,y\na\n", "id,y\na,high\n", "id,z\na,1\n", "id,y\na,1\na,2\n"]
)
def test_a_damaged_table_is_a_store_error(store, text: str) -> None:
    write_labels(store.path, Labels(table(y=[1.0])))
    Path(store.path, "labels.csv").write_text(text)
    assert not labels_unchanged(store.path)
    with pytest.raises(StoreError, match=r"does not fit its entry in store\.json"):
        read_labels(store.path)


def test_a_missing_table_is_a_store_error(store) -> None:
    write_labels(store.path, Labels(table(y=[1.0])))
    assert labels_unchanged(store.path)
    Path(store.path, "labels.csv").unlink()
    assert not labels_unchanged(store.path)
    with pytest.raises(StoreError, match=r"labels\.csv is missing"):
        read_labels(store.path)


def test_an_edited_table_is_read_and_noticed(store) -> None:
    write_labels(store.path, Labels(table(y=[1.0])))
    Path(store.path, "labels.csv").write_bytes(b"\xef\xbb\xbfid,y\r\n0.mp4,2.5\r\n")
    assert read_labels(store.path).table["y"].tolist() == [2.5]
    assert not labels_unchanged(store.path)


def test_writing_labels_keeps_the_rest_of_the_description(store) -> None:
    before = read_manifest(store.path)
    write_labels(store.path, Labels(table(y=[1.0])))
    after = read_manifest(store.path)
    assert after.dataset == before.dataset and after.labels["targets"] == ["y"]
