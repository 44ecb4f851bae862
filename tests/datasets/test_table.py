"""Reading a table changes no cell; roles and numbers are decided in the open."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfeat.datasets._table import Roles, read_table, to_labels
from memfeat.errors import LabelError

cells = st.text(
    st.characters(categories=["L", "N", "P", "S"], exclude_characters='",;\t'), min_size=1, max_size=6
)


@settings(max_examples=50)
@given(rows=st.lists(st.tuples(cells, cells), min_size=1, max_size=5))
def test_every_cell_stays_as_it_was_written(tmp_path_factory, rows):
    file = tmp_path_factory.mktemp("t") / "t.csv"
    file.write_text("a,b\n" + "".join(f'"{x}","{y}"\n' for x, y in rows), encoding="utf-8")
    table = read_table(file)
    assert list(table.itertuples(index=False, name=None)) == rows


def test_line_numbers_are_those_of_the_file(tmp_path):
    (tmp_path / "t.csv").write_text("a,b\nx,1\n\ny,2\n")
    assert read_table(tmp_path / "t.csv").index.tolist() == [2, 4]


@pytest.mark.parametrize("blank", ["", "NA", "nan", "n/a", "-", "None", " null "])
def test_blank_cells_are_no_scores(blank):
    table = pd.DataFrame({"v": ["a", "b"], "s": ["0.5", blank]}, index=[2, 3])
    from pathlib import Path

    file = Path(__file__)
    labels, said, _ = to_labels(table, file, ["a.mp4", "b.mp4"], Roles(), synthetic=False, note="")
    assert labels.table["s"].isna().tolist() == [False, True]
    assert "1 of 2 rows have no 's'" in " ".join(said)


@pytest.mark.parametrize("cell", ["0,5", "high", "1e999", "-inf", "0.5.1", "½"])
def test_what_is_no_number_is_located(tmp_path, cell):
    table = pd.DataFrame({"v": ["a", "b", "c"], "s": ["0.5", "0.6", cell]}, index=[2, 3, 4])
    with pytest.raises(LabelError, match="line 4, column 's'"):
        to_labels(table, tmp_path / "t.csv", ["a.mp4", "b.mp4", "c.mp4"], Roles(), synthetic=False, note="")


def test_counts_sizes_and_ids_are_not_taken_for_scores(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("video_id,name,score,nb_annotations,width,fps\n1,a,0.5,30,640,25\n2,b,0.6,31,640,25\n")
    labels, *_ = to_labels(read_table(file), file, ["a.mp4", "b.mp4"], Roles(), synthetic=False, note="")
    assert labels.targets == ("score",)


def labels_of(tmp_path, text, *ids):
    file = tmp_path / "t.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return to_labels(read_table(file), file, ids, Roles(), synthetic=False, note="")[0]


def test_an_index_without_a_name_and_empty_columns_are_no_scores(tmp_path):
    labels = labels_of(tmp_path, ",video,score,,\n0,a,0.5,,\n1,b,0.6,,\n", "a.mp4", "b.mp4")
    assert labels.targets == ("score",)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("video,score\na,0.5\na,0.6\n", r"has 1 ids more than once, e\.g\. 'a' in lines 2, 3"),
        ("video,score\na,0.5\na.mp4,0.6\n", r"The rows 'a' and 'a\.mp4' both belong"),
        ("video,score\nc,0.5\na,0.6\n", "'c' fits 2 videos"),
        ("name,score\nghost,0.5\n", "No column .* names the videos"),
        ("video,score\na,\"0,5\"\n", "write numbers with a point"),
        ("video,,\na,1,2\n", r"several columns named \(nothing\)"),
        ("video,score\nb\xe9,0.5\n".encode("latin-1"), "no UTF-8 text"),
        ("video,score\na,0.5\n".encode("utf-16"), "Save it as CSV in UTF-8"),
    ],
)  # fmt: skip
def test_without_roles_the_reason_is_said_all_the_same(tmp_path, text, words):
    with pytest.raises(LabelError, match=words):
        labels_of(tmp_path, text, "a.mp4", "x/c.mp4", "y/c.mp4")
