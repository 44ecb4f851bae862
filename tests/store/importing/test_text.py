import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.store.importing import text
from memfeat.store.importing.text import lines_of, number, numbers
from memfeat.store.importing.values import FeatureFileError


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_printed_number_is_read_back(value):
    assert number(repr(value), "a") == value


@pytest.mark.parametrize("written", ["", "nan", "-inf", "1e400", "1_000", "0x10", "1,5", "--1"])
def test_what_is_no_finite_number_is_refused(written):
    with pytest.raises(FeatureFileError, match="a finite number is needed"):
        number(written, "a")


def test_the_place_of_a_bad_number_is_counted_from_one():
    with pytest.raises(FeatureFileError, match="f: number 2 is 'x'"):
        numbers(["1", "x"], "f")


def test_lines_without_bom_blanks_and_carriage_returns(tmp_path):
    file = tmp_path / "a.txt"
    file.write_bytes(b"\xef\xbb\xbf1 2\r\n\r\n  \n3\n")
    assert lines_of(file) == ["1 2", "3"]


def test_files_that_give_no_line(tmp_path, monkeypatch):
    file = tmp_path / "a.txt"
    for content, words in ((b" \n", "is empty"), (b"\xff", "is no text")):
        file.write_bytes(content)
        with pytest.raises(FeatureFileError, match=words):
            lines_of(file)
    with pytest.raises(FeatureFileError, match="cannot be read"):
        lines_of(tmp_path / "none.txt")
    file.write_text("1 2 3")
    monkeypatch.setattr(text, "MAX_BYTES", 3)
    with pytest.raises(FeatureFileError, match="at most 3"):
        lines_of(file)
