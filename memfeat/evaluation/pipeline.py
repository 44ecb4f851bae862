"""Features and a regressor as one scikit-learn pipeline, with the preparation of each feature inside it.

Whatever is learned from data (a mean, a scale, principal components, the words of captions) is learned by
``Pipeline.fit`` from the rows it is given, so no held-out row can reach it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import StoreError, UsageError
from memfeat.evaluation import frames, preparations
from memfeat.evaluation.branches import BY_FEATURE, BranchedPipeline
from memfeat.evaluation.columns import TEXT
from memfeat.evaluation.frames import FramesSideBySide
from memfeat.evaluation.preparation import Blocks, PerFeature
from memfeat.models import ModelSpec

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Block:
    """One column of a feature store as a model sees it: what it is and what is done to it."""

    name: str
    """``feature:reduction``, such as ``hog:mean``, with ``@preparation`` where one was asked for."""
    feature: str
    """A feature, or a field of texts."""
    reduction: str
    """``text`` for a field of texts."""
    width: int
    """Numbers per row, of all that is read (`preparations.Preparation.also_reduction`); 1 for texts. Of a column of
    frames, numbers per frame."""
    key: str
    """The feature key: equal for values that were measured alike; ``text:<field>`` for texts."""
    preparation: str
    """A name of `preparations.find`."""
    recipe: dict[str, Any] | None = None
    """What the key stands for, where the store keeps it: used to say how two features differ."""

    @property
    def is_text(self) -> bool:
        """Whether the column holds texts, which no video is measured for."""
        return self.reduction == TEXT

    @property
    def is_of_frames(self) -> bool:
        """Whether the column holds frames, which are scored one by one."""
        return frames.is_of_frames(self.reduction)

    @property
    def reductions(self) -> tuple[str, ...]:
        """The reductions of the feature that the column reads; none for texts."""
        also = preparations.find(self.preparation).also_reduction
        return () if self.is_text else (self.reduction, also) if also else (self.reduction,)

    @property
    def reads_classes(self) -> bool:
        """Whether classes of the rows stand beside the values; rows that are only predicted may lack them."""
        return bool(preparations.find(self.preparation).also_texts)

    def as_dict(self) -> dict[str, Any]:
        """Return the fields as JSON-able values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Block:
        """Return the block that `as_dict` described.

        Raises
        ------
        StoreError
            A field is missing or the preparation is unknown.
        """
        try:
            block = cls(**values)
        except TypeError as error:
            raise StoreError(f"A column of a saved run is described wrongly: {error}.") from None
        try:
            preparations.find(block.preparation)
        except UsageError as error:
            raise StoreError(f"Column {block.name}: {error}") from None
        return block


def preparation_of(feature: str, width: int, *, recorded: str | None = None) -> str:
    """Return how a feature's columns are prepared when nothing is asked for: as its extractor says, as was
    recorded, or by width.

    A feature that memfeat does not compute itself (an imported one) and of which nothing is recorded is
    z-scored when it is one number, and left as it is when it is a vector, as embeddings are.

    >>> preparation_of("hog", 34596), preparation_of("my-scalar", 1), preparation_of("my-embedding", 512)
    ('pca', 'zscore', 'none')
    """
    from memfeat import extractors

    if feature in extractors.names():
        return extractors.get(feature).preparation
    if recorded in ("zscore", "pca", "none"):
        return recorded
    return "zscore" if width == 1 else "none"


def build(
    blocks: Sequence[Block], spec: ModelSpec, *, seed: int = 0, parameters: Mapping[str, Any] | None = None
) -> Any:
    """Return the unfitted pipeline of a model on these columns.

    Parameters
    ----------
    blocks
        The columns, in the order of the arrays it will be given.
    spec
        The model. It adds no preparation of its own.
    seed
        Seed of the model, and of preparations that draw.
    parameters
        Of the model, beside or instead of its published ones. ``branches="by-feature"`` is one branch of the
        network for each block.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps ``features`` (a `PerFeature` with one part per block, named as the column) and ``model``.
        It takes `Blocks` or, without texts, one array (n, D). For columns of frames, this pipeline is inside a
        `memfeat.estimators.mean_of_frames.MeanOfFrames`, which is the ``model`` of another one behind a
        `FramesSideBySide`.

    Raises
    ------
    UsageError
        No columns, or one column twice; words of texts for a model that does not take sparse matrices; some
        columns of frames and some not.
    """
    from sklearn.pipeline import Pipeline

    if not blocks:
        raise UsageError("A model needs at least one feature; none was given.")
    if len({block.name for block in blocks}) != len(blocks):
        raise UsageError(f"A column is given twice: {', '.join(block.name for block in blocks)}.")
    parts = []
    for block in blocks:
        preparation = preparations.find(block.preparation)
        if preparation.sparse and not spec.takes_sparse:
            raise UsageError(
                f"{block.name}: {preparation.name} gives one column per word, a sparse matrix, which the model "
                f"{spec.name!r} does not take. Use {block.feature}@tfidf-svd300, or a model that does."
            )
        parts.append((block.name, block.width, preparation.make(seed)))
    kind = BranchedPipeline if (parameters or {}).get("branches") == BY_FEATURE else Pipeline
    made = kind([("features", PerFeature(parts)), ("model", spec.build(seed, **(parameters or {})))])
    if not of_frames(blocks):
        return made
    from memfeat.estimators.mean_of_frames import MeanOfFrames

    widths = [(block.name, block.width) for block in blocks]
    averaged = MeanOfFrames(made, width=sum(width for _, width in widths))
    return Pipeline([("features", FramesSideBySide(widths)), ("model", averaged)])


def of_frames(blocks: Sequence[Block]) -> bool:
    """Return whether these columns hold frames, which are scored one by one.

    Raises
    ------
    UsageError
        Some do and some do not.
    """
    found = [block.is_of_frames for block in blocks]
    if any(found) and not all(found):
        whole = next(block for block in blocks if not block.is_of_frames)
        single = next(block for block in blocks if block.is_of_frames)
        raise UsageError(
            f"{single.name} has a row for each frame and {whole.name} one for each video; a model takes either. "
            "Name the frames of all features (feature:per-second), or of none."
        )
    return all(found)


def check_frames(blocks: Sequence[Block], X: Blocks, ids: Sequence[str]) -> None:
    """Make sure that columns of frames have equally many of each video; UsageError names those that have not."""
    if of_frames(blocks):
        frames.check_counts([block.name for block in blocks], [block.width for block in blocks], X, ids)


def reduced(pipeline: Any) -> dict[str, tuple[int, int]]:
    """Return the columns of which a fitted pipeline has fewer components than asked for: how many, and of how many."""
    found = {}
    if isinstance(pipeline.named_steps["features"], FramesSideBySide):
        pipeline = pipeline.named_steps["model"].regressor_
    for name, _, part in pipeline.named_steps["features"].parts_:
        for transformer in _with_components(part):
            k, wanted = len(transformer.components_), transformer.n_components
            if k < wanted:
                found[name] = (k, wanted)
    return found


def _with_components(part: Any) -> Iterator[Any]:
    part = getattr(part, "transformer_", part)
    if getattr(part, "n_components", None) is not None and hasattr(part, "components_"):
        yield part


def predict(pipeline: Any, X: Blocks, *, deviation: bool) -> tuple[Array, Array | None]:
    """Return the predicted scores, shape (n,), and their predictive deviation where the model has one.

    A mean over frames has none: how much the errors of a video's frames have in common is not known.

    Raises
    ------
    UsageError
        The columns are not as many as the pipeline was fitted on.
    """
    features = pipeline.named_steps["features"]
    over_frames = isinstance(features, FramesSideBySide)
    if not over_frames and X.shape[1] != features.n_features_in_:
        raise UsageError(
            f"The model was fitted on {features.n_features_in_} feature columns; {X.shape[1]} were given."
        )
    if deviation and not over_frames:
        mean, sd = pipeline.predict(X, return_std=True)
        return np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    return np.asarray(pipeline.predict(X), np.float64), None
