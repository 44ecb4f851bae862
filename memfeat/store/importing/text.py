"""Numbers in a text file: read whole, cut at blanks and commas, and refused with their place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from memfeat.store.importing.values import FeatureFileError

MAX_BYTES = 256 << 20


def lines_of(path: Path) -> list[str]:
    """Return the lines of a text file that are not blank; FeatureFileError for an empty or unreadable one."""
    try:
        if (size := path.stat().st_size) > MAX_BYTES:
            raise FeatureFileError(f"{path} has {size:,} bytes; at most {MAX_BYTES:,} are read.")
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FeatureFileError(f"{path} is no text: {error}.") from error
    except OSError as error:
        raise FeatureFileError(f"{path} cannot be read: {error.strerror}.") from error
    if not (lines := [line for line in text.splitlines() if line.strip()]):
        raise FeatureFileError(f"{path} is empty.")
    return lines


def number(text: str, where: str) -> float:
    """Return one finite number.

    >>> number("1e-3", "a.txt")
    0.001

    Raises
    ------
    FeatureFileError
        It is none, NaN or infinite.
    """
    try:
        value = math.nan if "_" in text else float(text)  # float() takes 1_000 for a number
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise FeatureFileError(f"{where} is {text!r}; a finite number is needed.")
    return value


def numbers(texts: Iterable[str], where: str) -> list[float]:
    """Return finite numbers; FeatureFileError with the place, counted from 1, of the first that is none."""
    return [number(text, f"{where}: number {place}") for place, text in enumerate(texts, 1)]
