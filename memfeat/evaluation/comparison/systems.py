"""What a comparison compares: systems, each a model on some columns, or a fusion of others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from memfeat import models
from memfeat.errors import UsageError, nearest
from memfeat.evaluation import late_fusion
from memfeat.evaluation.columns import parse_column, parse_columns
from memfeat.evaluation.frames import is_of_frames
from memfeat.evaluation.fusion import METHODS, WEIGHTS

_LONGEST = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One row of a comparison.

    Raises
    ------
    UsageError
        No name; a fusion of fewer than two systems, or one that has a model, columns or parameters as well; an
        unknown way of fusing.
    """

    name: str
    model: str = "brr"
    """A name from `memfeat.models.names`; not looked at where others are fused."""
    features: tuple[str, ...] | None = None
    """Columns, as for `memfeat.evaluation.fit.fit`; None takes those the model asks for, else all."""
    aggregate: str | None = None
    """``mean-of-frames`` scores frames one by one (`memfeat.evaluation.frames.columns_of`)."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Of the model, beside or instead of its published ones."""
    fuse: tuple[str, ...] = ()
    """Names of other systems whose predictions are averaged (`memfeat.evaluation.fusion`)."""
    method: str = "score-average"
    """``score-average`` or ``rank-average``."""
    weights: str = "equal"
    """``equal``, or ``inner-folds``: found on inner folds of the training rows."""
    note: str = ""
    """Shown with its figures, such as a published one."""

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise UsageError("A system needs a name.")
        if not self.fuse:
            return
        if len(self.fuse) < 2 or len(set(self.fuse)) != len(self.fuse):
            raise UsageError(
                f"{self.name!r} fuses {', '.join(self.fuse)}; two or more different systems are needed."
            )
        if self.features is not None or self.parameters or self.aggregate is not None:
            raise UsageError(
                f"{self.name!r} fuses {', '.join(self.fuse)} and has features or parameters of its own; "
                "give those to the systems it fuses."
            )
        for given, known, what in ((self.method, METHODS, "method"), (self.weights, WEIGHTS, "weights")):
            if given not in known:
                raise UsageError(
                    f"{self.name!r}: {what} is {given!r}; there are {', '.join(known)}.{nearest(given, known)}"
                )

    @classmethod
    def fused(
        cls,
        name: str,
        fuse: Sequence[str],
        *,
        method: str = "score-average",
        weights: str = "equal",
        note: str = "",
    ) -> System:
        """Return the late fusion of other systems.

        >>> System.fused("both", ["brr", "svr"]).model
        'late-fusion'
        """
        return cls(
            name=name, model="late-fusion", fuse=tuple(fuse), method=method, weights=weights, note=note
        )


def grid(
    models: Sequence[str],
    features: Sequence[Sequence[str] | None] = (None,),
    parameters: Mapping[str, Mapping[str, Any]] | None = None,
    aggregate: str | None = None,
) -> list[System]:
    """Return every model on every set of columns.

    Parameters
    ----------
    models
        Names of models.
    features
        Sets of columns; None is what the model asks for.
    parameters
        By model.
    aggregate
        ``mean-of-frames`` scores frames one by one, except for a set in which every column names a reduction
        that leaves one row per video, such as ``clip:mean``.

    Returns
    -------
    list of System
        Named by the model, with the columns behind it where there are several sets of them.

    Examples
    --------
    >>> [s.name for s in grid(["brr", "svr"], [["hog"], ["hog", "flow"]])]
    ['brr hog', 'brr hog+flow', 'svr hog', 'svr hog+flow']
    >>> [s.name for s in grid(["brr", "svr"])]
    ['brr', 'svr']
    """
    if not models or not features:
        raise UsageError("A comparison needs at least one model and one set of features.")
    stranger = next((name for name in parameters or {} if name not in models), None)
    if stranger is not None:
        raise UsageError(
            f"Parameters are given for {stranger!r}, which is not compared; there are {', '.join(models)}."
            f"{nearest(stranger, models)}"
        )
    sets = _named(features)
    return [
        System(
            name=f"{model} {name}" if len(sets) > 1 else model,
            model=model,
            features=None if columns is None else tuple(columns),
            aggregate=None if aggregate is None or _of_videos(columns) else aggregate,
            parameters=(parameters or {}).get(model, {}),
        )
        for model in models
        for name, columns in sets
    ]


def _of_videos(columns: Sequence[str] | None) -> bool:
    reductions = [parse_column(name).reduction for name in columns or ()]
    return bool(reductions) and all(one is not None and not is_of_frames(one) for one in reductions)


def check_names(systems: Iterable[System]) -> list[System]:
    """Return the systems after making sure that each has a name of its own, and names only what is there.

    Raises
    ------
    UsageError
        None, a name that stands twice, an unknown model, or a fusion of what is not there or is itself a fusion.
    """
    systems = list(systems)
    names = [system.name for system in systems]
    if not systems:
        raise UsageError("There is no system to compare.")
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise UsageError(f"Two systems are called {twice!r}; each needs a name of its own.")
    plain = [system.name for system in systems if not system.fuse]
    for system in systems:
        if not system.fuse and system.model != late_fusion.NAME:
            models.get(system.model)
        for member in system.fuse:
            if member not in plain:
                what = "is itself a fusion" if member in names else "is no system of the comparison"
                raise UsageError(
                    f"{system.name!r} fuses {member!r}, which {what}; there are {', '.join(plain)}."
                    f"{nearest(member, plain)}"
                )
    return systems


def choose_baseline(systems: Sequence[System], given: str | None) -> str:
    """Return the name of the system that others are compared with.

    That is the one named `given`, else the first of the model `given`; None is the first of all.

    Raises
    ------
    UsageError
        There is no system of that name, nor one of a model of that name.

    Examples
    --------
    >>> compared = grid(["brr", "svr"], [["hog"], ["flow"]])
    >>> choose_baseline(compared, "svr"), choose_baseline(compared, None)
    ('svr hog', 'brr hog')
    """
    if given is None:
        return systems[0].name
    names = [system.name for system in systems]
    if given in names:
        return given
    of_model = next((system.name for system in systems if system.model == given), None)
    if of_model is None:
        raise UsageError(
            f"The baseline {given!r} is none of the systems: {', '.join(names)}.{nearest(given, names)}"
        )
    return of_model


def _named(sets: Sequence[Sequence[str] | None]) -> list[tuple[str, Sequence[str] | None]]:
    """Return each set of columns with a name that fits into a table; equal ones are numbered."""
    names: list[str] = []
    for columns in sets:
        if columns is not None:
            parse_columns(columns)
        name = "all" if columns is None else "+".join(columns)
        if columns is not None and len(name) > _LONGEST:
            name = f"{columns[0]}+{len(columns) - 1} more"
        names.append(name)
    seen: dict[str, int] = {}
    found = []
    for name, columns in zip(names, sets, strict=True):
        seen[name] = seen.get(name, 0) + 1
        found.append((f"{name} ({seen[name]})" if names.count(name) > 1 else name, columns))
    return found
