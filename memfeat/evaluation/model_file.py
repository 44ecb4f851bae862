"""A fitted pipeline on disk: skops for what scikit-learn knows, safetensors for the weights of networks.

Nothing in either file is executed, and only the types listed here are loaded. A network is a fitted attribute
``state_``, a dict of arrays by name, of some estimator in the pipeline. It is written to ``model.safetensors``;
in ``model.skops`` a mark takes its place, which holds the SHA-256 of that file, so that one cannot be
exchanged without the other.
"""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from memfeat.errors import StoreError, UsageError

MODEL = "model.skops"
STATES = "model.safetensors"
NAMES = (MODEL, STATES)
TRUSTED = (
    "memfeat.estimators.bayesian_ridge.GramBayesianRidge",
    "memfeat.estimators.ic_mlp.CaptionFeatureMLP",
    "memfeat.estimators.kclass.KClassRegressor",
    "memfeat.estimators.m3s_head.M3SHead",
    "memfeat.estimators.mean_of_frames.MeanOfFrames",
    "memfeat.estimators.principal_components.PrincipalComponents",
    "memfeat.estimators.raw_mlp.RawMLP",
    "memfeat.estimators.ridge.TunedRidge",
    "memfeat.estimators.search.OptunaSearch",
    "memfeat.estimators.similarity.class_prototypes.ClassPrototypes",
    "memfeat.estimators.similarity.cosine_mean.CosineToMean",
    "memfeat.estimators.similarity.cosine_threshold.CosineThreshold",
    "memfeat.estimators.similarity.dbscan.ContextClusters",
    "memfeat.estimators.similarity.euclidean.EuclideanDistance",
    "memfeat.estimators.similarity.fractional.FractionalDistance",
    "memfeat.estimators.similarity.kde.KernelDensityScore",
    "memfeat.estimators.similarity.kmeans_prototypes.KMeansPrototypes",
    "memfeat.estimators.similarity_mlp.SimilarityMLP",
    "memfeat.estimators.svr.ScaledSVR",
    "memfeat.estimators.svr_search.SVRSearch",
    "memfeat.estimators.tfidf.CaptionTfidf",
    "memfeat.evaluation.branches.BranchedPipeline",
    "memfeat.evaluation.frames.FramesSideBySide",
    "memfeat.evaluation.late_fusion.KeepBlocks",
    "memfeat.evaluation.late_fusion.LateFusion",
    "memfeat.evaluation.paired.FittedOnFirst",
    "memfeat.evaluation.paired.WithClasses",
    "memfeat.evaluation.preparation.PerFeature",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
)
"""The types, beside those that skops itself trusts, that a model may be made of. A constant: what a file asks
for is never a reason to trust it. Trees are compiled code that follows whatever indices it is given, so theirs
are checked when they are loaded."""
_MARK = "model.safetensors sha256:"


def dump(model: Any, folder: Path) -> None:
    """Write a fitted pipeline into a folder.

    Raises
    ------
    UsageError
        The model has types that would not be loaded again; parameters can lead to such.
    TypeError
        A network is not made of arrays.
    OSError
        The folder cannot be written.
    """
    import skops.io

    owners = [owner for owner in _estimators(model) if isinstance(getattr(owner, "state_", None), dict)]
    states = [owner.state_ for owner in owners]
    digest = _dump_states(states, folder / STATES) if states else ""
    try:
        for k, owner in enumerate(owners):
            owner.state_ = f"{_MARK}{digest} {k}"
        skops.io.dump(model, folder / MODEL)
    finally:
        for owner, state in zip(owners, states, strict=True):
            owner.state_ = state
    strange = sorted(set(skops.io.get_untrusted_types(file=folder / MODEL)) - set(TRUSTED))
    if strange:
        raise UsageError(
            f"The fitted model has types that memfeat would not load again: {', '.join(strange)}. Other parameters "
            "may do without them, such as algorithm=brute instead of a tree of neighbours."
        )


def load(folder: Path) -> Any:
    """Return the pipeline that `dump` wrote.

    Raises
    ------
    StoreError
        A file is missing or damaged, the two do not belong together, or types are needed that memfeat does not
        trust.
    """
    model = _load_skops(folder / MODEL)
    owners = [owner for owner in _estimators(model) if str(getattr(owner, "state_", "")).startswith(_MARK)]
    if owners:
        digest, states = _load_states(folder / STATES)
        for owner in owners:
            wanted, _, k = owner.state_.removeprefix(_MARK).partition(" ")
            if wanted != digest or k not in states:
                raise StoreError(
                    f"{folder / STATES} does not belong to {MODEL}: its SHA-256 is another. One of them was "
                    "damaged or replaced; fit again."
                )
            owner.state_ = states[k]
    return model


def _load_skops(path: Path) -> Any:
    import skops.io
    from sklearn.exceptions import InconsistentVersionWarning
    from sklearn.pipeline import Pipeline

    if not path.is_file():
        raise StoreError(f"{path} is missing; the run is damaged. Fit again.")
    try:
        strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
        if not strange:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", InconsistentVersionWarning)  # `Run.warnings` says it in words
                model = skops.io.load(path, trusted=list(TRUSTED))
                _check_trees(model)
    except Exception as error:
        # skops answers a damaged file with whatever its own parsing trips over.
        raise StoreError(
            f"{path} cannot be loaded ({type(error).__name__}: {error}). It is damaged or was saved by "
            "another version of scikit-learn; fit again."
        ) from error
    if strange:
        raise StoreError(
            f"{path} needs types that memfeat does not trust: {', '.join(strange)}. It was not loaded. "
            "No model that memfeat saves needs them: use only runs from people you trust, or fit again."
        )
    if not isinstance(model, Pipeline):
        raise StoreError(f"{path} holds a {type(model).__name__}; a fitted pipeline was expected. Fit again.")
    return model


def _check_trees(model: Any) -> None:
    """Raise ValueError unless the nodes of every decision tree point forwards, and to features there are."""
    for owner in _estimators(model):
        tree = getattr(owner, "tree_", None)
        if tree is None or type(tree).__module__ != "sklearn.tree._tree":
            continue
        node = np.arange(tree.node_count)
        left, right, feature = (
            tree.__getstate__()["nodes"][name] for name in ("left_child", "right_child", "feature")
        )
        inner = left != -1
        sound = (
            left.size == node.size
            and (left[inner] > node[inner]).all()
            and (right[inner] > node[inner]).all()
        )
        sound = sound and (np.maximum(left, right) < node.size).all() and (right[~inner] == -1).all()
        sound = sound and (feature[inner] >= 0).all() and (feature[inner] < tree.n_features).all()
        if not sound or tree.n_features != owner.n_features_in_ or tree.value.shape[0] != node.size:
            raise ValueError("the nodes of a decision tree do not hang together")


def _dump_states(states: list[Any], path: Path) -> str:
    from safetensors.numpy import save

    tensors = {}
    for k, state in enumerate(states):
        for name, array in state.items():
            if not isinstance(array, np.ndarray) or array.dtype == object:
                raise TypeError(f"state_ holds {name!r} of type {type(array).__name__}; arrays are needed.")
            tensors[f"{k}/{name}"] = np.ascontiguousarray(array)
    data = save(tensors, metadata={"format": "memfeat", "states": json.dumps(len(states))})
    path.write_bytes(data)
    return hashlib.sha256(data).hexdigest()


def _load_states(path: Path) -> tuple[str, dict[str, dict[str, Any]]]:
    from safetensors.numpy import load

    try:
        data = path.read_bytes()
        tensors = load(data)
    except FileNotFoundError as error:
        raise StoreError(f"{path} is missing; the run is damaged. Fit again.") from error
    except Exception as error:  # safetensors has an exception of its own for each kind of damage
        raise StoreError(f"{path} cannot be loaded ({type(error).__name__}: {error}). Fit again.") from error
    states: dict[str, dict[str, Any]] = {}
    for key, array in tensors.items():
        k, _, name = key.partition("/")
        states.setdefault(k, {})[name] = array.copy()
    return hashlib.sha256(data).hexdigest(), states


def _estimators(value: Any, seen: set[int] | None = None) -> Iterator[Any]:
    """Yield every estimator in a pipeline, wherever it is kept, each once."""
    from sklearn.base import BaseEstimator

    seen = set() if seen is None else seen
    if isinstance(value, (list, tuple, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _estimators(item, seen)
    elif isinstance(value, BaseEstimator) and id(value) not in seen:
        seen.add(id(value))
        yield value
        for item in vars(value).values():
            yield from _estimators(item, seen)
