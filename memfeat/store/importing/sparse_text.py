"""One vector per line as ``bin:value`` pairs, bins that are zero left out: HMP, InceptionV3, colour histograms."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError
from memfeat.store.importing.text import lines_of, number
from memfeat.store.importing.values import FeatureFileError


@dataclass(frozen=True, slots=True)
class Bins:
    """The bins of a sparse vector: numbers of the first and the last.

    Examples
    --------
    >>> Bins.parse("1-6075").count
    6075
    """

    first: int
    last: int

    @property
    def count(self) -> int:
        """Numbers per vector."""
        return self.last - self.first + 1

    @classmethod
    def parse(cls, text: str) -> Bins:
        """Return the bins that ``FIRST-LAST`` names; UsageError when it names none."""
        first, separator, last = text.partition("-")
        if not separator or not (first.strip().isdecimal() and last.strip().isdecimal()):
            raise UsageError(f"Bins are FIRST-LAST, such as 1-6075 or 0-999; got {text!r}.")
        bins = cls(int(first), int(last))
        if bins.count < 1:
            raise UsageError(f"The last bin comes before the first: {text!r}.")
        return bins


def read_sparse(path: Path, bins: Bins, *, lines: int = 1) -> npt.NDArray[np.float64]:
    """Return the vector in a file, shape (lines × bins,), zero where a bin is not named.

    Parameters
    ----------
    path
        A text file of ``bin:value`` pairs between blanks.
    bins
        First and last bin.
    lines
        Number of lines, such as one per colour; they are put one after the other.

    Raises
    ------
    FeatureFileError
        Another number of lines, something that is no pair, a bin outside `bins` or named twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "video3.txt")
    ...     _ = file.write_text("1:0.5 4:2\\n")
    ...     read_sparse(file, Bins(1, 4))
    array([0.5, 0. , 0. , 2. ])
    """
    rows = lines_of(path)
    if len(rows) != lines:
        raise FeatureFileError(f"{path} has {len(rows)} lines; {lines} of bin:value pairs are expected.")
    found = np.zeros((lines, bins.count))
    for row, line in enumerate(rows):
        where = f"{path}, line {row + 1}"
        seen: set[int] = set()
        for place, pair in enumerate(line.replace(",", " ").split(), 1):
            name, separator, value = pair.partition(":")
            if not separator or not name.isdecimal():
                raise FeatureFileError(f"{where}: pair {place} is {pair!r}; bin:value is needed.")
            bin = int(name)
            if not bins.first <= bin <= bins.last:
                raise FeatureFileError(
                    f"{where}: bin {bin} is out of range; bins run from {bins.first} to {bins.last}."
                )
            if bin in seen:
                raise FeatureFileError(f"{where}: bin {bin} is given twice.")
            seen.add(bin)
            found[row, bin - bins.first] = number(value, f"{where}: the value of bin {bin}")
    return found.reshape(-1)
