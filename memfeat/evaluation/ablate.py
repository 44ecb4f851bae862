"""What each feature, or each module of features, is worth: a model without it, and on it alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from memfeat import models
from memfeat.errors import UsageError
from memfeat.evaluation.assemble import resolve
from memfeat.evaluation.columns import parse_column
from memfeat.evaluation.compare import compare
from memfeat.evaluation.comparison.result import Comparison
from memfeat.evaluation.comparison.systems import System
from memfeat.evaluation.frames import columns_of
from memfeat.evaluation.gather import choose_target, gather, open_store
from memfeat.evaluation.table import short_column
from memfeat.models import ModelSpec
from memfeat.store.feature_store import FeatureStore

Way = Literal["leave-one-out", "one-at-a-time"]
ALL = "all"


def ablate(
    store: FeatureStore | str | Path,
    *,
    model: str = "brr",
    columns: Sequence[str] | None = None,
    aggregate: str | None = None,
    parameters: Mapping[str, Any] | None = None,
    by: Literal["feature", "module"] = "feature",
    ways: Sequence[Way] = ("one-at-a-time", "leave-one-out"),
    target: str | None = None,
    group_by: str | None = None,
    **settings: Any,
) -> Comparison:
    """Compare a model on all columns with the same model without each of them, and on each alone.

    Parameters
    ----------
    store, aggregate, target, group_by
        As for `memfeat.evaluation.fit.fit`.
    model, parameters
        The model.
    columns
        All columns; None takes those the model asks for, else every feature that all labelled videos have.
    by
        ``feature``: column by column. ``module``: the model's own modules (raw, scene, event, similarity), each
        left out or taken as a whole.
    ways
        ``leave-one-out``, ``one-at-a-time`` or both.
    settings
        Further ones of `memfeat.evaluation.compare.compare`.

    Returns
    -------
    Comparison
        The last line, ``all``, is the baseline. A column of one number has its own correlation with the score
        beside the model's where columns are taken one at a time.

    Raises
    ------
    UsageError
        Fewer than two columns or modules, a model without modules, or as for `compare`.
    """
    spec = models.get(model)
    store = open_store(store)
    target = choose_target(store, target)
    columns = columns_of(columns, aggregate)
    if columns is None:
        rows = gather(store, target=target, columns=None, choose=spec.columns, group_by=group_by)
        columns = [short_column(block.name) for block in rows.blocks]
    units = by_module(spec, columns) if by == "module" else {name: [name] for name in columns}
    if by == "feature":
        resolve(store, columns)  # a column that is not there is no finding of an ablation
    made = [
        replace(one, aggregate=aggregate)
        for one in systems(columns, units, model=model, parameters=parameters, ways=ways)
    ]
    raw = "one-at-a-time" in ways
    return compare(store, made, target=target, group_by=group_by, baseline=ALL, **{"raw": raw, **settings})


def systems(
    columns: Sequence[str],
    units: Mapping[str, Sequence[str]],
    *,
    model: str,
    parameters: Mapping[str, Any] | None = None,
    ways: Sequence[Way] = ("one-at-a-time", "leave-one-out"),
) -> list[System]:
    """Return the systems of an ablation, that with all columns last.

    Parameters
    ----------
    columns
        All columns, in the order in which the model is given them.
    units
        What is left out or taken together, by name.
    model, parameters, ways
        As for `ablate`.

    Raises
    ------
    UsageError
        Fewer than two units, no way, or an unknown one.

    Examples
    --------
    >>> [s.name for s in systems(["a", "b"], {"a": ["a"], "b": ["b"]}, model="brr", ways=["leave-one-out"])]
    ['without a', 'without b', 'all']
    """
    if len(units) < 2:
        raise UsageError(
            f"An ablation needs two features or modules; there is {', '.join(units) or 'none'}. Name more."
        )
    known = ("one-at-a-time", "leave-one-out")
    if not ways or any(way not in known for way in ways):
        raise UsageError(f"ways={list(ways)}; give {' or '.join(known)}, or both.")

    def made(name: str, chosen: Sequence[str]) -> System:
        kept = tuple(column for column in columns if column in chosen)
        return System(name=name, model=model, features=kept, parameters=parameters or {})

    found = []
    if "one-at-a-time" in ways:
        found += [made(f"only {name}", inside) for name, inside in units.items()]
    # Of two units, one without the other is the other alone.
    if "leave-one-out" in ways and not (len(units) == 2 and found):
        for name, inside in units.items():
            found.append(made(f"without {name}", [c for c in columns if c not in inside]))
    return [*found, made(ALL, columns)]


def by_module(spec: ModelSpec, columns: Sequence[str]) -> dict[str, list[str]]:
    """Return columns by the modules of a model; those of no module are ``other``.

    Raises
    ------
    UsageError
        The model has no modules.
    """
    if spec.modules is None:
        having = [one.name for one in models.all_models() if one.modules is not None]
        raise UsageError(
            f"The model {spec.name!r} has no modules; {', '.join(having) or 'none'} have. Leave features out one by "
            "one (--by feature)."
        )
    of = spec.modules(list(dict.fromkeys(parse_column(name).feature for name in columns)))
    module_of = {parse_column(column): module for module, names in of.items() for column in names}
    module_of_feature: dict[str, str] = {}
    for column, module in module_of.items():
        module_of_feature.setdefault(column.feature, module)
    found: dict[str, list[str]] = {module: [] for module in (*of, "other")}
    for name in columns:
        column = parse_column(name)
        similar = "similarity" in of and _is_similarity(column.preparation)
        found[
            module_of.get(column)
            or ("similarity" if similar else None)
            or module_of_feature.get(column.feature, "other")
        ].append(name)
    return {module: names for module, names in found.items() if names}


def _is_similarity(preparation: str | None) -> bool:
    plain = ("none", "zscore", "l2", "pca", "tfidf")
    return preparation is not None and not preparation.startswith(plain)
