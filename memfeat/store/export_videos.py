"""One ``.npy`` per video, as organisers ship features: (T, D) where frames are kept, else (D,)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from memfeat.errors import UsageError, nearest
from memfeat.store.feature_store import FeatureStore
from memfeat.store.files import make_folder, replacing
from memfeat.store.index import load_index
from memfeat.store.matrix import parse_column

_SHOWN = 3
_FORBIDDEN = set('\\:*?"<>|')
# Devices of Windows, which a file there cannot be called, whatever its suffix.
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{name}{number}" for name in ("com", "lpt") for number in range(1, 10)),
}


@dataclass(frozen=True, slots=True)
class ExportedVideos:
    """What an export of one file per video wrote.

    Parameters
    ----------
    folder
        Where the files lie.
    ids
        Of the videos written, in order.
    missing
        Id → why it has no file.
    """

    folder: Path
    ids: tuple[str, ...]
    missing: dict[str, str]


def export_videos(store: str | Path | FeatureStore, column: str, folder: str | Path) -> ExportedVideos:
    """Write ``<folder>/<column>/<id>.npy`` for every video that has a feature.

    Parameters
    ----------
    store
        Folder of a store, or a `FeatureStore`.
    column
        ``feature``: its values as they are stored, (), (T,) or (T, D), or its mean (D,) where frames are not kept.
        ``feature:reduction``: that reduction, (width,), in ``<folder>/<feature>-<reduction>``.
    folder
        Where to write; files of the same name are replaced. Ids with ``/`` become folders.

    Raises
    ------
    UsageError
        No video has the feature or it lacks the reduction; an id cannot be the name of a file on every system, or two
        ids would share one. Nothing was written then.
    SetupError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from memfeat.store.commit import commit
    >>> from memfeat.store.record import FeatureRecord
    >>> from memfeat.store.source import Source
    >>> tmp = tempfile.TemporaryDirectory()
    >>> store = FeatureStore.create(Path(tmp.name, "store"), dataset="demo")
    >>> clip = FeatureRecord("clip", "k", {"values": np.ones((3, 5))}, source=Source.nothing(), imported=True)
    >>> _ = commit(store.path, "a.mp4", source=None, video=None, features=[clip])
    >>> done = export_videos(store, "clip", Path(tmp.name, "out"))
    >>> np.load(done.folder / "a.mp4.npy").shape
    (3, 5)
    >>> tmp.cleanup()
    """
    store = store if isinstance(store, FeatureStore) else FeatureStore(store)
    feature, reduction = parse_column(column)
    whole = ":" not in column
    known = list(dict.fromkeys(store.features().index))
    if feature not in known:
        raise UsageError(
            f"No video of {store.path} has the feature {feature!r}; they have {', '.join(known) or 'none'}."
            f"{nearest(feature, known)}"
        )
    ids, missing = _having(store, feature)
    _check_names(ids)
    target = Path(folder, feature if whole else f"{feature}-{reduction}")
    for id in ids:
        record = store.load(id, only=[feature])[feature]
        array = record.arrays["values"] if whole and "values" in record.arrays else record.reduce(reduction)
        path = target / f"{id}.npy"
        make_folder(path.parent)
        with replacing(path) as temporary, temporary.open("xb") as file:
            np.save(file, array, allow_pickle=False)
    return ExportedVideos(target, ids, missing)


def _having(store: FeatureStore, feature: str) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the ids whose feature has values, and why the others have none."""
    index = load_index(store.path)
    states = index.states(feature)
    missing: dict[str, str] = {}
    for id in store.ids:
        state = states[index.rows[id]]
        if state is None:
            missing[id] = f"not extracted: {feature}"
        elif state.status != "ok":
            missing[id] = f"not applicable: {state.reason}"
    ids = tuple(id for id in store.ids if id not in missing)
    if not ids:
        listed = ", ".join(f"{id} ({why})" for id, why in list(missing.items())[:_SHOWN])
        raise UsageError(f"Not one video of {store.path} has values of {feature!r}: {listed}.")
    return ids, missing


def _check_names(ids: Sequence[str]) -> None:
    """Refuse ids that would leave the folder, or that no file can be called everywhere."""
    for id in ids:
        parts = PurePosixPath(id).parts
        reserved = any(part.split(".")[0].lower() in _DEVICES or part.endswith((".", " ")) for part in parts)
        if "/".join(parts) != id or ".." in parts or id.startswith("/") or set(id) & _FORBIDDEN or reserved:
            raise UsageError(
                f"The id {id!r} cannot be the name of a file on every system. Export a table with a row per video, "
                "such as .npz, which keeps ids as they are."
            )
    alike: dict[str, str] = {}
    for id in ids:
        if (other := alike.setdefault(id.casefold(), id)) != id:
            raise UsageError(
                f"{other!r} and {id!r} would be one file where case does not matter. Export a table with a row per "
                "video, such as .npz."
            )
