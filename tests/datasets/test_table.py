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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a.mp4,0.5\nb.mp4,0.6\n",
            r"no heading: its first line is 'a\.mp4, 0\.5', and 'a\.mp4' is a file.*'video,memor",
        ),
        ("a;7\nb;0.6\n", r"'a' is a file.*'video;memorability'"),
        ("x/c,1\nb,0.6\n", "'x/c' is a file"),
        ("a.mp4,0.5\n", "'a.mp4' is a file"),
        ("c.mp4,0.5\nb.mp4,0.6\n", "'c.mp4' is a file"),
        ("ghost.mp4,1\nb.mp4,0.6\n", "'ghost.mp4' is a file"),
        ("video,0.5\nb.mp4,0.6\n", "'0.5' is a number"),
        ("0.5,7,a.mp4\n0.6,8,b.mp4\n", "'0.5' is a number.*'video,memorability,column3'"),
    ],
)
def test_a_table_without_a_heading_loses_no_row(tmp_path, text, words):
    with pytest.raises(LabelError, match=words):
        labels_of(tmp_path, text, "a.mp4", "b.mp4", "x/c.mp4", "y/c.mp4")


def test_headings_that_look_like_rows_and_are_none(tmp_path):
    assert labels_of(tmp_path, ",0\na.mp4,0.5\nb.mp4,0.6\n", "a.mp4", "b.mp4").targets == ("0",)
    assert labels_of(tmp_path, "video,score\na.mp4,0.5\n", "a.mp4", "video.mp4").targets == ("score",)
    assert labels_of(tmp_path, "a,score\na.mp4,0.5\nb,0.6\n", "a.mp4", "b.mp4").targets == ("score",)
    assert labels_of(tmp_path, "clip,mean,x,1,2\na,0.5,,1,0\n", "a.mp4").targets == ("mean", "1", "2")
    kinds = labels_of(tmp_path, "clip,score,beach\na,0.5,0\nbeach,0.6,1\n", "a.mp4", "beach.mp4")
    assert kinds.targets == ("score", "beach")
    file = tmp_path / "named.csv"
    file.write_text("b,0.2\na,0.5\n")
    roles = Roles(id="b", targets=["0.2"])
    labels, *_ = to_labels(read_table(file), file, ["a.mp4", "b.mp4"], roles, synthetic=False, note="")
    assert labels.table["0.2"].to_dict() == {"a.mp4": 0.5}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("video,memorability\na,85%\nb,90%\n", "line 2, column 'memorability': '85%' is no number"),
        ("video;memorability\na;\nb;0,85\n", "line 3, column 'memorability': '0,85' is no number"),
        ("video,note,score\na,good,85 %\n", r"'85 %' is no number; line 2, column 'note': 'good'"),
        ("video,width\na,640\n", r"\(columns: video, width\)\. In the .* in a recipe, pipelines/NAME\.toml"),
    ],
)
def test_why_no_column_holds_scores(tmp_path, text, words):
    with pytest.raises(LabelError, match=words):
        labels_of(tmp_path, text, "a.mp4", "b.mp4")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "t.csv cannot be read as a table: it is empty. Write a heading"),
        ("video,score\na,0,85\n", "line 2 has 3 fields, the first line 2.*hold a comma.*with a point"),
        ('video;score\n"a\nb";1\nc;1;2\n', "line 4 has 3 fields, the first line 2. Separate"),
        ('video,score\nb,1\n"a,0.5\n', "row that begins in line 3 do not pair up"),
    ],
)
def test_damage_is_told_in_own_words(tmp_path, text, words):
    with pytest.raises(LabelError, match=words) as caught:
        labels_of(tmp_path, text, "a.mp4")
    assert "C error" not in str(caught.value)


@pytest.mark.parametrize(("cells", "said"), [("80 90", 1), ("-0.5 1", 1), ("0 1", 0)])
def test_scores_on_another_scale_are_remarked(tmp_path, cells, said):
    file = tmp_path / "t.csv"
    low, high = cells.split()
    file.write_text(f"video,score\na,{low}\nb,{high}\nc,\n")
    ids = ["a.mp4", "b.mp4", "c.mp4"]
    _, remarks, _ = to_labels(read_table(file), file, ids, Roles(), synthetic=False, note="")
    words = f"The scores 'score' lie between {low} and {high}, not between 0 and 1"
    assert sum(words in remark for remark in remarks) == said
