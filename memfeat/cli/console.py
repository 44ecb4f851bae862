"""What every command needs to print."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from typing import NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

from memfeat.errors import UsageError

_BROKEN_PIPE = 141
"""What a shell reports of a command whose reader has gone: 128 and the number of SIGPIPE."""


class _Console(Console):
    def on_broken_pipe(self) -> None:
        leave_broken_pipe()


def leave_broken_pipe() -> NoReturn:
    """Leave without a word because whoever read the output has gone, as `head` does."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # what is still in their buffers must not fail at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(_BROKEN_PIPE)


def output() -> Console:
    """Return the console for results (standard output)."""
    return _Console(highlight=False, soft_wrap=True)


def messages() -> Console:
    """Return the console for progress and remarks (standard error)."""
    return _Console(stderr=True, highlight=False, soft_wrap=True)


def say_error(text: str) -> None:
    """Print an error."""
    console = messages()
    console.print("error: ", style="bold red", end="")
    console.print(text, markup=False)


def fail(text: str, code: int) -> NoReturn:
    """Print an error and leave with `code`."""
    say_error(text)
    sys.exit(code)


def show_table(title: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    """Print a table that stays readable when the output is no terminal."""
    table = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for column in header:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*[cell if isinstance(cell, Text) else str(cell) for cell in row])
    console = _Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print(table, markup=False)


def words(text: str | None, option: str = "--features") -> list[str] | None:
    """Split a comma-separated option; None stays None, and nothing between the commas is a UsageError.

    >>> words("hog, flow,")
    ['hog', 'flow']
    """
    if text is None:
        return None
    found = [word.strip() for word in text.split(",") if word.strip()]
    if not found:
        instead = f", or leave {option} out" if option.startswith("-") else ""
        raise UsageError(
            f"{option} is empty ({text!r}), as a shell variable that is not set would make it. Give names with commas "
            f"between{instead}."
        )
    return found
