"""`FeatureStore`: a store in a notebook, as a mapping from id to record and a source of aligned tables."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from memfeat.errors import StoreError, UsageError, nearest
from memfeat.store.failures import Failure, list_failures
from memfeat.store.index import Index, load_index
from memfeat.store.labels import Labels, read_labels, write_labels
from memfeat.store.manifest import PATH_IDS, Manifest, create_store, read_manifest
from memfeat.store.matrix import Matrix, Missing, load_matrix
from memfeat.store.naming import video_path
from memfeat.store.record import VideoRecord, read_video
from memfeat.store.texts import Texts, read_texts, write_texts

Where = str | Callable[[pd.DataFrame], "pd.Series[bool]"]


class UnknownIdError(UsageError, KeyError):
    """The store has no features of a video with that id."""

    __str__ = Exception.__str__  # KeyError would show the message in quotes


class FeatureStore(Mapping[str, VideoRecord]):
    """The features of a dataset: ``store[id]`` is one video, ``store.matrix([...])`` all of them.

    Parameters
    ----------
    path
        Folder of the store.

    Raises
    ------
    UsageError
        There is no store; the message lists those nearby.
    StoreError
        Its description is damaged or of a newer schema.

    Examples
    --------
    >>> import tempfile, numpy as np
    >>> from memfeat.store.commit import commit
    >>> from memfeat.store.record import FeatureRecord
    >>> from memfeat.store.source import Source
    >>> folder = tempfile.TemporaryDirectory()
    >>> store = FeatureStore.create(folder.name, dataset="demo")
    >>> source = Source(9, 0, "ab" * 32)
    >>> arrays = {"values": np.array([1.0, 3.0]), "times": np.array([0.0, 0.04])}
    >>> contrast = FeatureRecord("contrast", "k1", arrays)
    >>> _ = commit(store.path, "a.mp4", source=source, video={}, features=[contrast])
    >>> store["a.mp4"]["contrast"].mean
    array([2.])
    >>> store.matrix(["contrast", "contrast:std"]).to_pandas().loc["a.mp4"].tolist()
    [2.0, 1.0]
    >>> store
    <FeatureStore demo: 1 videos; contrast>
    >>> folder.cleanup()
    """

    # A mapping would compare by reading every file.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.manifest: Manifest = read_manifest(self.path)
        self._labels: Labels | None = None
        self._texts: Texts | None = None
        self._wanted: dict[str, None] | None = None  # an ordered set

    @classmethod
    def create(
        cls,
        path: str | Path,
        *,
        dataset: str,
        sample: bool = False,
        ids: str = PATH_IDS,
        notes: Sequence[str] = (),
        extra: Mapping[str, Any] | None = None,
        labels: Labels | None = None,
        texts: Texts | None = None,
        exist_ok: bool = False,
    ) -> FeatureStore:
        """Make an empty store; with `exist_ok` open the one of that dataset instead.

        `labels` and `texts`, where given, take the place of those the store has. The rest is described at
        `memfeat.store.manifest.Manifest`.

        Raises
        ------
        UsageError
            A store is there already (with `exist_ok`: of another dataset).
        SetupError
            The folder cannot be written.
        """
        create_store(
            path, dataset=dataset, sample=sample, ids=ids, notes=tuple(notes), extra=extra, exist_ok=exist_ok
        )
        if labels is not None:
            write_labels(path, labels)
        if texts is not None:
            write_texts(path, texts)
        return cls(path)

    @property
    def dataset(self) -> str:
        """Name of the dataset."""
        return self.manifest.dataset

    @property
    def sample(self) -> bool:
        """Whether the store only shows the format."""
        return self.manifest.sample

    @property
    def note(self) -> str:
        """What must be said wherever the labels are used, such as that they are synthetic; mostly empty."""
        return str((self.manifest.labels or {}).get("note", ""))

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of this view that have features, sorted, or in the order given to `filter`."""
        index = self._index()
        return index.ids if self._wanted is None else tuple(id for id in self._wanted if id in index.rows)

    @property
    def known_ids(self) -> tuple[str, ...]:
        """The ids of this view that anything is known of: features, labels, texts or a failure."""
        if self._wanted is not None:
            return tuple(self._wanted)
        texts = self.texts
        failed = (failure.id for failure in self.failures())
        known = {*self.ids, *self.labels.index, *failed, *(texts.ids if texts is not None else ())}
        return tuple(sorted(known))

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        return iter(self.ids)

    def __contains__(self, id: object) -> bool:
        if not isinstance(id, str) or (self._wanted is not None and id not in self._wanted):
            return False
        return video_path(self.path, id).exists()

    def __getitem__(self, id: str) -> VideoRecord:
        return self.load(id)

    def load(self, id: str, *, only: Collection[str] | None = None) -> VideoRecord:
        """Read one video, or only some of its features.

        Raises
        ------
        UnknownIdError
            The view has no such video (a UsageError and a KeyError).
        StoreError
            Its file cannot be read.
        """
        if id not in self:
            ids = self.ids
            close = nearest(id, ids) if isinstance(id, str) else ""
            raise UnknownIdError(f"{self.path} has no features of {id!r} among its {len(ids)} videos.{close}")
        record = read_video(video_path(self.path, id), only=only)
        if record.id != id:
            raise StoreError(
                f"{record.path} belongs to {record.id!r}, not {id!r}. Run `memfeat store verify`."
            )
        return record

    def features(self) -> pd.DataFrame:
        """Return what the videos of this view have.

        Returns
        -------
        pandas.DataFrame
            One row per feature and key, indexed by feature: ``key``, ``videos`` (with values) and
            ``not_applicable``. Two rows of one name mean that it was measured in two ways.
        """
        index = self._index()
        rows = None if self._wanted is None else [index.rows[id] for id in self.ids]
        table = [asdict(count) for count in index.counts(rows)]
        columns = ["name", "key", "videos", "not_applicable"]
        return pd.DataFrame(table, columns=columns).set_index("name").rename_axis("feature")

    @property
    def labels(self) -> pd.DataFrame:
        """The labels of this view, indexed by id, also of videos without features; maybe empty."""
        labels = self.read_labels()
        if labels is None:
            return pd.DataFrame(index=pd.Index([], dtype=object, name="id"))
        if self._wanted is None:
            return labels.table.copy()
        return labels.table.loc[[id for id in self._wanted if id in labels.table.index]]

    def read_labels(self) -> Labels | None:
        """Return all labels with their roles and note, or None when the store has none."""
        if self._labels is None:
            self._labels = read_labels(self.path)
        return self._labels

    @property
    def texts(self) -> Texts | None:
        """Captions and other texts of this view, also of videos without features; None without any."""
        if self._texts is None:
            self._texts = read_texts(self.path)
        if self._texts is None or self._wanted is None:
            return self._texts
        return self._texts.only(self._wanted)

    def failures(self) -> list[Failure]:
        """Return the failures on record for the videos of this view."""
        wanted = None if self._wanted is None else set(self._wanted)
        return [failure for failure in list_failures(self.path) if wanted is None or failure.id in wanted]

    def filter(
        self, *, split: str | None = None, ids: Sequence[str] | None = None, where: Where | None = None
    ) -> FeatureStore:
        """Return a view of some videos; conditions are combined.

        Parameters
        ----------
        split
            Rows of that split.
        ids
            These ids, in this order; of features, labels and texts they may lack some, but not all.
        where
            A query over the columns of the labels, such as ``"score > 0.5"``, or a function from the table of
            labels to a column of booleans.

        Raises
        ------
        UsageError
            The split or an id is unknown, or the condition cannot be evaluated.
        """
        labels = self.labels
        wanted = list(self.known_ids)
        if ids is not None:
            if unknown := sorted(set(ids) - set(wanted)):
                close = nearest(unknown[0], wanted)
                raise UsageError(f"{len(unknown)} ids are not in {self.path}, such as {unknown[0]!r}.{close}")
            wanted = list(dict.fromkeys(ids))
        if split is not None:
            splits = labels["split"] if "split" in labels else pd.Series(dtype=object)
            chosen = set(splits.index[splits == split])
            if not chosen:
                known = sorted(splits.dropna().unique())
                raise UsageError(f"{self.path} has no split {split!r}; it has {', '.join(known) or 'none'}.")
            wanted = [id for id in wanted if id in chosen]
        if where is not None:
            chosen = set(_matching(labels, where))
            wanted = [id for id in wanted if id in chosen]
        view = FeatureStore(self.path)
        view._labels, view._texts = self._labels, self._texts
        view._wanted = dict.fromkeys(wanted)
        return view

    def matrix(self, columns: Sequence[str], *, missing: Missing = "drop", cache: bool = True) -> Matrix:
        """Return columns for the videos of this view; see `memfeat.store.matrix.load_matrix`."""
        wanted = None if self._wanted is None else tuple(self._wanted)
        return load_matrix(self.path, columns, ids=wanted, missing=missing, cache=cache)

    def to_pandas(self, columns: Sequence[str], *, missing: Missing = "drop") -> pd.DataFrame:
        """Return columns and labels in one DataFrame, joined by id; unknown labels are missing values.

        Raises
        ------
        UsageError
            A label has the name of a column.
        """
        table, labels = self.matrix(columns, missing=missing).to_pandas(), self.labels
        if twice := sorted({*table.columns} & {*labels.columns}):
            raise UsageError(
                f"A feature and a label are called {twice[0]!r}. Use `matrix` and `labels` apart."
            )
        return table.join(labels, how="left")

    def _index(self) -> Index:
        return load_index(self.path)

    def __repr__(self) -> str:
        names = list(dict.fromkeys(self.features().index))
        view = "" if self._wanted is None else f" of {len(self._wanted)} chosen"
        note = f"; {self.note}" if self.note else ""
        sample = " (sample)" if self.sample else ""
        size = f"{len(self)}{view} videos"
        return f"<FeatureStore {self.dataset}{sample}: {size}; {', '.join(names) or 'empty'}{note}>"


def _matching(labels: pd.DataFrame, where: Where) -> list[str]:
    try:
        mask = labels.eval(where, engine="python") if isinstance(where, str) else where(labels)
        mask = np.asarray(mask)
    except Exception as error:  # the condition is the caller's own code
        columns = ", ".join(labels.columns) or "none"
        raise UsageError(f"where={where!r} fails on labels with the columns {columns}: {error}.") from error
    if mask.shape != (len(labels),) or mask.dtype != np.bool_:
        raise UsageError(
            f"where must give one boolean per row of labels; got {mask.dtype} of shape {mask.shape}."
        )
    return list(labels.index[mask])
