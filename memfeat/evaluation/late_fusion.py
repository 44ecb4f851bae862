"""Late fusion as one estimator that can be saved: systems on columns of their own, and what joins them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin, TransformerMixin, clone
from sklearn.utils.validation import check_is_fitted

from memfeat import models
from memfeat.errors import UsageError, nearest
from memfeat.estimators.mean_of_frames import fit_groups
from memfeat.evaluation import fusion, pipeline
from memfeat.evaluation.columns import TEXT, parse_column, parse_columns
from memfeat.evaluation.parameters import check as check_parameters
from memfeat.evaluation.pipeline import Block
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.splits import Part, Positions
from memfeat.models import ModelSpec

Vector = npt.NDArray[np.float64]

NAME = "late-fusion"
_KEYS = ("model", "features", "parameters")
_OPTIONS = ("members", "method", "weights", "inner_folds")


class KeepBlocks(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Passes `Blocks` on as they are: the members of a fusion prepare their own columns.

    Attributes
    ----------
    n_features_in_ : int
    parts_ : list
        Empty.
    """

    def fit(self, X: Blocks, y: object = None) -> Self:
        """Note how many columns there are."""
        self.n_features_in_ = X.shape[1]
        self.parts_: list[Any] = []
        return self

    def transform(self, X: Blocks) -> Blocks:
        """Return X."""
        check_is_fitted(self)
        return X


class LateFusion(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fits several pipelines, each on blocks of its own, and averages their predictions.

    Parameters
    ----------
    members
        For each a name, the positions of its blocks, and its unfitted pipeline.
    method, weights
        As for `memfeat.evaluation.fusion.learn`.
    inner_folds
        Folds of the rows given to `fit` from which weights and ranks are learned, where they are.
    random_state
        Seed of these folds.

    Attributes
    ----------
    members_ : list
        The same with fitted pipelines.
    weights_ : (members,) float64
    reference_ : (n, members) float64, or None
        Sorted inner-fold predictions, where ranks are averaged.
    line_ : tuple of two floats

    Examples
    --------
    >>> block = Block("light:mean", "light", "mean", 1, "key", "none")
    >>> members = [(name, (k,), pipeline.build([block], models.get(name))) for k, name in enumerate(["brr", "ridge"])]
    >>> X = Blocks([np.arange(8.0)[:, None], -np.arange(8.0)[:, None]])
    >>> LateFusion(members).fit(X, 0.5 + np.arange(8) / 20).predict(X[[0, 7]]).round(2).tolist()
    [0.5, 0.85]
    """

    def __init__(
        self,
        members: Sequence[tuple[str, Sequence[int], Any]],
        *,
        method: str = "score-average",
        weights: str = "equal",
        inner_folds: int = 5,
        random_state: int = 0,
    ) -> None:
        self.members = members
        self.method = method
        self.weights = weights
        self.inner_folds = inner_folds
        self.random_state = random_state

    def fit(self, X: Blocks, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Fit each member on X and y, and on inner folds of them what joins the members.

        Parameters
        ----------
        X
            One block per column, n rows in order of their ids.
        y
            Scores, shape (n,).
        groups
            Number of each row's group, shape (n,); rows of one group are in one inner fold.

        Raises
        ------
        UsageError
            Too few rows or groups for the inner folds.
        ValueError
            As for the members.
        """
        scores = np.asarray(y, np.float64)
        of = None if groups is None else np.asarray(groups)
        everything = np.arange(scores.size)
        inner = folds = None
        if fusion.needs_inner(self.method, self.weights):
            inner, folds = np.empty((scores.size, len(self.members))), np.empty(scores.size, np.intp)
            part = Part("the training rows", everything, np.arange(0))
            names = None if of is None else [f"group {number}" for number in of]
            parts = fusion.inner_parts(part, names, folds=self.inner_folds, seed=self.random_state)
            for fold, inside in enumerate(parts):
                folds[inside.judged] = fold
                for k, (_, blocks, unfitted) in enumerate(self.members):
                    fitted = _fitted(unfitted, _own(X, blocks), scores, of, inside.fit)
                    inner[inside.judged, k] = fitted.predict(_own(X, blocks)[inside.judged])
        learned = fusion.learn(
            self.method, self.weights, len(self.members), inner=inner, folds=folds, y=scores
        )
        self.members_ = [
            (name, list(blocks), _fitted(unfitted, _own(X, blocks), scores, of, everything))
            for name, blocks, unfitted in self.members
        ]
        self.weights_, self.reference_, self.line_ = learned.weights, learned.reference, list(learned.line)
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Blocks) -> Vector:
        """Return the fused predictions, shape (n,)."""
        check_is_fitted(self)
        found = [fitted.predict(_own(X, blocks)) for _, blocks, fitted in self.members_]
        start, slope = self.line_
        learned = fusion.Fusion(self.method, self.weights_, self.reference_, (start, slope))
        return learned.combine(np.stack([np.asarray(values, np.float64) for values in found], axis=1))


def find(model: str, parameters: Mapping[str, Any] | None = None) -> ModelSpec:
    """Return the model of that name, or what a late fusion is to the rest of an evaluation.

    Raises
    ------
    UsageError
        There is no such model, or the parameters make no fusion.

    Examples
    --------
    >>> find("brr").gives_deviation
    True
    >>> find("late-fusion", {"members": [{"features": ["hog"]}, {"features": ["flow"]}]}).needs_deep
    False
    """
    if model != NAME:
        return models.get(model)
    if parameters is not None:
        _check(parameters)
    members = (parameters or {}).get("members", [])
    deep = any(models.get(member.get("model", "brr")).needs_deep for member in members)
    return ModelSpec(
        name=NAME,
        summary="Weighted average of the predictions of several systems, or of their ranks.",
        build=lambda seed, **_: LateFusion((), random_state=seed),
        needs_deep=deep,
    )


def columns_of(parameters: Mapping[str, Any]) -> list[str]:
    """Return the columns that the members of a fusion name, each once.

    >>> columns_of({"members": [{"features": ["hog", "flow"]}, {"model": "svr", "features": ["flow"]}]})
    ['hog', 'flow']
    """
    _check(parameters)
    return list(dict.fromkeys(name for member in parameters["members"] for name in member["features"]))


def check(spec: ModelSpec, parameters: Mapping[str, Any] | None, *, seed: int = 0) -> dict[str, Any]:
    """Return a model's parameters, or a fusion's with those of its members, after checking them.

    Raises
    ------
    UsageError
        A fusion of fewer than two members, an unknown key, or what `memfeat.evaluation.parameters.check` refuses.
    SetupError
        A model needs torch, which is not installed.
    """
    if spec.name != NAME:
        return check_parameters(spec, parameters, seed=seed)
    given = parameters or {}
    _check(given)
    members = []
    for member in given["members"]:
        of = models.get(member.get("model", "brr"))
        checked = check_parameters(of, member.get("parameters"), seed=seed)
        members.append(
            {
                "model": of.name,
                "features": list(member["features"]),
                **({"parameters": checked} if checked else {}),
            }
        )
    return {**given, "members": members}


def build(
    blocks: Sequence[Block], spec: ModelSpec, *, seed: int = 0, parameters: Mapping[str, Any] | None = None
) -> Any:
    """Return the unfitted pipeline of a model, as `memfeat.evaluation.pipeline.build` does, or of a fusion.

    Parameters
    ----------
    blocks
        All columns, of all members.
    spec
        From `find`.
    seed
        Of the members and of the inner folds.
    parameters
        Of a fusion: ``members``, a list of tables with ``features`` and, where it is not `brr` without any,
        ``model`` and ``parameters``; ``method``, ``weights`` and ``inner_folds`` as for `LateFusion`.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Of a fusion: steps ``features`` (`KeepBlocks`) and ``model`` (`LateFusion`).

    Raises
    ------
    UsageError
        Parameters that make no fusion, or a member without any of its columns.
    """
    from sklearn.pipeline import Pipeline

    if spec.name != NAME:
        return pipeline.build(blocks, spec, seed=seed, parameters=parameters)
    given = parameters or {}
    _check(given)
    members = []
    for number, member in enumerate(given["members"], start=1):
        positions = [k for name in member["features"] for k, block in enumerate(blocks) if _is(name, block)]
        if not positions:
            raise UsageError(
                f"No column is left of {', '.join(member['features'])}, which a fusion is to use."
            )
        of = models.get(member.get("model", "brr"))
        own = [blocks[k] for k in positions]
        made = pipeline.build(own, of, seed=seed, parameters=member.get("parameters"))
        members.append((f"{number} {of.name}", positions, made))
    options = {name: given[name] for name in _OPTIONS[1:] if name in given}
    return Pipeline(
        [("features", KeepBlocks()), ("model", LateFusion(members, random_state=seed, **options))]
    )


def _fitted(unfitted: Any, X: Blocks, y: Vector, groups: npt.NDArray[Any] | None, rows: Positions) -> Any:
    """Return a fitted copy of a member; one that makes inner folds itself is told the groups of its rows."""
    more = {}
    if groups is not None:
        _, first, of = np.unique(groups[rows], return_index=True, return_inverse=True)
        if first.size > 1:
            more = fit_groups(unfitted, np.argsort(np.argsort(first))[of])
    return clone(unfitted).fit(X[rows], y[rows], **more)


def _own(X: Blocks, blocks: Sequence[int]) -> Any:
    return Blocks([X.arrays[k] for k in blocks])


def _is(name: str, block: Block) -> bool:
    """Return whether a column's name, as it was given, is that of a block."""
    column = parse_column(name)
    usual = TEXT if block.is_text else "mean"
    return column.feature == block.feature and block.name == column.named(column.reduction or usual)


def _check(parameters: Mapping[str, Any]) -> None:
    for key in parameters:
        if key not in _OPTIONS:
            raise UsageError(
                f"The model {NAME!r} has no parameter {key!r}; it has {', '.join(_OPTIONS)}.{nearest(key, _OPTIONS)}"
            )
    members = parameters.get("members")
    if not isinstance(members, list) or len(members) < 2 or not all(isinstance(m, Mapping) for m in members):
        raise UsageError(
            f"The model {NAME!r} fuses two or more members, each a table such as "
            '{model = "brr", features = ["hog"]}: give members=[...].'
        )
    for member in members:
        for key in member:
            if key not in _KEYS:
                raise UsageError(
                    f"A member of a fusion has no {key!r}; it has {', '.join(_KEYS)}.{nearest(key, _KEYS)}"
                )
        if isinstance(member.get("features"), str) or not member.get("features"):
            raise UsageError('A member of a fusion needs its features, such as features = ["hog"].')
        parse_columns(member["features"])
    for name, known in (("method", fusion.METHODS), ("weights", fusion.WEIGHTS)):
        given = parameters.get(name, known[0])
        if given not in known:
            raise UsageError(
                f"{name} is {given!r}; there are {', '.join(known)}.{nearest(str(given), known)}"
            )
    folds = parameters.get("inner_folds", 5)
    if not isinstance(folds, int) or folds < 2:
        raise UsageError(f"inner_folds is {folds!r}; give a whole number from 2.")
