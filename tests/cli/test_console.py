import pytest

from memfeat.cli.console import fail, show_table, words
from memfeat.errors import UsageError


def test_words():
    assert words(None) is None
    assert words(" hog ,flow:mean-per-frame,") == ["hog", "flow:mean-per-frame"]


@pytest.mark.parametrize("text", ["", " ", ",", " , "])
def test_an_option_without_a_word_is_refused(text):
    with pytest.raises(UsageError, match="^--models is empty .* leave --models out"):
        words(text, "--models")


def test_tables_show_every_cell_and_no_markup(capsys):
    show_table("", ["name", "n"], [("[red]x[/red]", 1), ("y", 22)])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines] == [["name", "n"], ["[red]x[/red]", "1"], ["y", "22"]]


def test_fail_prints_on_standard_error(capsys):
    with pytest.raises(SystemExit) as leave:
        fail("no [good]", 7)
    assert leave.value.code == 7
    assert capsys.readouterr().err == "error: no [good]\n"
