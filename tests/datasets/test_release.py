"""Tables of a release: no cell changes, and every problem has its file, line and column."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfeat.datasets._release import json_table, plain_texts, read_csv, read_json, whole_number
from memfeat.errors import LabelError


def table(tmp_path, text, **options):
    file = tmp_path / "t.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_csv(file, **options)


printable = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=8)


@settings(max_examples=60)
@given(rows=st.lists(st.tuples(printable, printable), min_size=1, max_size=6), breaks=st.booleans())
def test_cells_and_their_lines_are_those_of_the_file(tmp_path_factory, rows, breaks):
    rows = [(f"{a}\n{b}" if breaks else a, b) for a, b in rows]
    buffer = io.StringIO()
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["x", "y"])
    begins = []
    for row in rows:
        begins.append(buffer.getvalue().count("\n") + 1)
        writer.writerow(row)
    file = tmp_path_factory.mktemp("t") / "t.csv"
    file.write_text(buffer.getvalue(), encoding="utf-8", newline="")
    read = read_csv(file)
    kept = [(begin, row) for begin, row in zip(begins, rows, strict=True) if any(c.strip() for c in row)]
    assert read.cells.index.tolist() == [begin for begin, _ in kept]
    assert list(read.cells.itertuples(index=False, name=None)) == [row for _, row in kept]


@pytest.mark.parametrize(
    "text",
    [
        b"\xef\xbb\xbfvideo_id,score\r\n8,0.5\r\n",
        b"video_id;score\n8;0.5",
        b"video_id\tscore\n8\t0.5\n",
        b"video_id,score,,\n8,0.5,,\n\n",
        b" video_id , score \n 8 , 0.5 \n",
    ],
    ids=["bom-crlf", "semicolon", "tab", "empty-columns", "blanks"],
)
def test_one_table_in_several_hands(tmp_path, text):
    read = table(tmp_path, text, required=["video_id"])
    assert read.integers("video_id").tolist() == ["8"]
    assert read.numbers("score").tolist() == [0.5]
    assert read.cells.index.tolist() == [2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty. Get it again"),
        ("a,b\n1,2\n3", r"t\.csv, line 3: 1 cells where there are 2 columns \(a, b\)\. The file may be cut off"),
        ("a,b\n1,2,3\n", r"line 2: 3 cells where there are 2"),
        ('a,b\n1,"2\n3,4\n', r"t\.csv, line 2: cannot be read as a table .*Its end may be missing"),
        ("a,a\n1,2\n", "several columns named 'a'"),
        (b"a,b\n1,\xe9\n", "no UTF-8 text .* at byte 6"),
        ("a,b\n1,2\n", r"no column 'video_id'\. Its columns: a, b"),
        ("vidoe_id,b\n1,2\n", r"no column 'video_id'\. Did you mean 'vidoe_id'"),
    ],
)  # fmt: skip
def test_damage_is_located(tmp_path, text, words):
    with pytest.raises(LabelError, match=words):
        table(tmp_path, text, required=["video_id"])


def test_columns_are_known_in_several_spellings(tmp_path):
    read = table(tmp_path, "Video ID,short-term_memorability\n1,0.5\n")
    assert read.column("video_id") == "Video ID"
    assert read.column("short_term_memorability") == "short-term_memorability"
    assert read.optional("nothing") is None


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("", "is empty where a score is needed"),
        ("NaN", "'NaN' where a score is needed"),
        ("high", "'high' is no finite number. Write numbers with a point"),
        ('"0,5"', "'0,5' is no finite number"),
        ("inf", "'inf' is no finite number"),
        ("1e999", "'1e999' is no finite number"),
        ("0_5", "'0_5' is no finite number"),
        ("1.01", "1.01 is above 1"),
        ("-0.01", "-0.01 is below 0"),
    ],
)
def test_a_score_that_is_none_is_located(tmp_path, cell, words):
    read = table(tmp_path, f"v,s\na,0.5\nb,{cell}\n")
    with pytest.raises(LabelError, match=r"t\.csv, line 3, column 's': " + words):
        read.numbers("s", low=0, high=1)


def test_withheld_scores_are_nan_and_bad_ones_are_not(tmp_path):
    assert math.isnan(table(tmp_path, "v,s\na,\n").numbers("s", withheld=True).iloc[0])
    with pytest.raises(LabelError, match="line 2, column 's'"):
        table(tmp_path, "v,s\na,x\n").numbers("s", withheld=True)


def test_names_are_clean_there_and_once(tmp_path):
    assert table(tmp_path, "v,s\n cafe\u0301 ,1\n").names("v").tolist() == ["caf\u00e9"]
    with pytest.raises(LabelError, match="line 3, column 'v': is empty"):
        table(tmp_path, "v,s\na,1\n ,2\n").names("v")
    twice = table(tmp_path, "v,s\na,1\nb,2\n a,3\n")
    with pytest.raises(LabelError, match=r"lines 2, 4, column 'v': 'a' stands 2 times"):
        twice.names("v")
    assert twice.names("v", unique=False).tolist() == ["a", "b", "a"]


def test_integers_by_value(tmp_path):
    with pytest.raises(LabelError, match=r"lines 2, 3, column 'v': '8' stands 2 times"):
        table(tmp_path, "v,s\n8,1\n008,2\n").integers("v")
    with pytest.raises(LabelError, match=r"line 2, column 'v': '8a' is none; a whole number is needed"):
        table(tmp_path, "v,s\n8a,1\n").integers("v")


@given(number=st.integers(0, 10**9), zeros=st.integers(0, 4), tail=st.sampled_from(["", ".", ".0", ".00"]))
def test_a_whole_number_survives_every_spelling(number, zeros, tail):
    assert whole_number("0" * zeros + str(number) + tail) == str(number)


@pytest.mark.parametrize("text", ["", "8.5", "-8", "8e1", "٨x", "8 9"])
def test_what_is_no_whole_number(text):
    assert whole_number(text) == ""


def test_texts_of_cells_and_of_lists_of_cells():
    read = json_table(Path("a.json"), [{"c": [" a  dog\n", "", None, "runs"], "d": "x"}, {"c": "nan"}])
    assert read.texts("c", "d").tolist() == [("a dog", "runs", "x"), ()]
    assert plain_texts(float("nan")) == ()


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.999])
def test_json_that_breaks_off_says_where(tmp_path, keep):
    text = json.dumps([{"filename": f"{k}.mp4", "mem_score": 0.5} for k in range(20)], indent=1)
    file = tmp_path / "a.json"
    file.write_text(text[: int(len(text) * keep)])
    with pytest.raises(
        LabelError, match=r"a\.json, line \d+, column \d+: is no complete JSON .* get it again"
    ):
        read_json(file)


def test_a_field_that_stands_twice_is_not_dropped_in_silence(tmp_path):
    (tmp_path / "a.json").write_text('{"0001": {"set": "train"}, "0001": {}}')
    with pytest.raises(LabelError, match=r"a\.json: '0001' stands twice"):
        read_json(tmp_path / "a.json")


def test_json_with_a_byte_order_mark_and_json_that_is_no_text(tmp_path):
    (tmp_path / "a.json").write_bytes(b"\xef\xbb\xbf[1]")
    assert read_json(tmp_path / "a.json") == [1]
    (tmp_path / "a.json").write_bytes(b"[\xff]")
    with pytest.raises(LabelError, match="no UTF-8"):
        read_json(tmp_path / "a.json")
    with pytest.raises(LabelError, match="cannot be read"):
        read_json(tmp_path / "gone.json")


@pytest.mark.parametrize(
    ("entries", "words"),
    [({"a": 1}, "it holds dict"), ([], "an empty list"), ([{"a": 1}, 5], "entry 2: '5' is no object")],
)
def test_json_of_another_shape(entries, words):
    with pytest.raises(LabelError, match=words):
        json_table(Path("a.json"), entries)


def test_entries_are_named_by_number_or_key():
    with pytest.raises(LabelError, match=r"a\.json, entry 2, column 's': is empty"):
        json_table(Path("a.json"), [{"s": 1}, {}]).numbers("s")
    with pytest.raises(LabelError, match=r"a\.json, entry 0007, column 's': True is no finite number"):
        json_table(Path("a.json"), [{"s": True}], keys=["0007"]).numbers("s")
