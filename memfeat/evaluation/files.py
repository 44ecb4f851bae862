"""Tables that a user names: written whole or not at all, and texts read from one."""

from __future__ import annotations

import csv
import os
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from memfeat.errors import SetupError, UsageError

if TYPE_CHECKING:
    import pandas as pd


def write_table(table: pd.DataFrame, path: str | Path | None) -> Path | None:
    """Write a table as CSV, replacing an older file; None writes nothing.

    Returns
    -------
    Path or None
        Where it was written.

    Raises
    ------
    SetupError
        The folder does not exist or cannot be written.
    """
    if path is None:
        return None
    path = Path(path)
    part = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.part")
    try:
        table.to_csv(part, index=False, lineterminator="\n", encoding="utf-8")
        part.replace(path)
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error}. Check that its folder exists.") from error
    finally:
        part.unlink(missing_ok=True)
    return path


def check_table(path: str | Path | None) -> None:
    """Make sure that `write_table` will be able to write there, before the work that the table is to hold.

    Raises
    ------
    SetupError
        It will not.
    """
    if path is None:
        return
    path = Path(path)
    if path.is_dir():
        raise SetupError(f"{path} cannot be written: it is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise SetupError(
            f"{path} cannot be written: there is no folder {path.parent}. Create it, or name another."
        )
    check_writable(path.parent, str(path))


def marked(table: pd.DataFrame, note: str) -> pd.DataFrame:
    """Return a table of predictions with a last column ``note`` where there is something to say of every row.

    >>> import pandas as pd
    >>> list(marked(pd.DataFrame({"predicted": [0.5]}), "RANDOM weights")), list(marked(pd.DataFrame(), ""))
    (['predicted', 'note'], [])
    """
    return table.assign(note=note) if note else table


def check_writable(folder: Path, what: str) -> None:
    """Make sure that files can be written into a folder, or that it can be created; nothing is left behind.

    Raises
    ------
    SetupError
        They cannot; `what` says what was to be written.
    """
    there = next((place for place in (folder, *folder.absolute().parents) if os.path.lexists(place)), folder)
    probe = there / f".{uuid.uuid4().hex[:8]}.part"
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        raise SetupError(
            f"{what} cannot be written: {error.strerror}: '{there}'. Check space and permissions, or choose another "
            "folder."
        ) from error


def read_texts(path: str | Path) -> dict[str, dict[str, tuple[str, ...]]]:
    """Read texts by field and file from a CSV with the columns id, field and text, as a store keeps them.

    Raises
    ------
    UsageError
        There is no such table, or it lacks a column.
    """
    wanted = ("id", "field", "text")
    found: dict[str, dict[str, list[str]]] = {}
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            if lacking := [name for name in wanted if name not in (table.fieldnames or ())]:
                raise UsageError(
                    f"{path} has no column {' or '.join(lacking)}; texts are a table of {', '.join(wanted)}, one text "
                    "in each row."
                )
            for row in table:
                id, field, text = (row[name] or "" for name in wanted)
                if text.strip():
                    found.setdefault(field, {}).setdefault(id, []).append(text)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UsageError(f"The texts {path} cannot be read: {error}.") from error
    return {field: {id: tuple(texts) for id, texts in of.items()} for field, of in found.items()}
