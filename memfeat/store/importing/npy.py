"""One ``.npy`` per video: a vector (D,), or one vector per frame (T, D)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from memfeat.store.importing.values import Array, FeatureFileError, checked


def read_npy(path: Path) -> Array:
    """Return the array in a ``.npy`` file: (), (D,) or (T, D), of real and finite numbers.

    Raises
    ------
    FeatureFileError
        The file is cut short or no ``.npy``, holds Python objects (reading those can run any program), or
        numbers that are not finite.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "4.npy")
    ...     np.save(file, np.ones((3, 2048), np.float32))
    ...     read_npy(file).shape
    (3, 2048)
    """
    try:
        with path.open("rb") as file:
            if file.read(6) != b"\x93NUMPY":  # np.load would try zip archives and pickles too
                raise FeatureFileError(f"{path} is no .npy file.")
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        raise FeatureFileError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (ValueError, EOFError, OverflowError, SyntaxError, TypeError) as error:
        reason = str(error)
        if "allow_pickle" in reason or "Python objects" in reason:
            reason = "it holds Python objects, and reading those can run any program. Save plain numbers"
        raise FeatureFileError(f"{path} cannot be read as .npy: {reason}.") from error
    return np.array(checked(mapped, path))
