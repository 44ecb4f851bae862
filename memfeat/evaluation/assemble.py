"""From names of columns to arrays: what a store holds under each name, and the rows of it side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError, nearest
from memfeat.evaluation import frames, preparations
from memfeat.evaluation.columns import TEXT, ColumnName, parse_columns
from memfeat.evaluation.pipeline import Block, preparation_of
from memfeat.evaluation.preparation import Blocks
from memfeat.store.feature_store import FeatureStore
from memfeat.store.index import load_index
from memfeat.store.matrix import Matrix
from memfeat.store.record import FeatureRecord


@dataclass(frozen=True, slots=True)
class Wanted:
    """A column that was asked for, and what of the store it reads."""

    name: str
    """In full: ``hog:mean``, ``hog:mean@pca50``, ``captions:text``."""
    feature: str
    reduction: str
    preparation: str | None
    """None where the default is meant."""
    reads: tuple[str, ...]
    """Columns of the store's matrix; none for texts."""
    texts: str = ""
    """Field of texts that rows must have."""
    classes: str = ""
    """Field of texts in which fitted rows have their classes."""


def resolve(store: FeatureStore, columns: Sequence[str], *, fitting: bool = True) -> list[Wanted]:
    """Match names of columns with what a store holds: features first, then fields of texts.

    Parameters
    ----------
    store
        The store.
    columns
        Names, as `memfeat.evaluation.columns.parse_column` reads them.
    fitting
        Whether classes are needed, at which fitting alone looks.

    Raises
    ------
    UsageError
        The store has no such feature or field; a column is asked for twice; a preparation is for texts and the
        column holds numbers, or the other way round; there are no classes for one that needs them.
    """
    features = load_index(store.path).features()
    fields = list(store.texts or {})
    found = [_resolve(store, name, features, fields, fitting=fitting) for name in parse_columns(columns)]
    names = [column.name for column in found]
    if twice := [name for name in names if names.count(name) > 1]:
        raise UsageError(f"The column {twice[0]!r} is asked for twice.")
    return found


def _resolve(
    store: FeatureStore, name: ColumnName, features: list[str], fields: list[str], *, fitting: bool
) -> Wanted:
    prepared = None if name.preparation is None else preparations.find(name.preparation)
    is_text = name.feature in fields and (name.feature not in features or name.reduction == TEXT)
    if not is_text and name.feature not in features:
        texts = f" and the texts {', '.join(fields)}" if fields else ""
        raise UsageError(
            f"No video of {store.path} has the feature {name.feature!r}; they have {', '.join(features) or 'none'}"
            f"{texts}.{nearest(name.feature, [*features, *fields])}"
        )
    if is_text and frames.is_of_frames(name.reduction):
        raise UsageError(
            f"{name.feature!r} are texts, of a video as a whole, and cannot be scored with its frames one by one."
        )
    if is_text and name.reduction not in (None, TEXT):
        raise UsageError(
            f"{name.feature!r} are texts and have no reduction {name.reduction!r}. Leave it out."
        )
    if prepared is not None and prepared.text != is_text:
        kind, remedy = (
            ("texts", f"{name.feature}@tfidf") if is_text else ("numbers", f"{name.feature}@zscore")
        )
        raise UsageError(
            f"{name.feature!r} holds {kind}, and the preparation {prepared.name!r} is for "
            f"{'texts' if prepared.text else 'numbers'}. Use {remedy} or its like."
        )
    if is_text:
        return Wanted(name.named(TEXT), name.feature, TEXT, name.preparation, (), texts=name.feature)
    reduction = name.reduction or "mean"
    if (
        prepared is not None
        and (prepared.also_reduction or prepared.also_texts)
        and frames.is_of_frames(reduction)
    ):
        raise UsageError(
            f"{name.named(reduction)!r}: {prepared.name} looks at something beside the column that is one for each "
            "video, and has no form for frames. Use another preparation, such as pca or dbscan."
        )
    reads = [f"{name.feature}:{reduction}"]
    classes = ""
    if prepared is not None and prepared.also_reduction:
        reads.append(f"{name.feature}:{prepared.also_reduction}")
    if prepared is not None and prepared.also_texts:
        classes = next((field for field in prepared.also_texts if field in fields), "")
        if fitting and not classes:
            raise UsageError(
                f"{prepared.name!r} needs a class for each row, from the texts {' or '.join(prepared.also_texts)}; "
                f"{store.path} has {', '.join(fields) or 'no texts'}. Name others as class-prototypes-<texts>."
            )
        classes = classes or prepared.also_texts[0]
    return Wanted(
        name.named(reduction), name.feature, reduction, name.preparation, tuple(reads), classes=classes
    )


def assemble(
    store: FeatureStore, wanted: Sequence[Wanted], ids: Sequence[str], matrix: Matrix | None
) -> tuple[tuple[Block, ...], Blocks]:
    """Return the columns and their arrays, one row per id.

    Parameters
    ----------
    store
        The store.
    wanted
        The columns; those of which the matrix has dropped a part are left out.
    ids
        Rows, in order; all have every text that `wanted` asks for.
    matrix
        The numbers of the same rows; None when texts alone are wanted.
    """
    stored = {} if matrix is None else {column.name: column for column in matrix.columns}
    records: Mapping[str, FeatureRecord] = {}
    if matrix is not None and stored:
        records = store.load(matrix.ids[0], only={column.feature for column in matrix.columns}).features
    texts: Mapping[str, Mapping[str, Sequence[str]]] = store.texts or {}
    blocks, arrays = [], []
    for column in wanted:
        if column.texts:
            array: Any = cells(texts[column.texts], ids)
            key, recipe, width = f"text:{column.texts}", None, 1
            preparation = column.preparation or "tfidf"
        else:
            if matrix is None or not all(name in stored for name in column.reads):
                continue
            parts: list[Any] = [matrix.block(name) for name in column.reads]
            if column.classes:
                parts.append(cells(texts.get(column.classes, {}), ids))
            array = parts[0] if len(parts) == 1 else Blocks(parts)
            if frames.is_of_frames(column.reduction):
                width = records[column.feature].reduce(column.reduction).shape[1]
                array = frames.trimmed(array, width)
            else:
                width = array.shape[1]
            of = records[column.feature].provenance
            key, recipe = stored[column.reads[0]].key, of.get("recipe")
            preparation = column.preparation or preparation_of(
                column.feature, width, recorded=of.get("preparation")
            )
        arrays.append(array)
        blocks.append(
            Block(
                name=column.name,
                feature=column.feature,
                reduction=column.reduction,
                width=width,
                key=key,
                preparation=preparation,
                recipe=recipe,
            )
        )
    return tuple(blocks), Blocks(arrays)


def cells(texts: Mapping[str, Sequence[str]], ids: Sequence[str]) -> npt.NDArray[Any]:
    """Return texts as a column (n, 1) of tuples; an empty one for an id without any.

    >>> cells({"a.mp4": ["a dog"]}, ["a.mp4", "b.mp4"]).tolist()
    [[('a dog',)], [()]]
    """
    found = np.empty((len(ids), 1), dtype=object)
    for row, id in enumerate(ids):
        found[row, 0] = tuple(texts.get(id, ()))
    return found
