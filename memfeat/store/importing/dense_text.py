"""One vector per file, on one line between blanks or commas or one number per line: C3D, LBP, HOG, aesthetics."""

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
        A text file with one line, or with one number per line.
    width
        How many numbers it must have.

    Raises
    ------
    FeatureFileError
        Another count, several lines of several numbers, or something that is no finite number.

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
    cells = [line.replace(",", " ").split() for line in lines]
    if len(cells) > 1 and any(len(line) != 1 for line in cells):
        raise FeatureFileError(
            f"{path} has {len(lines)} lines; one line of numbers, or one number per line, is needed."
        )
    found = np.array(numbers([cell for line in cells for cell in line], str(path)))
    if width is not None and len(found) != width:
        raise FeatureFileError(f"{path} has {len(found)} numbers; {width} are expected.")
    if not len(found):
        raise FeatureFileError(f"{path} holds no number.")
    return found
