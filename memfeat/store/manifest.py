"""``store.json``: what a store holds and how its ids were made; creating and finding stores."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from memfeat.errors import SetupError, StoreError, UsageError
from memfeat.store import schema
from memfeat.store.files import locked, write_atomically

FILE_NAME = "store.json"
PATH_IDS = "POSIX path relative to the video folder, extension kept, NFC"


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a store.

    Parameters
    ----------
    dataset
        Name of the dataset.
    sample
        True for stores that only show the format; they are never picked as a default.
    ids
        How ids were made, in words.
    notes
        Sentences a reader of the store should see.
    labels
        Roles, origin and hash of ``labels.csv``, or None (written by `memfeat.store.labels`).
    texts
        Fields, origin and hash of ``texts.csv``, or None (written by `memfeat.store.texts`).
    extra
        Anything else, JSON-able.
    schema
        Version of the format.
    """

    dataset: str
    sample: bool = False
    ids: str = PATH_IDS
    notes: tuple[str, ...] = ()
    labels: dict[str, Any] | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    schema: int = schema.SCHEMA
    texts: dict[str, Any] | None = None

    def to_json(self) -> str:
        """Return the text of ``store.json``."""
        data = {
            name: getattr(self, name)
            for name in ("schema", "dataset", "sample", "ids", "notes", "labels", "texts", "extra")
        }
        return json.dumps(data, indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str, where: object = FILE_NAME) -> Manifest:
        """Return the description in a ``store.json``, upgraded from older versions.

        >>> Manifest.from_json('{"schema": 1, "dataset": "demo"}').sample
        False

        Raises
        ------
        StoreError
            It is no JSON object of this kind, or (NewerSchemaError) of a later version.
        """
        try:
            data = json.loads(text)
        except ValueError as error:
            raise StoreError(f"{where} is not valid JSON ({error}). Restore it from a copy.") from error
        if not isinstance(data, dict):
            raise StoreError(f"{where} holds a {type(data).__name__}; a JSON object is needed.")
        data = schema.upgraded(data, where)
        values: dict[str, Any] = {
            "dataset": data.get("dataset"),
            "sample": data.get("sample", False),
            "ids": data.get("ids", PATH_IDS),
            "notes": data.get("notes", []),
            "labels": data.get("labels"),
            "texts": data.get("texts"),
            "extra": data.get("extra", {}),
        }
        kinds: dict[str, type | tuple[type, ...]] = {
            "dataset": str,
            "sample": bool,
            "ids": str,
            "notes": list,
            "labels": (dict, type(None)),
            "texts": (dict, type(None)),
            "extra": dict,
        }
        for name, kind in kinds.items():
            if not isinstance(values[name], kind):
                raise StoreError(f"{where}: {name!r} is {values[name]!r}. Restore the file from a copy.")
        return cls(**{**values, "notes": tuple(map(str, values["notes"]))})


def is_store(path: str | Path) -> bool:
    """Return whether a folder holds a ``store.json``; SetupError when it may not be looked into."""
    try:
        return Path(path, FILE_NAME).is_file()
    except OSError as error:
        raise SetupError(f"{path} cannot be looked into: {error.strerror}. Check its permissions.") from error


def read_manifest(store: str | Path) -> Manifest:
    """Return the description of the store in a folder.

    Raises
    ------
    UsageError
        There is no store there; the message lists the stores nearby.
    StoreError
        Its ``store.json`` is damaged, or (NewerSchemaError) of a later version.
    """
    path = Path(store, FILE_NAME)
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise UsageError(f"{_nothing(Path(store))}{_nearby(Path(store))}") from error
    except UnicodeDecodeError as error:
        raise StoreError(f"{path} is not UTF-8 text. Restore it from a copy.") from error
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error}. Check its permissions.") from error
    return Manifest.from_json(text, path)


def write_manifest(store: str | Path, manifest: Manifest) -> None:
    """Write ``store.json``, whole or not at all."""
    write_atomically(Path(store, FILE_NAME), manifest.to_json())


def update_manifest(store: str | Path, change: Callable[[Manifest], Manifest]) -> Manifest:
    """Read, change and write ``store.json`` under the store's lock; return the new description."""
    read_manifest(store)  # before the lock would create a folder where no store is
    with locked(Path(store)):
        manifest = change(read_manifest(store))
        write_manifest(store, manifest)
    return manifest


def create_store(
    path: str | Path,
    *,
    dataset: str,
    sample: bool = False,
    ids: str = PATH_IDS,
    notes: tuple[str, ...] = (),
    extra: Mapping[str, Any] | None = None,
    exist_ok: bool = False,
) -> Manifest:
    """Make an empty store, or with `exist_ok` return the description of the one of that dataset.

    Raises
    ------
    UsageError
        A store is there already (with `exist_ok`: of another dataset), or the dataset has no name.
    SetupError
        The folder cannot be written.
    """
    path = Path(path)
    if not dataset.strip():
        raise UsageError("A store needs the name of its dataset; got an empty one.")
    if path.exists() and not path.is_dir():
        raise UsageError(f"{path} is a file; a store is a folder. Choose another path.")
    wanted = Manifest(dataset, sample, ids, tuple(notes), None, dict(extra or {}))
    with locked(path):
        if not is_store(path):
            write_manifest(path, wanted)
            return wanted
        there = read_manifest(path)
    if not exist_ok:
        raise UsageError(
            f"{path} already holds a store of the dataset {there.dataset!r}. Open it, or choose another path."
        )
    if there.dataset != dataset:
        raise UsageError(f"{path} holds the dataset {there.dataset!r}, not {dataset!r}. Choose another path.")
    return there


def find_stores(folder: str | Path = "features") -> list[Path]:
    """Return the stores directly in a folder, by name; samples too."""
    folder = Path(folder)
    return sorted(path.parent for path in folder.glob(f"*/{FILE_NAME}")) if folder.is_dir() else []


def default_store(folder: str | Path = "features") -> Path:
    """Return the one store in a folder that is no sample.

    Raises
    ------
    UsageError
        There is none, or more than one; the message lists the choices.
    """
    choices: list[Path] = []
    samples: list[Path] = []
    for path in find_stores(folder):
        (samples if read_manifest(path).sample else choices).append(path)
    if len(choices) == 1:
        return choices[0]
    if choices:
        raise UsageError(f"Several stores lie in {folder}: {_names(choices)}. Say which one is meant.")
    also = f" (the sample {_names(samples)} must be asked for by name)" if samples else ""
    raise UsageError(f"There is no store in {folder}{also}. Make one with `memfeat extract`.")


def _names(paths: list[Path]) -> str:
    return ", ".join(str(path) for path in paths)


def _nothing(store: Path) -> str:
    if not store.exists():
        return f"There is no folder {store}."
    if not store.is_dir():
        return f"{store} is a file; a store is a folder with a {FILE_NAME}."
    return f"{store} is no store: it has no {FILE_NAME}."


def _nearby(store: Path) -> str:
    found = find_stores(store) or find_stores(store.parent) or find_stores("features")
    return f" Stores nearby: {_names(found)}." if found else " Make one with `memfeat extract`."
