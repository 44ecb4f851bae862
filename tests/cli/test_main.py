import pytest

from memfeat import __version__
from memfeat.cli import main
from memfeat.errors import SetupError, UsageError


def test_help_and_version(memfeat):
    shown = memfeat("--help")
    assert shown.code == 0
    for command in ("demo", "extract", "fit", "evaluate", "predict", "store", "list"):
        assert command in shown.out
    assert memfeat("--version").out == f"memfeat {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code"), [(UsageError("a [b] c"), 2), (SetupError("a [b] c"), 4), (KeyboardInterrupt(), 130)]
)
def test_errors_become_a_line_and_a_code(memfeat, monkeypatch, error, code):
    def fails():
        raise error

    monkeypatch.setattr(main, "app", fails)
    ran = memfeat()
    assert ran.code == code
    assert ran.out == ""
    assert ran.err.startswith("error: ")
    if not isinstance(error, KeyboardInterrupt):
        assert ran.err == "error: a [b] c\n"


def test_unknown_commands_and_options_exit_with_2(memfeat):
    assert memfeat("extrac").code == 2
    assert memfeat("extract", "--featuers", "hog").code == 2
