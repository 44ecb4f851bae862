"""`import_features`: features that others computed become features of a store, video by video."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from memfeat import __version__
from memfeat.errors import DataError, StoreError, UsageError
from memfeat.store.commit import commit, differences
from memfeat.store.failures import Failure, remove_failure, write_failure
from memfeat.store.feature_store import FeatureStore
from memfeat.store.importing.formats import open_shipment
from memfeat.store.importing.layout import Layout, survey
from memfeat.store.importing.pairing import pair
from memfeat.store.importing.sparse_text import Bins
from memfeat.store.importing.values import Frames, Shipment, Values
from memfeat.store.naming import check_id, file_stem, video_path
from memfeat.store.record import FeatureRecord, read_marks, read_video
from memfeat.store.source import Source

_SHOWN = 10
MAX_FILES = 50
"""Of one video named in the provenance; where there are more, only their number is."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did.

    Parameters
    ----------
    feature, key, format
        Name and key of the feature, and what it was read from.
    layout
        Shape and frames that all videos share.
    imported, present
        Ids whose features were written now, and those that had them already.
    failed
        Id → why its features cannot be used; also recorded in the store.
    unmatched
        Names in the shipment that are no video of the store.
    without
        Ids of the store that the shipment does not have.
    remarks
        What was guessed or passed over.
    """

    feature: str
    key: str
    format: str
    layout: Layout
    imported: tuple[str, ...]
    present: tuple[str, ...]
    failed: dict[str, str]
    unmatched: tuple[str, ...]
    without: tuple[str, ...]
    remarks: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return what was done, in words."""
        width = "one number" if self.layout.width is None else f"{self.layout.width} numbers"
        frames = self.layout.frames
        per = "video" if frames is None else "frame"
        per += f" ({', '.join(map(str, frames))})" if isinstance(frames, tuple) else ""
        lines = [
            *(f"note: {remark}" for remark in self.remarks),
            f"{self.feature} ({self.format}, {width} per {per}, key {self.key}): {len(self.imported)} imported, "
            f"{len(self.present)} already there.",
        ]
        if self.failed:
            lines.append(f"{len(self.failed)} failed and are recorded in the store:")
            lines += [f"  {id}: {why}" for id, why in list(self.failed.items())[:_SHOWN]]
        for names, what in (
            (self.unmatched, "names of the shipment are no video of the store"),
            (self.without, "videos of the store are not in the shipment"),
        ):
            if names:
                lines.append(
                    f"{len(names)} {what}: {', '.join(names[:_SHOWN])}{', …' if len(names) > _SHOWN else ''}"
                )
        return lines


def import_features(
    store: str | Path | FeatureStore,
    path: str | Path,
    feature: str,
    *,
    format: str | None = None,
    id_column: str | None = None,
    columns: Sequence[str] | None = None,
    width: int | None = None,
    frames: Frames | Literal["any"] | None = None,
    bins: Bins | None = None,
    origin: str = "",
    preparation: str | None = None,
    new_ids: bool = False,
    force: bool = False,
    on_start: Callable[[str, int], None] | None = None,
    on_item: Callable[[], None] | None = None,
) -> Imported:
    """Bring features that others computed into a store.

    Each video is written whole or not at all, beside what its file has already; run again, an import goes on where it
    ended, and reads anew what has changed. Videos need no media file: labels and imported features make a store that
    models are fitted on.

    The feature key is a hash of what the numbers are said to be: the feature's name, `origin`, the width of a
    vector, the frames, and the bins of a sparse format. So the same features of a development and of a test set,
    shipped in two folders or formats, share a key; what a video's numbers were read from is the feature's own
    ``source`` (SHA-256).

    Parameters
    ----------
    store
        A store whose labels, features or texts know the videos' ids.
    path
        A folder with one file per video or frame, or one file with a row per video;
        `memfeat.store.importing.formats.SUMMARIES` lists the formats.
    feature
        Name to give it in the store.
    format
        Default: told from the files.
    id_column, columns
        Of a table; see `memfeat.store.importing.delimited.read_delimited`. The store's labels are left out, unless
        named.
    width
        Numbers per vector, where files differ or to be sure.
    frames
        Indices or names of the frames, or ``"any"``; see `memfeat.store.importing.layout`.
    bins
        First and last bin of a sparse format.
    origin
        Who computed them and how, such as ``"MediaEval 2018"``; part of the key.
    preparation
        What a model does to the columns unless told otherwise: ``zscore``, ``pca`` or ``none``.
    new_ids
        Take names that are no video of the store as new ids.
    force
        Take the place of a feature of that name with another key.
    on_start, on_item
        Called with the name and length of each stage, and after each of its items.

    Raises
    ------
    UsageError
        The shipment as a whole cannot be read or no name in it fits; videos differ in their shape; or the store has a
        feature of that name with another key and `force` is off. Nothing was written then.
    LabelError
        A name fits several ids, or several names fit one.
    SetupError
        The store cannot be written; what was committed stays.

    Examples
    --------
    >>> import tempfile, numpy as np, pandas as pd
    >>> from memfeat.store.labels import Labels
    >>> folder = tempfile.TemporaryDirectory()
    >>> scores = Labels(pd.DataFrame({"score": [0.9, 0.7]}, index=["video1.webm", "video2.webm"]))
    >>> store = FeatureStore.create(Path(folder.name, "store"), dataset="demo", labels=scores)
    >>> shipped = Path(folder.name, "LBP")
    >>> shipped.mkdir()
    >>> for video in (1, 2):
    ...     for frame in (0, 56, 112):
    ...         _ = Path(shipped, f"video{video}-{frame}.txt").write_text(f"{video} {frame}")
    >>> done = import_features(store, shipped, "lbp", origin="MediaEval 2018")
    >>> done.imported, done.layout.frames
    (('video1.webm', 'video2.webm'), (0, 56, 112))
    >>> store.matrix(["lbp", "lbp:last"]).to_numpy().tolist()
    [[1.0, 56.0, 1.0, 112.0], [2.0, 56.0, 2.0, 112.0]]
    >>> folder.cleanup()
    """
    store = store if isinstance(store, FeatureStore) else FeatureStore(store)
    FeatureRecord(feature, "checks the name")
    ids = store.known_ids
    start, step = on_start or (lambda what, total: None), on_item or (lambda: None)
    kind, shipment = open_shipment(
        Path(path),
        format=format,
        hint=feature,
        ids=ids,
        id_column=id_column,
        columns=columns,
        labels=tuple(map(str, store.labels.columns)),
        width=width,
        bins=bins,
    )
    id_of, unmatched, without = _matched(shipment, ids, store, new_ids)
    start(f"Reading {feature}", len(id_of))
    layout, assumed = survey(id_of, shipment.read, width=width, frames=frames, on_item=step)
    recipe = {"imported": feature, "origin": origin, **layout.recipe(), **shipment.reading}
    job = _Job(store.path, feature, recipe, kind, layout, shipment, preparation)
    marks = {name: read_marks(video_path(store.path, id), ignore_damage=True) for name, id in id_of.items()}
    if not force:
        job.refuse_other_key({id_of[name]: of[feature].key for name, of in marks.items() if feature in of})
    start(f"Importing {feature}", len(id_of))
    imported, present, failed = [], [], {}
    for name, id in id_of.items():
        try:
            source = Source.of_files(shipment.files(name))
            mark = marks[name].get(feature)
            if mark is not None and mark.key == job.key and mark.source.same_content(source) and not force:
                present.append(id)
            else:
                job.write(name, id, source, replace=force)
                imported.append(id)
            remove_failure(store.path, id, job.stage)
        except DataError as error:
            failed[id] = str(error)
            job.record(id, error)
        step()
    return Imported(
        feature, job.key, kind, layout, tuple(sorted(imported)), tuple(sorted(present)), failed,
        unmatched, without, (*shipment.remarks, *assumed),
    )  # fmt: skip


class _Job:
    """One import: what is the same for all its videos."""

    def __init__(
        self,
        store: Path,
        feature: str,
        recipe: dict[str, Any],
        format: str,
        layout: Layout,
        shipment: Shipment,
        preparation: str | None,
    ) -> None:
        self.store, self.feature, self.recipe, self.format = store, feature, recipe, format
        self.layout, self.shipment, self.preparation = layout, shipment, preparation
        text = json.dumps(recipe, sort_keys=True, separators=(",", ":"))
        self.key = hashlib.sha256(text.encode()).hexdigest()[:16]
        self.stage = f"import-{file_stem(feature)}"

    def refuse_other_key(self, keys: Mapping[str, str]) -> None:
        other = next((id for id, key in keys.items() if key != self.key), None)
        if other is None:
            return
        try:
            there = read_video(video_path(self.store, other), only=[self.feature])[self.feature]
            changes = differences(there.provenance.get("recipe"), self.recipe)
        except StoreError:
            changes = []
        what = f" They differ in {'; '.join(changes)}." if changes else ""
        raise UsageError(
            f"{other!r} in {self.store} has {self.feature!r} with the key {keys[other]}; these would have {self.key}."
            f"{what} Import them under another name, or with force (--force) in place of those there."
        )

    def write(self, name: str, id: str, source: Source, *, replace: bool) -> None:
        values = self.shipment.read(name)
        arrays = self.layout.arrays(values, name)
        provenance: dict[str, Any] = {"recipe": self.recipe, "imported": self._origin(name, source, values)}
        if self.preparation is not None:
            provenance["preparation"] = self.preparation
        provenance["environment"] = {"memfeat": __version__}
        record = FeatureRecord(self.feature, self.key, arrays, provenance, source=source, imported=True)
        commit(self.store, id, source=None, video=None, features=[record], replace=replace)

    def _origin(self, name: str, source: Source, values: Values) -> dict[str, Any]:
        files = self.shipment.files(name)
        origin: dict[str, Any] = {"format": self.format, "name": name, "files": len(files)}
        if len(files) == 1:
            origin["files"] = [{"name": files[0].name, "sha256": source.sha256}]
        elif len(files) <= MAX_FILES:
            origin["files"] = [{"name": file.name, "sha256": Source.of(file).sha256} for file in files]
        if values.frames is not None:
            origin["frames"] = list(values.frames)
        return origin

    def record(self, id: str, error: DataError) -> None:
        kind = type(error).__name__.removesuffix("Error")
        keys = {self.feature: self.key}
        write_failure(self.store, Failure(id, self.stage, kind, str(error), keys=keys))


def _matched(
    shipment: Shipment, ids: Sequence[str], store: FeatureStore, new_ids: bool
) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    matches = pair(shipment.names, ids)
    id_of, unmatched = dict(matches.video_of), matches.rows_without_video
    if new_ids:
        id_of |= {name: check_id(name) for name in unmatched}
        if len(set(id_of.values())) < len(id_of):
            raise UsageError("Two names of the shipment differ only in how accents are encoded. Rename one.")
        unmatched = ()
    if not id_of:
        known = f"such as {', '.join(map(repr, ids[:3]))}" if ids else "which knows no video yet"
        raise UsageError(
            f"Not one of {len(unmatched)} names, such as {', '.join(map(repr, unmatched[:3]))}, is a video of "
            f"{store.path}, {known}. Fill the store first (memfeat extract … --labels-only), or take the names as new "
            "ids with new_ids (--new-ids)."
        )
    return dict(sorted(id_of.items())), unmatched, matches.videos_without_row
