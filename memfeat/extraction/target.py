"""The store that a job fills: that it is the right one, can be written, and has the dataset's labels and texts."""

from __future__ import annotations

import shutil
from pathlib import Path

from memfeat.dataset import Dataset
from memfeat.errors import SetupError, UsageError
from memfeat.store.feature_store import FeatureStore
from memfeat.store.labels import read_labels, write_labels
from memfeat.store.manifest import is_store, read_manifest
from memfeat.store.texts import write_texts

_LEAST_FREE_BYTES = 50 * 2**20


def check_content(dataset: Dataset, *, labels_only: bool) -> None:
    """Raise UsageError unless the dataset has what is to be put into a store: files, or labels or texts alone."""
    has = [] if dataset.labels is None else [f"labels of {len(dataset.labels.table)} videos"]
    has += [f"{name} of {len(of)}" for name, of in (dataset.texts or {}).items()]
    if labels_only and not has:
        raise UsageError(f"{dataset.name!r} has neither labels nor texts. Name its table in the recipe.")
    if not labels_only and not dataset.files:
        only = f" (only {', '.join(has)})" if has else ""
        also = ", or take what there is with --labels-only" if has else ""
        raise UsageError(
            f"{dataset.name!r} has no video or image to measure{only}. Give the folder that holds them with "
            f"--root{also}."
        )


def what_stays_and_goes(root: Path, dataset: Dataset) -> list[str]:
    """Return remarks on a store that is filled again from other files or another table than before; changes nothing.

    Two folders whose datasets have one name share a store, and a shorter table takes the place of a longer one.

    Raises
    ------
    StoreError
        The store is damaged.
    """
    if not is_store(root) or read_manifest(root).dataset != dataset.name:
        return []
    remarks = []
    others = sorted(set(FeatureStore(root)) - dataset.files.keys()) if dataset.files else []
    if others:
        remarks.append(
            f"{root} holds {len(others)} of its videos from before that are not among these files, such as "
            f"{others[0]}; they stay. For other videos, give another --name or --out."
        )
    before = None if dataset.labels is None else read_labels(root)
    if before is not None and dataset.labels is not None:
        gone = before.table.index.difference(dataset.labels.table.index)
        if len(gone):
            remarks.append(
                f"{len(before.table)} labels in {root} are replaced by {len(dataset.labels.table)}; {len(gone)} videos "
                f"lose theirs, such as {gone[0]}."
            )
    return remarks


def prepare_store(root: Path, dataset: Dataset, *, sample: bool = False) -> None:
    """Make the store, or check that it is the dataset's, and bring its labels and texts up to date.

    Raises
    ------
    UsageError
        The folder holds something else than a store, or a store of another dataset.
    SetupError
        It cannot be written.
    """
    if is_store(root):
        other = read_manifest(root).dataset
        if other != dataset.name:
            raise UsageError(
                f"{root} is the store of the dataset {other!r}, not of {dataset.name!r}. Give another folder with "
                f"--out, or the same name with --name {other}."
            )
    elif root.is_dir() and any(root.iterdir()):
        raise UsageError(f"{root} is not empty and no feature store. Give a new or empty folder with --out.")
    try:
        FeatureStore.create(root, dataset=dataset.name, sample=sample, ids=dataset.ids, exist_ok=True)
        free = shutil.disk_usage(root).free
    except OSError as error:
        raise SetupError(f"The store {root} cannot be written: {error}.") from error
    if free < _LEAST_FREE_BYTES:
        raise SetupError(f"Only {free / 2**20:.0f} MB are free at {root}; memfeat wants at least 50.")
    if dataset.labels is not None:
        write_labels(root, dataset.labels)
    if dataset.texts is not None:
        write_texts(root, dataset.texts)
