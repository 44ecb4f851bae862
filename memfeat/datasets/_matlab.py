"""Reading MATLAB files of a release: structs as tables, matrices as arrays, and nothing that could run code."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.datasets._release import Table, json_table
from memfeat.errors import LabelError

_HDF5 = b"\x89HDF\r\n\x1a\n"


def read_mat(file: Path, *names: str) -> npt.NDArray[Any]:
    """Return the first of the variables `names` that a MATLAB file holds; without names, its only one.

    Parameters
    ----------
    file
        MATLAB file up to version 7.2. SciPy's reader knows numbers, text, cells and structs; functions and
        classes come back as plain bytes.
    names
        Variables that may be meant, the likeliest first.

    Raises
    ------
    LabelError
        The file is damaged, no MATLAB file, of version 7.3, or has no such variable.
    """
    import scipy.io

    try:
        with file.open("rb") as opened:
            head = opened.read(520)
        if _HDF5 in (head[:8], head[512:520]):
            raise LabelError(
                f"{file} is a MATLAB file of version 7.3. Save it again in MATLAB or Octave with "
                f"save('{file.name}', '-v7'), or get the release's own file."
            )
        found = scipy.io.loadmat(file, struct_as_record=True, squeeze_me=False, chars_as_strings=True)
    except OSError as error:
        raise LabelError(f"{file} cannot be read: {error.strerror or error}.") from error
    except LabelError:
        raise
    except Exception as error:  # a damaged file fails anywhere in SciPy's reader
        raise LabelError(
            f"{file} cannot be read as a MATLAB file ({type(error).__name__}: {error}). It may be cut off; get "
            "it again."
        ) from error
    variables = {name: value for name, value in found.items() if not name.startswith("__")}
    wanted = next((variables[name] for name in names if name in variables), None)
    if wanted is None and not names and len(variables) == 1:
        wanted = next(iter(variables.values()))
    if not isinstance(wanted, np.ndarray):
        asked = " or ".join(names) or "one variable"
        raise LabelError(f"{file} should hold {asked}; it holds {', '.join(variables) or 'nothing'}.")
    return wanted


def struct_table(file: Path, structs: npt.NDArray[Any]) -> Table:
    """Return an array of structs, or a cell array with a struct in each cell, as a table.

    Text and single numbers become cells; structs within structs dictionaries; all else stays an array.

    Raises
    ------
    LabelError
        An element is no struct.
    """
    entries: list[dict[str, Any]] = []
    for number, element in enumerate(structs.ravel(), 1):
        plain = _plain(element)
        if not isinstance(plain, dict):
            raise LabelError(f"{file}, entry {number}: is no struct with fields but {type(plain).__name__}.")
        entries.append(plain)
    return json_table(file, entries)


def _plain(value: Any) -> Any:
    """Return what a MATLAB value is in Python: MATLAB makes a matrix of everything."""
    if isinstance(value, np.void) and value.dtype.names:
        return {name: _plain(value[name]) for name in value.dtype.names}
    if not isinstance(value, np.ndarray):
        return value.item() if isinstance(value, np.generic) else value
    if value.size == 0:
        return None
    if value.size == 1:
        return _plain(value.ravel()[0])
    return value


def matrix(
    file: Path,
    values: npt.NDArray[Any],
    *,
    low: float | None = None,
    high: float | None = None,
    shape: Sequence[int | None] = (None, None),
) -> npt.NDArray[np.float64]:
    """Return a numeric matrix as float64, checked.

    Parameters
    ----------
    file
        Where it is from, for messages.
    values
        The array.
    low, high
        Least and greatest possible value.
    shape
        The shape that is needed, None where any length will do.

    Raises
    ------
    LabelError
        It is no matrix of real numbers of that shape, or a value is NaN, infinite or out of range; the message
        says which.
    """
    if values.dtype.kind not in "iufb":
        raise LabelError(f"{file} should hold a matrix of numbers; it holds {values.dtype}.")
    fits = values.ndim == len(shape) and all(
        want in (None, length) for want, length in zip(shape, values.shape, strict=True)
    )
    if not fits:
        wanted = " × ".join("any" if length is None else str(length) for length in shape)
        raise LabelError(
            f"{file} holds a matrix of {' × '.join(map(str, values.shape))}; {wanted} was expected."
        )
    found = values.astype(np.float64)
    wrong = ~np.isfinite(found)
    if low is not None:
        wrong |= found < low
    if high is not None:
        wrong |= found > high
    if wrong.any():
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        place = ", ".join(f"{name} {k + 1}" for name, k in zip(("row", "column"), at, strict=False))
        bounds = f" from {low:g} to {high:g}" if low is not None and high is not None else ""
        raise LabelError(f"{file}, {place}: {found[at]:g} where a number{bounds} is needed.")
    return found
