from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from memfeat.errors import UsageError
from memfeat.store.importing.delimited import read_delimited
from memfeat.store.importing.values import FeatureFileError


def csv(tmp_path, text, name="m.csv"):
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return file


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=5),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_ids_stay_text_and_numbers_keep_every_bit(tmp_path, numbers, separator, end):
    columns = [f"c{place}" for place in range(len(numbers))]
    lines = [["video_id", *columns], ["007", *map(repr, numbers)], ["NA", *map(repr, numbers)]]
    found = read_delimited(csv(tmp_path, "\ufeff" + end.join(separator.join(line) for line in lines)))
    assert found.names == ("007", "NA")
    assert found.read("007").array.tolist() == numbers


def test_tabs_by_suffix_and_quotes(tmp_path):
    found = read_delimited(csv(tmp_path, 'id\t"a, b, c"\n"x\ty"\t1\n', "m.tsv"))
    assert found.names == ("x\ty",)


def test_one_column_is_one_number_per_video(tmp_path):
    found = read_delimited(csv(tmp_path, "id,loudness\na,1\nb,x\n"))
    assert found.read("a").array.shape == ()
    with pytest.raises(FeatureFileError, match=r"line 3 \('b'\), column 'loudness': 'x' is no number"):
        found.read("b")


def test_columns_with_text_are_refused_until_the_numbers_are_named(tmp_path):
    file = csv(tmp_path, "id,hog:mean[0],hog:mean[1],size,title\na,1,2,3,x\n")
    with pytest.raises(UsageError, match=r"column 'title': 'x' is no number.*--columns"):
        read_delimited(file)
    assert read_delimited(file, columns=["size", "hog:mean"]).read("a").array.tolist() == [3, 1, 2]


def test_a_bad_row_fails_alone_and_is_located(tmp_path):
    found = read_delimited(csv(tmp_path, "id,x,y\na,1,2\nb,,2\nc,nan,3\nd,inf,1\ne,1,1_0\n\nf,2,2.5.1\n"))
    assert found.read("a").array.tolist() == [1, 2]
    for name in "bcd":
        with pytest.raises(
            FeatureFileError, match=rf"m\.csv, '{name}' holds 1 of 2 .*NaN or infinite \(first at 0\)"
        ):
            found.read(name)
    with pytest.raises(FeatureFileError, match=r"line 6 \('e'\), column 'y': '1_0'"):
        found.read("e")
    with pytest.raises(FeatureFileError, match=r"line 8 \('f'\), column 'y'"):
        found.read("f")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "has no column"),
        ("id,x\n", "has no row"),
        ("id,x\na,1\na,2\n", "more than once"),
        ("id,x\n,1\n", "row 1 has no name"),
        ("id,x\na,1\nb,1,2\n", "line 3 has 3 cells, the heading 2"),
        ("id,x\na,1\nb", "line 3 has 1 cells"),
        ("id\na\n", "no numbers"),
        ("id,x,x\na,1,2\n", "two columns called 'x'"),
        ("video1,0.25,0.5\nvideo2,0.1,0.2\n", "has no heading"),
        (b"id,x\n\xff\xfe,1\n", "cannot be read as a table"),
        ('id,x\n"a,1\n', "cannot be read as a table"),
    ],
)
def test_tables_that_cannot_be_features(tmp_path, text, words):
    with pytest.raises(UsageError, match=words):
        read_delimited(csv(tmp_path, text))


def test_headings_that_count_columns_are_headings(tmp_path):
    assert read_delimited(csv(tmp_path, "id,0,1\na,5,6\n")).read("a").array.tolist() == [5, 6]


def test_a_missing_file(tmp_path):
    with pytest.raises(UsageError, match="No such file"):
        read_delimited(tmp_path / "none.csv")
