"""Rows for a model: features and scores of one store, aligned by id, and an account of every row left out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError, nearest
from memfeat.evaluation.assemble import Wanted, assemble, resolve
from memfeat.evaluation.folds import joined
from memfeat.evaluation.frames import is_of_frames
from memfeat.evaluation.pipeline import Block
from memfeat.evaluation.preparation import Blocks
from memfeat.store.feature_store import FeatureStore
from memfeat.store.index import load_index
from memfeat.store.labels import SPLIT
from memfeat.store.matrix import Matrix
from memfeat.weights.choice import note_of

if TYPE_CHECKING:
    import pandas as pd

NO_SCORE = "no score"
NOT_FINITE = "a feature value is not finite"


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled videos with their features, in order of their ids."""

    ids: tuple[str, ...]
    target: str
    y: npt.NDArray[np.float64]
    """True scores, shape (n,)."""
    X: Blocks
    """Features, shape (n, sum of widths), one array per column of the store."""
    blocks: tuple[Block, ...]
    split: tuple[str | None, ...] | None
    group: tuple[str | None, ...] | None
    unlabelled: tuple[str | None, ...]
    """Splits of the rows that have no score."""
    named: dict[str, tuple[str | None, ...]]
    """Further splits of the dataset, by name."""
    unlabelled_named: dict[str, tuple[str | None, ...]]
    left_out: dict[str, tuple[str, ...]]
    """Ids by the reason why they are not among the rows."""
    notes: tuple[str, ...]


def open_store(store: FeatureStore | str | Path) -> FeatureStore:
    """Return the store itself, opened when a path is given."""
    return store if isinstance(store, FeatureStore) else FeatureStore(store)


def choose_target(store: FeatureStore, target: str | None) -> str:
    """Return the target to use: the one asked for, or the only one.

    Raises
    ------
    UsageError
        There are no labels, no such target, or several and none was named.
    """
    labels = store.read_labels()
    if labels is None or not labels.targets:
        raise UsageError(f"The store {store.path} has no scores. Extract again with a table of scores.")
    listed = ", ".join(labels.targets)
    if target is None:
        if len(labels.targets) > 1:
            raise UsageError(
                f"{store.dataset} has several targets: {listed}. Name one with target=... (--target)."
            )
        return labels.targets[0]
    if target not in labels.targets:
        raise UsageError(
            f"{store.dataset} has no target {target!r}; it has {listed}.{nearest(target, labels.targets)}"
        )
    return target


def gather(
    store: FeatureStore,
    *,
    target: str,
    columns: Sequence[str] | None = None,
    choose: Callable[[Collection[str]], list[str]] | None = None,
    group_by: str | None = None,
    fitting: bool = True,
) -> Rows:
    """Return every labelled row that has all columns, and to which all of them apply.

    A feature that applies to no row at all is left out, and said in a note.

    Parameters
    ----------
    store
        A store, or a view of one (`FeatureStore.filter`). Where texts alone are asked for, it needs no videos.
    target
        Name of the score.
    columns
        ``feature[:reduction][@preparation]`` (`memfeat.evaluation.columns`). A name that is no feature's is a
        field of texts, such as ``captions``. None takes the mean of every feature that is stored for all
        labelled videos, and says in a note which those are and which it leaves aside.
    choose
        A model's own choice (`memfeat.models.ModelSpec.columns`), made among those features when no columns
        are named.
    group_by
        What makes a group: ``group``, the column of the labels; a field of texts, such as titles or
        categories, where rows that share a text are one group; ``none``. None: ``group`` where there is one.
    fitting
        False where rows are only predicted: classes, which fitting alone looks at, may then be missing.

    Raises
    ------
    UsageError
        No labelled row remains, there is nothing to group by under that name, or a column cannot be had
        (`memfeat.evaluation.assemble.resolve`).
    StoreError
        A file of the store is damaged.
    """
    table = store.labels
    scores = {str(i): float(v) for i, v in table[target].items()}
    labelled = sorted(i for i, v in scores.items() if np.isfinite(v))
    wanted = None if columns is None else resolve(store, columns, fitting=fitting)
    fields = {
        column.texts: store.texts[column.texts] for column in wanted or () if column.texts and store.texts
    }
    # Where texts alone are asked for, rows are those with texts, and videos are not looked at.
    by_text = wanted is not None and all(column.texts for column in wanted)
    stored = sorted({i for of in fields.values() for i in of}) if by_text else store.ids
    left_out: dict[str, tuple[str, ...]] = {}
    _leave(left_out, NO_SCORE, [i for i in stored if not np.isfinite(scores.get(i, np.nan))])
    present = sorted(set(labelled) & set(stored))
    if not present:
        what = "text" if by_text else "video"
        raise UsageError(
            f"No {what} of {store.dataset} has a value of {target!r}: {len(stored)} {what}s, {len(labelled)} "
            f"values, none in common. Check how labels were matched.{_or_texts(store) if wanted is None else ''}"
        )
    notes: list[str] = []
    if wanted is None:
        columns, notes = _complete_features(store, present, choose)
        wanted = resolve(store, columns)
    matrix, ids = None, tuple(labelled)
    if not by_text:
        reads = [name for column in wanted for name in column.reads]
        stills = _not_applicable(store, labelled, list(dict.fromkeys(column.feature for column in wanted)))
        for reason in sorted(set(stills.values())):
            _leave(left_out, reason, [i for i, why in stills.items() if why == reason])
        usable = [i for i in labelled if i not in stills]
        if stills and not set(usable) & set(stored):
            raise UsageError(_none_usable(store, wanted, left_out))
        matrix = store.filter(ids=usable).matrix(list(dict.fromkeys(reads)))
        missing = {i: NOT_FINITE if "is not finite" in why else why for i, why in matrix.missing.items()}
        for reason in sorted(set(missing.values())):
            _leave(left_out, reason, [i for i, why in missing.items() if why == reason])
        notes += [f"{name} is left out: {reason}" for name, reason in matrix.dropped.items()]
        matrix = _finite(matrix, left_out)
        ids = matrix.ids
    for field, of in fields.items():
        _leave(left_out, f"no {field}", [i for i in ids if i not in of])
        ids = tuple(i for i in ids if i in of)
    if not ids:
        raise UsageError(_none_usable(store, wanted, left_out))
    blocks, X = assemble(store, wanted, ids, None if matrix is None else matrix.take(ids))
    column = _texts(table, ids)
    unscored = [i for i in table.index.map(str) if not np.isfinite(scores[i])]
    named = {c.removeprefix(SPLIT): c for c in table.columns.map(str) if c.startswith(SPLIT)}
    return Rows(
        ids=ids,
        target=target,
        y=np.array([scores[i] for i in ids]),
        X=X,
        blocks=blocks,
        split=column("split"),
        group=_groups(store, column("group"), ids, group_by),
        unlabelled=_texts(table, unscored)("split") or (),
        named={name: column(c) for name, c in named.items()},
        unlabelled_named={name: _texts(table, unscored)(c) for name, c in named.items()},
        left_out=left_out,
        notes=tuple(notes),
    )


def damage(store: FeatureStore, ids: Sequence[str]) -> dict[str, str]:
    """Return what was lost in decoding, in words, of the damaged videos among `ids`."""
    known = load_index(store.path).damaged
    return {i: known[i] for i in ids if i in known}


def caution(of_store: str, blocks: Iterable[Block]) -> str:
    """Return what must be said beside every figure: of the scores, and of features of random weights."""
    features = dict.fromkeys(block.feature for block in blocks)
    return "; ".join(text for text in (of_store, *map(note_of, features)) if text)


def _leave(left_out: dict[str, tuple[str, ...]], reason: str, ids: Sequence[str]) -> None:
    if ids:
        left_out[reason] = tuple(sorted({*left_out.get(reason, ()), *ids}))


def _not_applicable(store: FeatureStore, ids: Sequence[str], features: Sequence[str]) -> dict[str, str]:
    """Return why a feature does not apply to a video, by id, where it applies to others that have all features."""
    index = load_index(store.path)
    names = [name for name in features if any(name in profile for profile in index.profiles)]
    numbers = {i: int(index.profile[row]) for i in ids if (row := index.rows.get(i)) is not None}
    # Most files say the same, so what applies is looked up once for each of the few things that they say.
    whole = {k: index.profiles[k] for k in {*numbers.values()} if index.profiles[k].keys() >= {*names}}
    # A feature that applies to none is a column less, and no reason to leave out every video.
    names = [name for name in names if any(states[name].status == "ok" for states in whole.values())]
    why = {
        k: "; ".join(
            f"{name} is not applicable: {states[name].reason}"
            for name in names
            if states[name].status != "ok"
        )
        for k, states in whole.items()
    }
    return {i: why[k] for i, k in numbers.items() if why.get(k)}


def _none_usable(store: FeatureStore, wanted: Sequence[Wanted], left_out: Mapping[str, Sequence[str]]) -> str:
    account = "; ".join(f"{len(out)} {reason}" for reason, out in left_out.items())
    return f"No row of {store.dataset} can be used with {', '.join(column.name for column in wanted)}: {account}."


def _complete_features(
    store: FeatureStore, ids: Sequence[str], choose: Callable[[Collection[str]], list[str]] | None
) -> tuple[list[str], list[str]]:
    """Return the features that every video has (or that apply to none), and what to tell of the others."""
    table = store.filter(ids=list(ids)).features().groupby(level=0)[["videos", "not_applicable"]].sum()
    counts = {str(name): (int(row["videos"]), int(row["not_applicable"])) for name, row in table.iterrows()}
    complete = sorted(name for name, count in counts.items() if len(ids) in count)
    if not any(counts[name][0] for name in complete):
        listed = ", ".join(f"{name} {count}" for name, (count, _) in counts.items()) or "none"
        raise UsageError(
            f"No feature is stored for all {len(ids)} labelled videos of {store.dataset} (videos by feature: "
            f"{listed}). Extract the rest, or name the features and leave videos without them out with missing='drop' "
            f"(--missing drop).{_or_texts(store)}"
        )
    if choose is not None:
        chosen = choose([name for name in complete if counts[name][0]])
        return chosen, [f"no features were named: the model takes {', '.join(chosen)}"]
    used = ", ".join(name for name in complete if counts[name][0])
    notes = [f"no features were named: all that every labelled video has are used ({used})"]
    partial = [f"{name} ({counts[name][0]} of {len(ids)})" for name in counts if name not in complete]
    if partial:
        notes.append(f"not used, because some labelled videos lack them: {', '.join(partial)}")
    return complete, notes


def _or_texts(store: FeatureStore) -> str:
    return (
        f" It has the texts {', '.join(store.texts)}, which can be named as features are."
        if store.texts
        else ""
    )


def _finite(matrix: Matrix, left_out: dict[str, tuple[str, ...]]) -> Matrix:
    good = np.ones(len(matrix.ids), dtype=bool)
    for column in matrix.columns:
        block = matrix.block(column.name)
        if is_of_frames(column.reduction):
            # NaN stands for frames that a shorter video does not have.
            good &= ~np.isinf(block).any(axis=1) & ~np.isnan(block[:, 0])
        else:
            good &= np.isfinite(block).all(axis=1)
    if good.all():
        return matrix
    _leave(left_out, NOT_FINITE, [i for i, fine in zip(matrix.ids, good, strict=True) if not fine])
    kept = [i for i, fine in zip(matrix.ids, good, strict=True) if fine]
    if not kept:
        raise UsageError("Every row has a feature value that is not finite. Extract the features again.")
    return matrix.take(kept)


def _texts(table: pd.DataFrame, ids: Sequence[str]) -> Any:
    def column(name: str) -> tuple[str | None, ...] | None:
        if name not in table.columns:
            return None
        return tuple(v if isinstance(v, str) and v else None for v in table[name].reindex(list(ids)))

    return column


def _groups(
    store: FeatureStore, group: tuple[str | None, ...] | None, ids: Sequence[str], group_by: str | None
) -> tuple[str | None, ...] | None:
    if group_by is None:
        return group
    if group_by == "none":
        return None
    if group_by == "group" and group is not None:
        return group
    texts: Mapping[str, Mapping[str, Sequence[str]]] = store.texts or {}
    if group_by in texts:
        return tuple(joined([texts[group_by].get(i, ()) for i in ids]))
    known = [*(["group"] if group is not None else []), *texts, "none"]
    raise UsageError(
        f"{store.dataset} has nothing called {group_by!r} to group rows by (--group-by); there is "
        f"{', '.join(known)}.{nearest(group_by, known)}"
    )
