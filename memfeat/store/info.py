"""A store at a glance."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from memfeat.store.failures import FOLDER as FAILURES
from memfeat.store.failures import scan_failures
from memfeat.store.files import leftovers
from memfeat.store.index import FOLDER as MATRICES
from memfeat.store.index import FeatureCount, load_index
from memfeat.store.labels import read_labels
from memfeat.store.manifest import read_manifest
from memfeat.store.texts import read_texts
from memfeat.weights.choice import note_of


@dataclass(frozen=True, slots=True)
class Summary:
    """What a store holds.

    Parameters
    ----------
    path, dataset, sample, notes
        The store.
    note
        What must be said wherever the labels, or features of random weights, are used; mostly empty.
    videos, bytes
        Number of readable video files and the size of all.
    features
        One entry per feature and key; two of one name mean that it was measured in two ways.
    failures
        Error type → number of recorded failures.
    damaged
        Id → what decoding lost.
    unreadable
        File → why it could not be read.
    leftovers
        Temporary files of processes that ended early; `memfeat.store.verify.verify` sweeps them.
    labels
        Target → its ``n``, ``mean``, ``std``, ``min`` and ``max`` over the rows that have it.
    splits
        Split → number of rows of labels.
    unlabelled, unextracted
        Number of videos without labels, and of labels without video.
    texts
        Field → number of ``videos`` that have a text of it and of its ``texts``.
    """

    path: Path
    dataset: str
    sample: bool
    notes: tuple[str, ...]
    note: str
    videos: int
    bytes: int
    features: tuple[FeatureCount, ...]
    failures: dict[str, int]
    damaged: dict[str, str]
    unreadable: dict[str, str]
    leftovers: tuple[Path, ...]
    labels: dict[str, dict[str, float]]
    splits: dict[str, int]
    unlabelled: int
    unextracted: int
    texts: dict[str, dict[str, int]]


def info(store: str | Path) -> Summary:
    """Summarize a store. Only files that changed since the last look are opened.

    Raises
    ------
    UsageError
        There is no store.
    StoreError
        Its description, its labels or its texts are damaged.
    """
    store = Path(store)
    manifest = read_manifest(store)
    index = load_index(store)
    failures, damaged_failures = scan_failures(store)
    labels, texts = read_labels(store), read_texts(store)
    targets: dict[str, dict[str, float]] = {}
    splits: Counter[str] = Counter()
    ids = set(index.ids)
    labelled: set[str] = set()
    if labels is not None:
        labelled = set(labels.table.index)
        for name, row in labels.statistics().iterrows():
            numbers = {key: float(row[key]) for key in ("mean", "std", "min", "max")}
            targets[str(name)] = {"n": int(row["n"]), **numbers}
        if labels.has_split:
            splits.update(labels.table["split"].dropna())
    return Summary(
        path=store,
        dataset=manifest.dataset,
        sample=manifest.sample,
        notes=manifest.notes,
        note="; ".join(
            text for text in ("" if labels is None else labels.note, *map(note_of, index.features())) if text
        ),
        videos=len(index.ids),
        bytes=int(index.stats[:, 1].sum()),
        features=tuple(index.counts()),
        failures=dict(Counter(failure.type for failure in failures)),
        damaged=index.damaged,
        unreadable=index.unreadable | {problem.where: problem.message for problem in damaged_failures},
        leftovers=tuple(all_leftovers(store)),
        labels=targets,
        splits=dict(sorted(splits.items())),
        unlabelled=len(ids - labelled) if labels is not None else 0,
        unextracted=len(labelled - ids),
        texts={
            name: {"videos": len(of), "texts": sum(map(len, of.values()))}
            for name, of in (texts or {}).items()
        },
    )


def all_leftovers(store: Path, *, older_than: float = 0.0) -> list[Path]:
    """Return the temporary files anywhere in a store, written at least `older_than` seconds ago."""
    folders = [store, store / MATRICES, *store.glob("videos/*"), *store.glob(f"{FAILURES}/*")]
    return [path for folder in folders for path in leftovers(folder, older_than=older_than)]
