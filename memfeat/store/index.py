"""What lies in a store, without opening every file: a listing that is reread only where a file changed."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from memfeat.errors import SetupError, StoreError
from memfeat.store.files import locked, replacing
from memfeat.store.record import Status, read_header

Names = npt.NDArray[np.bytes_]
Stats = npt.NDArray[np.int64]

FORMAT = 1
"""Of the files below ``matrices``; another number there means they are made anew."""
FOLDER = "matrices"
FILE_NAME = "index.npz"


class State(NamedTuple):
    """What a video's file says about one feature."""

    key: str
    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class FeatureCount:
    """How many videos have a feature under one key."""

    name: str
    key: str
    videos: int
    not_applicable: int


class Scan(NamedTuple):
    """The video files of a store as the disk lists them, by name."""

    names: Names
    """``hh/stem.h5`` (n,)."""
    stats: Stats
    """Modification time in ns, size in bytes, inode: (n, 3)."""


@dataclass(frozen=True, eq=False)
class Index:
    """The videos of a store, by id.

    Parameters
    ----------
    ids
        Sorted.
    names, stats
        As in `Scan`, one row per id.
    profile
        For each id, which of `profiles` its file has: (n,).
    profiles
        Feature → state; most files of a store share one.
    damaged
        Id → what was lost in decoding.
    unreadable
        File → why it could not be read.
    """

    ids: tuple[str, ...]
    names: Names
    stats: Stats
    profile: npt.NDArray[np.int32]
    profiles: tuple[dict[str, State], ...]
    damaged: dict[str, str]
    unreadable: dict[str, str] = field(default_factory=dict)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Id → row."""
        return {id: row for row, id in enumerate(self.ids)}

    def path(self, store: Path, row: int) -> Path:
        """Return the file of a row."""
        return store / "videos" / os.fsdecode(bytes(self.names[row]))

    def states(self, feature: str) -> list[State | None]:
        """Return the state of a feature for each id; None where the file lacks it."""
        of_profile = [profile.get(feature) for profile in self.profiles]
        return [of_profile[number] for number in self.profile.tolist()]

    def counts(self, rows: Sequence[int] | None = None) -> list[FeatureCount]:
        """Return for each feature and key how many videos have it, of all rows or of some."""
        profile = self.profile if rows is None else self.profile[list(rows)]
        found: dict[tuple[str, str], list[int]] = {}
        for states, videos in zip(
            self.profiles, np.bincount(profile, minlength=len(self.profiles)), strict=True
        ):
            for name, state in states.items() if videos else ():
                found.setdefault((name, state.key), [0, 0])[state.status != "ok"] += int(videos)
        return [FeatureCount(name, key, *numbers) for (name, key), numbers in sorted(found.items())]

    def features(self) -> list[str]:
        """Return the names of all features that any video has."""
        return sorted({name for profile in self.profiles for name in profile})


def scan(store: Path) -> Scan:
    """List the video files of a store with one look at each folder; SetupError when one may not be read."""
    try:
        return _scan(store)
    except OSError as error:
        raise SetupError(f"{store} cannot be listed: {error}. Check its permissions.") from error


def _scan(store: Path) -> Scan:
    found: list[tuple[bytes, int, int, int]] = []
    with suppress(FileNotFoundError, NotADirectoryError):
        for shard in os.scandir(os.fsencode(store / "videos")):
            if not shard.is_dir():
                continue
            with suppress(FileNotFoundError), os.scandir(shard) as entries:
                for entry in entries:  # the one loop over all files that every load pays for
                    name = entry.name
                    if name[-3:] != b".h5" or name[:1] == b".":
                        continue
                    try:
                        status = entry.stat()
                    except FileNotFoundError:  # removed in between
                        continue
                    inode = status.st_ino & 0x7FFF_FFFF_FFFF_FFFF
                    found.append((shard.name + b"/" + name, status.st_mtime_ns, status.st_size, inode))
    found.sort()
    names = np.array([row[0] for row in found], dtype=np.bytes_)
    return Scan(names, np.array([row[1:] for row in found], np.int64).reshape(-1, 3))


def load_index(store: Path, *, cache: bool = True) -> Index:
    """Return the current index of a store; only files that are new or changed are opened.

    Parameters
    ----------
    store
        Its folder.
    cache
        Keep the index in the store for the next time. A store that cannot be written works without.
    """
    seen = scan(store)
    old = _load(store / FOLDER / FILE_NAME) if cache else None
    if old is not None:
        order = np.argsort(old.names)
        if np.array_equal(old.names[order], seen.names) and np.array_equal(old.stats[order], seen.stats):
            return old
    index = _update(store, seen, old)
    if cache:
        with suppress(SetupError), locked(store / FOLDER, seconds=60.0):
            _save(store / FOLDER / FILE_NAME, index)
    return index


def _update(store: Path, seen: Scan, old: Index | None) -> Index:
    known = {} if old is None else {name: row for row, name in enumerate(old.names.tolist())}
    old_stats = [] if old is None else old.stats.tolist()
    rows: dict[str, tuple[int, dict[str, State]]] = {}
    damaged: dict[str, str] = {}
    unreadable: dict[str, str] = {}
    for row, (name, stats) in enumerate(zip(seen.names.tolist(), seen.stats.tolist(), strict=True)):
        before = known.get(name)
        if old is not None and before is not None and old_stats[before] == stats:
            id = old.ids[before]
            profile, damage = old.profiles[old.profile[before]], old.damaged.get(id, "")
        else:
            try:
                header = read_header(store / "videos" / os.fsdecode(name))
            except StoreError as error:
                unreadable[f"videos/{os.fsdecode(name)}"] = str(error)
                continue
            id, damage = header.id, damage_of(header.video)
            profile = {n: State(f.key, f.status, f.reason) for n, f in header.features.items()}
        if id in rows:
            unreadable[f"videos/{os.fsdecode(name)}"] = (
                f"it has the same id {id!r} as another file of the store"
            )
            continue
        rows[id] = (row, profile)
        if damage:
            damaged[id] = damage
    return _index(seen, rows, damaged, unreadable)


def _index(
    seen: Scan,
    rows: Mapping[str, tuple[int, dict[str, State]]],
    damaged: dict[str, str],
    unreadable: dict[str, str],
) -> Index:
    ids = tuple(sorted(rows))
    order = np.array([rows[id][0] for id in ids], np.intp)
    numbers: dict[tuple[tuple[str, State], ...], int] = {}
    profile = [numbers.setdefault(tuple(sorted(rows[id][1].items())), len(numbers)) for id in ids]
    return Index(
        ids,
        seen.names[order],
        seen.stats[order],
        np.array(profile, np.int32),
        tuple(dict(items) for items in numbers),
        damaged,
        unreadable,
    )


def damage_of(video: Mapping[str, Any]) -> str:
    """Return in words what decoding lost, from the ``video`` JSON of a file; empty for a sound video.

    >>> damage_of({"counts": {"decoded": 70, "corrupt": 2, "bad_packets": 0, "damaged": True}})
    '70 frames decoded, 2 corrupt, 0 bad packets'
    >>> damage_of({"counts": {"decoded": 70, "ended_early": True, "damaged": True}})
    '70 frames decoded, ends before its stated end'
    >>> damage_of({"counts": {"decoded": 70, "damaged": False}})
    ''
    """
    counts = video.get("counts")
    if not isinstance(counts, dict) or not counts.get("damaged"):
        return ""
    words = {"decoded": "frames decoded", "corrupt": "corrupt", "bad_packets": "bad packets"}
    parts = [f"{counts[name]} {text}" for name, text in words.items() if name in counts]
    if counts.get("ended_early"):
        parts.append("ends before its stated end")
    return ", ".join(parts) or "damaged"


def _save(path: Path, index: Index) -> None:
    texts = {"ids": index.ids, "profiles": index.profiles, "damaged": index.damaged}
    arrays: dict[str, Any] = {
        name: np.frombuffer(json.dumps(v).encode(), np.uint8) for name, v in texts.items()
    }
    with replacing(path) as temporary, temporary.open("xb") as file:
        np.savez(
            file,
            format=np.int64(FORMAT),
            names=index.names,
            stats=index.stats,
            profile=index.profile,
            **arrays,
        )


def _load(path: Path) -> Index | None:
    try:
        with np.load(path, allow_pickle=False) as data:
            if int(data["format"]) != FORMAT:
                return None
            ids, profiles, damaged = (
                json.loads(data[name].tobytes()) for name in ("ids", "profiles", "damaged")
            )
            states = tuple({name: State(*state) for name, state in profile.items()} for profile in profiles)
            index = Index(tuple(ids), data["names"], data["stats"], data["profile"], states, damaged)
    except Exception:  # a cache: whatever is wrong with it, it can be made anew
        return None
    sound = index.names.shape == index.profile.shape == (len(ids),) and index.stats.shape == (len(ids), 3)
    return index if sound and (not ids or index.profile.max() < len(states)) else None
