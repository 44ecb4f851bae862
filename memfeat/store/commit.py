"""Putting features of one video into a store: all of them or none, whoever else writes at the same time.

The new file is written beside the old one, closed, opened again and compared, forced to disk, and only then
takes the old one's name. A process that is killed on the way leaves a temporary file and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.store.canonical import canonical, json_text
from memfeat.store.files import environment_error, leftovers, locked, make_folder, replacing, sync_folder
from memfeat.store.hdf5 import (
    UnavailableError,
    digest,
    json_attribute,
    member,
    members,
    open_file,
    read_array,
    text_attribute,
    write_text,
)
from memfeat.store.manifest import read_manifest
from memfeat.store.naming import check_id, video_path
from memfeat.store.record import IMPORTED, ORIGIN, FeatureRecord, read_feature
from memfeat.store.schema import SCHEMA, NewerSchemaError
from memfeat.store.source import Source

Digests = dict[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Committed:
    """What a commit did.

    Parameters
    ----------
    path
        The video's file.
    written
        Features that were given, by name.
    kept
        Features that were in the file before and still are.
    dropped
        Features that were in the file before and are no longer, with the reason. ``"*"`` stands for a whole
        file that could not be read.
    """

    path: Path
    written: tuple[str, ...]
    kept: tuple[str, ...]
    dropped: dict[str, str]


def commit(
    store: str | Path,
    id: str,
    *,
    source: Source | None,
    video: Mapping[str, Any] | None,
    features: Mapping[str, FeatureRecord] | Iterable[FeatureRecord],
    replace: bool = False,
) -> Committed:
    """Write features of one video, beside those that its file already has.

    Features that the file has from other content than `source` are dropped: they belong to a video that is
    no more. Imported features stay: nobody said which file they were computed from.

    Parameters
    ----------
    store
        Folder of an existing store.
    id
        The video's id.
    source
        The content that the features were measured from. None when all of them are imported: then what the
        file says of the video stays as it is, or is `Source.nothing` where there was none.
    video
        Header and decode counts, JSON-able. ``video["counts"]["damaged"]`` marks a video with concealed or
        lost frames. None together with `source`.
    features
        At least one record. Arrays are stored as float64 (times, scalars) or float32 (vectors).
    replace
        Take the place of features of the same name that were measured with another key.

    Raises
    ------
    StoreError
        A feature of that name and another key is there and `replace` is False; the message names both keys
        and the parameters that differ. Or the file that is there belongs to another id
        or a newer schema, or cannot be read now.
    InvalidFeatureError
        NaN or infinity, empty arrays, times that do not increase (a StoreError).
    UsageError
        There is no store, or the call contradicts itself.
    SetupError
        The disk is full, read-only, not permitted, or has no locks. Nothing has changed then.
    """
    store = Path(store)
    read_manifest(store)
    id = check_id(id)
    records = canonical(features, source)
    if not records:
        raise UsageError(f"A commit needs at least one feature; got none for {id!r}.")
    if (source is None) != (video is None):
        raise UsageError("A commit has both the video's source and its header, or neither.")
    video_text = "" if video is None else json_text(video, f"The header of {id!r}")
    path = video_path(store, id)
    if not path.parent.exists():
        make_folder(path.parent)
        sync_folder(path.parent.parent)
    with locked(path.parent):
        old = _Old(path, id)
        old.settle(records, source, replace=replace)
        for left in leftovers(path.parent):  # of killed writers: a living one would hold the lock
            if left.name.startswith(f".{path.name}."):
                left.unlink(missing_ok=True)
        head = _head(id, source or old.source, video_text or json_text(old.video, f"The header of {id!r}"))
        with replacing(path) as temporary:
            try:
                digests = _write(temporary, head, records, old)
            except (OSError, RuntimeError) as error:
                raise environment_error(f"Writing {path}", error) from error
            _check(temporary, id, digests)
    return Committed(path, tuple(sorted(records)), tuple(sorted(old.keep)), old.dropped)


class _Old:
    """What the file had before: which of it stays, and why the rest does not."""

    def __init__(self, path: Path, id: str) -> None:
        self.path = path
        self.keep: dict[str, FeatureRecord] = {}  # arrays are read later, one feature at a time
        self.dropped: dict[str, str] = {}
        self.source, self.video = Source.nothing(), dict[str, Any]()
        if not path.exists():
            return
        try:
            with open_file(path) as file:
                there = text_attribute(file, "id")
                groups = members(file, h5py.Group)
                self.keep = {name: read_feature(group, values=False) for name, group in groups.items()}
                self.source = Source.from_dict(json_attribute(file, "source"))
                self.video = json_attribute(file, "video")
        except (NewerSchemaError, UnavailableError):
            raise
        except StoreError as error:
            self.keep = {}
            self.source, self.video = Source.nothing(), {}
            self.dropped = {"*": str(error)}
            return
        if there != id:
            raise StoreError(f"{path} belongs to the id {there!r}, not {id!r}. Run `memfeat store verify`.")

    def settle(self, records: Mapping[str, FeatureRecord], source: Source | None, *, replace: bool) -> None:
        source = source or self.source
        for name, there in list(self.keep.items()):
            if not there.imported and not source.same_content(there.source):
                self.dropped[name] = "measured from other content of the video"
            elif name not in records:
                continue
            elif there.key != records[name].key and not replace:
                raise StoreError(self._conflict(there, records[name]))
            del self.keep[name]
            if name in records:
                self.dropped.pop(name, None)

    def _conflict(self, there: FeatureRecord, new: FeatureRecord) -> str:
        try:
            old = self.read(there.name).provenance
        except StoreError:
            old = {}
        changes = differences(old.get("recipe"), new.provenance.get("recipe"))
        what = f" They differ in {'; '.join(changes)}." if changes else ""
        return (
            f"{self.path} already has {there.name!r} with the key {there.key}; the new one has {new.key}."
            f"{what} Replace it on purpose (--force), or give the variant a name of its own."
        )

    def read(self, name: str) -> FeatureRecord:
        """Read one kept feature whole; StoreError also when its bytes are not those that were written."""
        with open_file(self.path) as file:
            group = member(file, name, h5py.Group)
            record = read_feature(group)
            for key, array in record.arrays.items():
                if text_attribute(group[key], "sha256") != digest(array):
                    raise StoreError(f"{self.path}: the values of {name!r} have changed on the disk.")
            return record


def _head(id: str, source: Source, video: str) -> dict[str, str]:
    return {"id": id, "source": json_text(source.to_dict(), "The source"), "video": video}


def _write(path: Path, head: Mapping[str, str], records: Mapping[str, FeatureRecord], old: _Old) -> Digests:
    digests: Digests = {}
    with h5py.File(path, "x", locking=False) as file:
        file.attrs.create("schema", SCHEMA, dtype="<i8")
        for name, text in head.items():
            write_text(file, name, text)
        for record in records.values():
            _write_feature(file, record, digests)
        for name in sorted(old.keep):
            try:
                record = old.read(name)
            except UnavailableError:
                raise
            except StoreError as error:
                del old.keep[name]
                old.dropped[name] = str(error)
                continue
            _write_feature(file, record, digests)
    return digests


def _write_feature(file: h5py.File, record: FeatureRecord, digests: Digests) -> None:
    group = file.create_group(record.name)
    write_text(group, "feature_key", record.key)
    write_text(group, "status", record.status)
    if record.source is None:
        raise UsageError(f"The feature {record.name!r} has no source.")
    write_text(group, "source", json_text(record.source.to_dict(), "The source"))
    if record.imported:
        write_text(group, ORIGIN, IMPORTED)
    write_text(group, "provenance", json_text(record.provenance, f"The provenance of {record.name!r}"))
    if not record.applicable:
        write_text(group, "reason", record.reason)
        digests[record.name, ""] = record.reason
    for name, array in record.arrays.items():
        item = group.create_dataset(name, data=array)
        digests[record.name, name] = digest(array)
        write_text(item, "sha256", digests[record.name, name])


def _check(path: Path, id: str, digests: Digests) -> None:
    """Read everything back from the closed file and compare."""
    found: Digests = {}
    problem = "it holds something else"
    try:
        with open_file(path) as file:
            json_attribute(file, "video")
            for name, group in members(file, h5py.Group).items():
                if not (record := read_feature(group, values=False)).applicable:
                    found[name, ""] = record.reason
                for key, item in members(group, h5py.Dataset).items():
                    found[name, key] = digest(read_array(item))
            same = found == digests and text_attribute(file, "id") == id
    except StoreError as error:
        same, problem = False, str(error)
    if not same:  # not this video's fault: the next one would fare no better
        raise SetupError(
            f"{path} cannot be read back as it was written ({problem}). Check this machine's disk and memory."
        )


def differences(old: object, new: object, where: str = "") -> list[str]:
    """Return in words where two recipes differ, one entry per parameter.

    >>> differences({"version": 1, "parameters": {"tau": 0.25}}, {"version": 2, "parameters": {"tau": 0.5}})
    ['parameters.tau: 0.25 → 0.5', 'version: 1 → 2']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        found: list[str] = []
        for key in sorted(old.keys() | new.keys()):
            found += differences(old.get(key), new.get(key), f"{where}.{key}" if where else str(key))
        return found
    return [] if old == new else [f"{where or 'recipe'}: {old!r} → {new!r}"]
