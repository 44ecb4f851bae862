"""What every command needs to print."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import NoReturn

from rich.console import Console
from rich.table import Table


def output() -> Console:
    """Return the console for results (standard output)."""
    return Console(highlight=False, soft_wrap=True)


def messages() -> Console:
    """Return the console for progress and remarks (standard error)."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


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
        table.add_row(*[str(cell) for cell in row])
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=160)
    console.print(table, markup=False)


def words(text: str | None) -> list[str] | None:
    """Split a comma-separated option; None stays None.

    >>> words("hog, flow,")
    ['hog', 'flow']
    """
    if text is None:
        return None
    return [word.strip() for word in text.split(",") if word.strip()]
