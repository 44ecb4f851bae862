"""The only place where HDF5 files of a store are opened and read: nothing that points elsewhere gets through.

Links, external raw storage and virtual datasets can each make a file show another file's bytes, and a
filter can blow a few bytes up to any size. A store file needs none of them, so all are refused before
any value is read.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from memfeat.errors import StoreError
from memfeat.store.schema import check_schema

Array = npt.NDArray[Any]
DTYPES = (np.dtype("<f8"), np.dtype("<f4"))
_AGAIN = "Run the extraction again to replace it."
# What h5py raises for damaged content; none is a subclass of the others.
_DAMAGE = (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError, MemoryError, OverflowError)
_OPEN_OTHERWISE = ("flag values don't match", "close degree doesn't match", "already open")
_SCALAR = h5py.h5s.create(h5py.h5s.SCALAR)
_LINKS = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "a link to another file"}


class UnavailableError(StoreError):
    """A store file may be sound, but cannot be read here and now; unlike a damaged one it is never replaced."""


@contextmanager
def open_file(path: Path) -> Iterator[h5py.File]:
    """Open a store file for reading; every problem of the file leaves as a StoreError."""
    try:
        with _open(path) as file:
            check_schema(integer_attribute(file, "schema"), path)
            yield file
    except StoreError:
        raise
    except FileNotFoundError as error:
        raise StoreError(f"There is no file {path}. Extract the video's features first.") from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if obstacle := _obstacle(path, error):
            raise UnavailableError(f"{path} cannot be read now: {obstacle}") from error
        raise StoreError(f"{path} is damaged or no store file ({reason}). {_AGAIN}") from error


def _open(path: Path) -> h5py.File:
    try:
        # Files are replaced, never changed in place, so HDF5's own locks would only break network disks.
        return h5py.File(path, "r", locking=False)
    except OSError as error:
        if not any(words in str(error) for words in _OPEN_OTHERWISE):
            raise
        return h5py.File(path, "r")  # this process has it open already, with h5py's own settings


def _obstacle(path: Path, error: Exception) -> str:
    """Return why a file that HDF5 refused may be sound all the same; empty when it is not."""
    if any(words in str(error) for words in _OPEN_OTHERWISE):
        return "this process has it open with other settings. Close it first."
    if isinstance(error, MemoryError):
        return "out of memory. Use a machine with more, or fewer workers."
    try:
        with path.open("rb") as file:
            while file.read(1 << 20):
                pass
    except OSError as system:
        return f"{system.strerror}. Check permissions, open files and the disk."
    return ""


def members(group: h5py.Group, kind: type[h5py.Group] | type[h5py.Dataset]) -> dict[str, Any]:
    """Return the members of a group; StoreError unless all are plain links to objects of that kind."""
    return {raw.decode(): member(group, raw.decode(), kind) for raw in group.id}


def member(group: h5py.Group, name: str, kind: type[h5py.Group] | type[h5py.Dataset]) -> Any:
    """Return one member of a group; StoreError unless it is a plain link to an object of that kind."""
    link = group.id.links.get_info(name.encode()).type
    if link != h5py.h5l.TYPE_HARD:
        what = _LINKS.get(link, "a link of unknown kind")
        raise StoreError(f"{where_of(group)}: {name!r} is {what}, which is refused. {_AGAIN}")
    found = group[name]
    if not isinstance(found, kind):
        what = f"a {type(found).__name__}, not a {kind.__name__}"
        raise StoreError(f"{where_of(group)}: {name!r} is {what}. {_AGAIN}")
    return found


def where_of(item: h5py.HLObject) -> str:
    """Return file and place of an object, for messages."""
    return f"{item.file.filename}: {item.name}"


def check_dataset(dataset: h5py.Dataset) -> None:
    """Raise StoreError unless the dataset is contiguous, unfiltered, complete floats of this very file."""
    created = dataset.id.get_create_plist()
    problem = ""
    if created.get_layout() == h5py.h5d.VIRTUAL:
        problem = "is a virtual dataset, which is refused"
    elif created.get_external_count():
        problem = "keeps its values in another file, which is refused"
    elif created.get_nfilters() or created.get_layout() != h5py.h5d.CONTIGUOUS:
        problem = "is chunked or filtered; only contiguous, unfiltered data is read"
    elif dataset.dtype not in DTYPES or dataset.shape is None or dataset.ndim > 2:
        problem = (
            f"has type {dataset.dtype} and shape {dataset.shape}; little-endian float64 or float32 "
            "in at most two dimensions is needed"
        )
    elif dataset.id.get_storage_size() != dataset.nbytes:  # unwritten storage would read as zeros
        problem = "is incomplete"
    if problem:
        raise StoreError(f"{where_of(dataset)} {problem}. {_AGAIN}")


def read_array(dataset: h5py.Dataset) -> Array:
    """Return a dataset's values after `check_dataset`."""
    check_dataset(dataset)
    return np.asarray(dataset[()])


def digest(array: Array) -> str:
    """Return the SHA-256 of an array's bytes, little-endian, in C order.

    >>> import numpy as np
    >>> digest(np.zeros(1)) == hashlib.sha256(bytes(8)).hexdigest()
    True
    """
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def write_text(item: h5py.HLObject, name: str, text: str) -> None:
    """Set a string attribute of fixed length.

    Strings of variable length, which h5py makes by default, live in a heap whose damage can end or hang the
    reading process; one flipped bit is enough. Strings of fixed length lie in the attribute itself.
    """
    data = np.array(text.encode())
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(data.itemsize)
    kind.set_cset(h5py.h5t.CSET_UTF8)
    kind.set_strpad(h5py.h5t.STR_NULLPAD)
    h5py.h5a.create(item.id, name.encode(), kind, _SCALAR).write(data, mtype=kind)


def has_attribute(item: h5py.HLObject, name: str) -> bool:
    """Return whether an object has an attribute."""
    return bool(h5py.h5a.exists(item.id, name.encode()))


def text_attribute(item: h5py.HLObject, name: str) -> str:
    """Return a string attribute; StoreError when it is absent or no string of fixed length."""
    if h5py.h5a.exists(item.id, name.encode()):
        attribute = h5py.h5a.open(item.id, name.encode())
        kind = attribute.get_type()
        if isinstance(kind, h5py.h5t.TypeStringID) and not kind.is_variable_str() and attribute.shape == ():
            value = np.empty((), f"S{kind.get_size()}")
            attribute.read(value, mtype=kind)
            return bytes(value[()]).decode()
    raise StoreError(f"{where_of(item)} lacks the text attribute {name!r}. {_AGAIN}")


def integer_attribute(item: h5py.HLObject, name: str) -> int:
    """Return an integer attribute; StoreError when it is absent or no integer."""
    if h5py.h5a.exists(item.id, name.encode()):
        attribute = h5py.h5a.open(item.id, name.encode())
        if isinstance(attribute.get_type(), h5py.h5t.TypeIntegerID) and attribute.shape == ():
            value = np.empty((), np.int64)
            attribute.read(value)
            return int(value[()])
    raise StoreError(f"{where_of(item)} lacks the integer attribute {name!r}. {_AGAIN}")


def json_attribute(item: h5py.HLObject, name: str) -> dict[str, Any]:
    """Return a JSON object kept in a string attribute; StoreError when it is none."""
    text = text_attribute(item, name)
    try:
        value = json.loads(text)
    except ValueError as error:
        raise StoreError(f"{where_of(item)} {name!r} is not valid JSON. {_AGAIN}") from error
    if not isinstance(value, dict):
        raise StoreError(f"{where_of(item)} {name!r} is no JSON object. {_AGAIN}")
    return value
