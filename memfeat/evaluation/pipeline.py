"""Features and a regressor as one scikit-learn pipeline, with the preparation of each feature inside it.

Whatever is learned from data (a mean, a scale, principal components) is learned by ``Pipeline.fit`` from the
rows it is given, so no held-out row can reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, cast, get_args

import numpy as np
import numpy.typing as npt

from memfeat.errors import StoreError, UsageError
from memfeat.evaluation.preparation import PASS, Blocks, PerFeature, PrincipalComponents
from memfeat.models import ModelSpec

Array = npt.NDArray[Any]
Preparation = Literal["zscore", "pca", "none"]
PCA_COMPONENTS = 10
PCA_SEED = 0  # fixed: components must not change with the seed that shuffles folds


@dataclass(frozen=True, slots=True)
class Block:
    """One column of a feature store as a model sees it: what it is and what is done to it."""

    name: str
    """``feature:reduction``, such as ``hog:mean``."""
    feature: str
    reduction: str
    width: int
    key: str
    """The feature key: equal for values that were measured alike."""
    preparation: Preparation
    recipe: dict[str, Any] | None = None
    """What the key stands for, where the store keeps it: used to say how two features differ."""

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
        if block.preparation not in get_args(Preparation):
            raise StoreError(f"Column {block.name}: unknown preparation {block.preparation!r}.")
        return block


def preparation_of(feature: str, width: int, *, recorded: str | None = None) -> Preparation:
    """Return how a feature's columns are prepared: as its extractor says, as was recorded, or by width.

    A feature that memfeat does not compute itself (an imported one) and of which nothing is recorded is
    z-scored when it is one number, and left as it is when it is a vector, as embeddings are.

    >>> preparation_of("hog", 34596), preparation_of("my-scalar", 1), preparation_of("my-embedding", 512)
    ('pca', 'zscore', 'none')
    """
    from memfeat import extractors

    if feature in extractors.names():
        return extractors.get(feature).preparation
    if recorded in get_args(Preparation):
        return cast(Preparation, recorded)
    return "zscore" if width == 1 else "none"


def build(blocks: Sequence[Block], spec: ModelSpec, *, seed: int = 0) -> Any:
    """Return the unfitted pipeline of a model on these columns.

    Parameters
    ----------
    blocks
        The columns, in the order of the arrays it will be given.
    spec
        The model. It adds no preparation of its own.
    seed
        Seed of the model.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Steps ``features`` (a `PerFeature` with one part per block, named as the column) and ``model``.
        Preparations: ``pca`` is `PrincipalComponents` with ten components, ``zscore`` is scikit-learn's
        ``StandardScaler``, ``none`` passes columns through. It takes `Blocks` or one array (n, D).

    Raises
    ------
    UsageError
        No columns, or one column twice.
    """
    from sklearn.pipeline import Pipeline

    if not blocks:
        raise UsageError("A model needs at least one feature; none was given.")
    if len({block.name for block in blocks}) != len(blocks):
        raise UsageError(f"A column is given twice: {', '.join(block.name for block in blocks)}.")
    parts = [(block.name, block.width, _transformer(block)) for block in blocks]
    return Pipeline([("features", PerFeature(parts)), ("model", spec.build(seed))])


def _transformer(block: Block) -> Any:
    from sklearn.preprocessing import StandardScaler

    if block.preparation == "pca":
        return PrincipalComponents(PCA_COMPONENTS, random_state=PCA_SEED)
    return StandardScaler() if block.preparation == "zscore" else PASS


def reduced(pipeline: Any) -> dict[str, int]:
    """Return the columns of which a fitted pipeline has fewer than ten principal components, and how many."""
    parts = [(name, part) for name, _, part in pipeline.named_steps["features"].parts_]
    found = {name: p.components_.shape[0] for name, p in parts if isinstance(p, PrincipalComponents)}
    return {name: k for name, k in found.items() if k < PCA_COMPONENTS}


def predict(pipeline: Any, X: Blocks, *, deviation: bool) -> tuple[Array, Array | None]:
    """Return the predicted scores, shape (n,), and their predictive deviation where the model has one.

    Raises
    ------
    UsageError
        The columns are not as many as the pipeline was fitted on.
    """
    expected = pipeline.named_steps["features"].n_features_in_
    if X.shape[1] != expected:
        raise UsageError(f"The model was fitted on {expected} feature columns; {X.shape[1]} were given.")
    if deviation:
        mean, sd = pipeline.predict(X, return_std=True)
        return np.asarray(mean, np.float64), np.asarray(sd, np.float64)
    return np.asarray(pipeline.predict(X), np.float64), None
