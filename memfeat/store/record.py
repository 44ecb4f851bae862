"""One video file of a store, read: its features, what they were measured from, and the marks for resuming."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

import h5py
import numpy as np
import numpy.typing as npt

from memfeat.errors import StoreError, UsageError, nearest
from memfeat.store import reductions
from memfeat.store.hdf5 import (
    UnavailableError,
    has_attribute,
    json_attribute,
    member,
    members,
    open_file,
    read_array,
    text_attribute,
    where_of,
)
from memfeat.store.schema import NewerSchemaError
from memfeat.store.source import Source

Array = npt.NDArray[Any]
Status = Literal["ok", "not_applicable"]

ORIGIN, IMPORTED = "origin", "imported"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,199}")


@dataclass(frozen=True, slots=True, eq=False)
class FeatureRecord:
    """One feature of one video.

    Parameters
    ----------
    name
        Name of the feature and of its HDF5 group: letters, digits and ``_.+-``.
    key
        The feature key: equal for all videos measured alike.
    arrays
        By dataset name: ``values`` (), (T,) or (T, D) and ``times`` (T,) in seconds; ``dt`` (T,) in seconds
        where values belong to intervals; ``first`` and ``mean`` (D,) where per-frame values are not kept.
    provenance
        JSON-able. Under ``"recipe"`` all that values depend on; the rest (libraries, device, host) informs.
    status
        ``"ok"``, or ``"not_applicable"``: no arrays, and a `reason`.
    source
        The content the feature was measured from; None in a record that is about to be committed. Of an
        imported feature the files that its values were read from, which a record to commit needs too.
    imported
        True for values that others computed: they do not depend on the video file that is there.

    Examples
    --------
    >>> import numpy as np
    >>> arrays = {"values": np.array([1.0, 3.0]), "times": np.array([0.0, 0.04])}
    >>> record = FeatureRecord("contrast", "k1", arrays)
    >>> record.mean, record.reduce("std")
    (array([2.]), array([1.]))
    """

    name: str
    key: str
    arrays: dict[str, Array] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    status: Status = "ok"
    reason: str = ""
    source: Source | None = None
    imported: bool = False

    def __post_init__(self) -> None:
        if not NAME.fullmatch(self.name):
            raise UsageError(
                f"A feature's name is a letter or digit, then letters, digits and _.+-; got {self.name!r}."
            )
        if not self.key:
            raise UsageError(f"The feature {self.name!r} needs a key; got an empty one.")

    @property
    def applicable(self) -> bool:
        """Whether the feature could be measured on this video."""
        return self.status == "ok"

    def array(self, name: str) -> Array:
        """Return a stored array by its dataset name; StoreError, listing what there is, when it is absent."""
        if not self.applicable:
            raise StoreError(f"{self.name!r} is not applicable to this video: {self.reason}.")
        if name not in self.arrays:
            raise StoreError(f"{self.name!r} stores no {name!r}; it stores {', '.join(sorted(self.arrays))}.")
        return self.arrays[name]

    @property
    def values(self) -> Array:
        """Values (), (T,) or (T, D)."""
        return self.array("values")

    @property
    def times(self) -> Array:
        """Time of each value in seconds, (T,)."""
        return self.array("times")

    @property
    def dt(self) -> Array:
        """Length of each value's interval in seconds, (T,)."""
        return self.array("dt")

    @property
    def first(self) -> Array:
        """The first frame's values, (width,)."""
        return self.reduce("first")

    @property
    def mean(self) -> Array:
        """What models use by default: the mean over time, (width,); per second for a feature with ``dt``."""
        return self.reduce("mean")

    def reduce(self, reduction: str) -> Array:
        """Return another summary over time, (width,), or its frames; see `memfeat.store.reductions.reduce`."""
        if not self.applicable:
            raise StoreError(f"{self.name!r} is not applicable to this video: {self.reason}.")
        return reductions.reduce(self.name, self.arrays, reduction)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in self.arrays.items())
        return f"<{self.name}: {shapes if self.applicable else f'not applicable: {self.reason}'}>"


@dataclass(frozen=True, slots=True, eq=False)
class VideoRecord:
    """All that a store keeps of one video; ``record["hog"]`` is a `FeatureRecord`.

    Parameters
    ----------
    id
        The video's id.
    source
        The file's content as it was last measured.
    video
        Header and decode counts.
    features
        By name, sorted.
    path
        The store file.
    """

    id: str
    source: Source
    video: dict[str, Any]
    features: dict[str, FeatureRecord]
    path: Path

    def __getitem__(self, name: str) -> FeatureRecord:
        if name not in self.features:
            raise UsageError(
                f"{self.id!r} has no feature {name!r}; it has {', '.join(self.features) or 'none'}."
                f"{nearest(name, self.features)}"
            )
        return self.features[name]

    def __contains__(self, name: object) -> bool:
        return name in self.features

    def __iter__(self) -> Iterator[str]:
        return iter(self.features)

    def __repr__(self) -> str:
        return f"<{self.id}: {', '.join(self.features) or 'no features'}>"


class Mark(NamedTuple):
    """What resuming compares: the key of a stored feature and the content it was measured or read from."""

    key: str
    source: Source


class Header(NamedTuple):
    """A video file without its values."""

    id: str
    source: Source
    video: dict[str, Any]
    features: dict[str, FeatureRecord]
    """Without arrays and provenance."""


def read_video(path: str | Path, *, only: Collection[str] | None = None) -> VideoRecord:
    """Read one video file of a store.

    Parameters
    ----------
    path
        The file (`memfeat.store.naming.video_path`).
    only
        Names of the features wanted; those that the file lacks are left out. Default: all.

    Raises
    ------
    StoreError
        The file is missing, damaged, of a newer schema, or reaches for data outside itself (soft and external
        links, external storage, virtual datasets), or holds filtered data.
    """
    path = Path(path)
    with open_file(path) as file:
        groups = members(file, h5py.Group)
        wanted = sorted(groups if only is None else groups.keys() & set(only))
        features = {name: read_feature(groups[name]) for name in wanted}
        return VideoRecord(
            text_attribute(file, "id"), _source(file), json_attribute(file, "video"), features, path
        )


def read_header(path: str | Path) -> Header:
    """Read everything about a video but its values and provenance; raises as `read_video`."""
    with open_file(Path(path)) as file:
        features = {
            name: read_feature(group, values=False) for name, group in members(file, h5py.Group).items()
        }
        return Header(text_attribute(file, "id"), _source(file), json_attribute(file, "video"), features)


def read_marks(path: str | Path, *, ignore_damage: bool = False) -> dict[str, Mark]:
    """Return the marks of the features in a video file, by name; nothing when there is no file.

    Parameters
    ----------
    path
        The file (`memfeat.store.naming.video_path`).
    ignore_damage
        Return nothing for a damaged file too: the next commit replaces it.

    Raises
    ------
    StoreError
        The file is damaged.
    NewerSchemaError, UnavailableError
        The file is of a newer schema or cannot be read now (StoreErrors); no commit would replace it.
    """
    if not Path(path).exists():
        return {}
    try:
        features = read_header(path).features
    except (NewerSchemaError, UnavailableError):
        raise
    except StoreError:
        if ignore_damage:
            return {}
        raise
    return {name: Mark(record.key, cast(Source, record.source)) for name, record in features.items()}


def read_source(path: str | Path) -> Source | None:
    """Return the content a video file was last measured from; None when there is no readable file.

    It is a hint that spares hashing (``Source.of(video, known=read_source(path))``), so damage is no error.
    """
    try:
        with open_file(Path(path)) as file:
            return _source(file)
    except StoreError:
        return None


def read_feature(group: h5py.Group, *, values: bool = True) -> FeatureRecord:
    """Return the feature in an open group; `values` False leaves arrays and provenance out."""
    status = text_attribute(group, "status")
    if status not in ("ok", "not_applicable"):
        raise StoreError(f"{where_of(group)} has the status {status!r}; 'ok' or 'not_applicable' is needed.")
    try:
        return FeatureRecord(
            name=group.name.removeprefix("/"),
            key=text_attribute(group, "feature_key"),
            arrays={name: read_array(item) for name, item in members(group, h5py.Dataset).items()}
            if values
            else {},
            provenance=json_attribute(group, "provenance") if values else {},
            status=cast(Status, status),
            reason=text_attribute(group, "reason") if status == "not_applicable" else "",
            source=_source(group),
            imported=is_imported(group),
        )
    except UsageError as error:
        raise StoreError(f"{where_of(group)}: {error}") from error


def read_row(path: Path, feature: str, reduction: str) -> tuple[FeatureRecord | None, Array | None]:
    """Return a feature without its arrays and one reduction of it; None for what the file does not have.

    Reads no more arrays than the reduction needs.
    """
    with open_file(path) as file:
        if feature.encode() not in file.id:
            return None, None
        group = member(file, feature, h5py.Group)
        record = read_feature(group, values=False)
        if not record.applicable:
            return record, None
        datasets = members(group, h5py.Dataset)
        reductions.check_reduction(feature, reduction, {name: item.shape for name, item in datasets.items()})
        arrays = {name: read_array(datasets[name]) for name in reductions.needed(reduction, datasets)}
        row = reductions.reduce(feature, arrays, reduction)
        if not np.isfinite(row).all():
            raise StoreError(f"{path}: {feature}:{reduction} is not finite. Run the extraction again.")
        return record, row


def is_imported(group: h5py.Group) -> bool:
    """Return whether the feature in an open group was imported; StoreError for an origin of another kind."""
    if not has_attribute(group, ORIGIN):
        return False
    if (origin := text_attribute(group, ORIGIN)) != IMPORTED:
        raise StoreError(f"{where_of(group)} has the origin {origin!r}; only {IMPORTED!r} is known.")
    return True


def _source(item: h5py.HLObject) -> Source:
    return Source.from_dict(json_attribute(item, "source"))
