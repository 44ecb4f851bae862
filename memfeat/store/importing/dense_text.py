"""One vector per file, its numbers on one line between blanks or commas: C3D, LBP, HOG, aesthetics."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from memfeat.store.importing.text import lines_of, numbers
from memfeat.store.importing.values import FeatureFileError


def read_dense(path: Path, *, width: int | None = None) -> npt.NDArray[np.float64]:
    """Return the vector in a file, shape (D,).

    Parameters
    ----------
    path
        A text file with one line.
    width
        How many numbers it must have.

    Raises
    ------
    FeatureFileError
        Another count, several lines, or something that is no finite number.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "video3.txt")
    ...     _ = file.write_text("0.25, 0.5 1e-3\\n")
    ...     read_dense(file)
    array([0.25 , 0.5  , 0.001])
    """
    lines = lines_of(path)
    if len(lines) > 1:
        raise FeatureFileError(f"{path} has {len(lines)} lines; one line of numbers is needed.")
    found = np.array(numbers(lines[0].replace(",", " ").split(), str(path)))
    if width is not None and len(found) != width:
        raise FeatureFileError(f"{path} has {len(found)} numbers; {width} are expected.")
    if not len(found):
        raise FeatureFileError(f"{path} holds no number.")
    return found
