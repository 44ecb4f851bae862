"""A store read through: everything that others rely on, and what is left of killed processes."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from memfeat.errors import MemfeatError, SetupError, StoreError
from memfeat.store.canonical import SERIES, VECTORS, check_times
from memfeat.store.failures import Problem, scan_failures
from memfeat.store.files import locked
from memfeat.store.hdf5 import digest, json_attribute, members, open_file, text_attribute
from memfeat.store.index import damage_of
from memfeat.store.info import all_leftovers
from memfeat.store.labels import labels_unchanged, read_labels
from memfeat.store.manifest import read_manifest
from memfeat.store.naming import video_path
from memfeat.store.record import FeatureRecord, read_feature
from memfeat.store.source import Source
from memfeat.store.texts import read_texts, texts_unchanged

_OLD_SECONDS = 3600.0
_LOCK_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Report:
    """What `verify` found.

    Parameters
    ----------
    videos
        Number of video files looked at.
    features
        Number of features in them.
    problems
        What makes results wrong or impossible. Their kinds: ``unreadable``, ``misplaced``, ``twin``,
        ``values``, ``type``, ``times``, ``stale``, ``keys``, ``labels``, ``texts``, ``damaged failure``.
    warnings
        What may be meant so. Their kinds: ``failure`` (on record for features that are there), ``damaged``
        (decoding lost frames), ``unlabelled``, ``unextracted``, ``labels``, ``texts``, ``leftover``.
    swept
        Temporary files of ended processes that were removed.
    """

    videos: int
    features: int
    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]
    swept: tuple[Path, ...]

    @property
    def ok(self) -> bool:
        """Whether there are no problems."""
        return not self.problems


def verify(store: str | Path) -> Report:
    """Read every file of a store and compare it with what the format promises.

    Raises
    ------
    UsageError
        There is no store.
    StoreError
        Its description is damaged or of a newer schema.
    """
    store = Path(store)
    read_manifest(store)
    check = _Check(store)
    for path in sorted(store.glob("videos/*/*")):
        if not path.name.startswith("."):
            check.file(path)
    check.keys()
    check.failures()
    check.labels()
    check.texts()
    swept = check.sweep()
    return Report(check.videos, check.features, tuple(check.problems), tuple(check.warnings), tuple(swept))


class _Check:
    def __init__(self, store: Path) -> None:
        self.store = store
        self.videos = self.features = 0
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self.present: dict[str, dict[str, str]] = {}  # id → feature → key
        self.paths: dict[str, str] = {}

    def file(self, path: Path) -> None:
        where = path.relative_to(self.store).as_posix()
        if path.suffix != ".h5":
            self.warnings.append(Problem("leftover", where, "no file of the format"))
            return
        self.videos += 1
        try:
            with open_file(path) as file:
                id, source = text_attribute(file, "id"), Source.from_dict(json_attribute(file, "source"))
                damage = damage_of(json_attribute(file, "video"))
                groups = members(file, h5py.Group)
                records = {}
                for name, group in groups.items():
                    records[name] = record = read_feature(group)
                    self.problems += [
                        Problem(kind, f"{where}: {name}", why) for kind, why in _feature(group, record)
                    ]
        except StoreError as error:
            self.problems.append(Problem("unreadable", where, str(error)))
            return
        self.features += len(records)
        if (expected := video_path(self.store, id)) != path:
            self.problems.append(Problem("misplaced", where, f"the file of {id!r} belongs at {expected}"))
        if id in self.present:
            self.problems.append(Problem("twin", where, f"{self.paths[id]} also has the id {id!r}"))
        stale = [n for n, r in records.items() if not r.imported and not source.same_content(r.source)]
        if stale:
            why = (
                f"{', '.join(stale)} measured from other content than the video's current one; extract again"
            )
            self.problems.append(Problem("stale", where, why))
        if damage:
            self.warnings.append(Problem("damaged", where, f"{id}: {damage}"))
        self.present[id] = {name: record.key for name, record in records.items()}
        self.paths[id] = where

    def keys(self) -> None:
        counts = Counter((name, key) for features in self.present.values() for name, key in features.items())
        for name in sorted({name for name, _ in counts}):
            keys = {key: number for (other, key), number in counts.items() if other == name}
            if len(keys) > 1:
                listed = ", ".join(f"{key} ({number} videos)" for key, number in sorted(keys.items()))
                why = f"measured in {len(keys)} ways: {listed}; extract it again for all videos"
                self.problems.append(Problem("keys", name, why))

    def failures(self) -> None:
        failures, problems = scan_failures(self.store)
        self.problems += problems
        for failure in failures:
            there = self.present.get(failure.id, {})
            if failure.keys and all(there.get(name) == key for name, key in failure.keys.items()):
                where = f"failures of {failure.id}"
                why = f"stage {failure.stage}: {failure.type} is on record though its features are there"
                self.warnings.append(Problem("failure", where, why))

    def labels(self) -> None:
        try:
            labels = read_labels(self.store)
            unchanged = labels_unchanged(self.store)
        except MemfeatError as error:
            self.problems.append(Problem("labels", "labels.csv", str(error)))
            return
        if labels is None:
            return
        if not unchanged:
            self.warnings.append(Problem("labels", "labels.csv", "changed since it was written"))
        labelled = set(labels.table.index)
        failed = {failure.id for failure in scan_failures(self.store)[0]}
        for kind, ids, why in (
            ("unlabelled", self.present.keys() - labelled, "videos without labels"),
            ("unextracted", labelled - self.present.keys() - failed, "labels without features or a failure"),
        ):
            if ids:
                shown = ", ".join(sorted(ids)[:5])
                self.warnings.append(Problem(kind, "labels.csv", f"{len(ids)} {why}, such as {shown}"))

    def texts(self) -> None:
        try:
            read_texts(self.store)
            unchanged = texts_unchanged(self.store)
        except MemfeatError as error:
            self.problems.append(Problem("texts", "texts.csv", str(error)))
            return
        if not unchanged:
            self.warnings.append(Problem("texts", "texts.csv", "changed since it was written"))

    def sweep(self) -> list[Path]:
        """Remove temporary files of processes that are gone; warn of the others."""
        swept = []
        for path in all_leftovers(self.store):
            try:
                removed = _remove_leftover(path, in_shard=path.parent.parent == self.store / "videos")
            except (SetupError, OSError):
                removed = False
            if removed:
                swept.append(path)
            else:
                where = path.relative_to(self.store).as_posix()
                self.warnings.append(Problem("leftover", where, "temporary file, in use or not removable"))
        return swept


def _remove_leftover(path: Path, *, in_shard: bool) -> bool:
    if in_shard:  # its writer would hold the lock: whoever has the lock knows that the writer is gone
        with locked(path.parent, seconds=_LOCK_SECONDS):
            path.unlink(missing_ok=True)
            return True
    with suppress(FileNotFoundError):
        if time.time() - path.stat().st_mtime < _OLD_SECONDS:
            return False
        path.unlink()
    return True


def _feature(group: h5py.Group, record: FeatureRecord) -> Iterator[tuple[str, str]]:
    """Yield kind and description of what is wrong with one feature."""
    if not record.applicable:
        if record.arrays or not record.reason:
            yield "values", "not applicable, yet with arrays or without a reason"
        return
    if not {"values", *VECTORS} & record.arrays.keys():
        yield "values", "no values, first or mean"
    for name, array in record.arrays.items():
        vector = name in VECTORS or array.ndim == 2
        if array.dtype != np.dtype("<f4" if vector else "<f8") or (
            name in (*SERIES, *VECTORS) and array.ndim != 1
        ):
            yield "type", f"{name} is {array.dtype} of shape {array.shape}"
        if not array.size or not np.isfinite(array).all():
            yield "values", f"{name} is empty, NaN or infinite"
        if text_attribute(group[name], "sha256") != digest(array):
            yield "values", f"{name} has changed on the disk since it was written; extract it again"
    if problem := check_times(record.arrays):
        yield "times", problem
