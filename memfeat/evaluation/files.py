"""Writing a table where a user asked for it: whole, or not at all."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from memfeat.errors import SetupError

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
