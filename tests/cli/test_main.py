import os
import subprocess
import sys

import pytest

from memfeat import __version__
from memfeat.errors import SetupError, UsageError


def test_help_and_version(memfeat):
    shown = memfeat("--help")
    assert shown.code == 0
    for command in ("demo", "extract", "fit", "evaluate", "predict", "store", "list"):
        assert command in shown.out
    assert memfeat("--version").out == f"memfeat {__version__}\n"


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (UsageError("a [b] c"), 2, "a [b] c"),
        (SetupError("a [b] c"), 4, "a [b] c"),
        (PermissionError(13, "Permission denied", "some/file"), 4, "some/file: Permission denied"),
        (OSError(28, "No space left on device"), 4, "No space left on device"),
        (KeyboardInterrupt(), 130, "Interrupted. What was committed is kept"),
    ],
)
def test_errors_become_a_line_and_a_code(memfeat, monkeypatch, error, code, words):
    def fails():
        raise error

    monkeypatch.setattr("memfeat.models.names", fails)
    ran = memfeat("list", "models")
    assert ran.code == code
    assert ran.out == ""
    assert ran.err.startswith(f"error: {words}")
    assert ran.err.count("\n") == 1


def test_unknown_commands_and_options_exit_with_2(memfeat):
    assert memfeat("extrac").code == 2
    assert memfeat("extract", "--featuers", "hog").code == 2


@pytest.mark.parametrize("arguments", [("list", "models"), ("--version",)])
def test_a_reader_that_has_gone_is_no_error(arguments):
    read, write = os.pipe()
    os.close(read)
    ran = subprocess.run(
        [sys.executable, "-m", "memfeat", *arguments],
        stdout=write,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    os.close(write)
    assert ran.stderr == ""
    assert ran.returncode in (1, 141)  # 1 where typer itself prints


def test_closed_streams_are_no_error():
    command = ["sh", "-c", 'exec "$0" -m memfeat list models >&- 2>&-', sys.executable]
    assert subprocess.run(command, check=False).returncode == 0
