"""Which rows a model is fitted on and which rows it is judged on.

The dataset's own split where it has one, one of several that it has, all of them in turn, or seeded k-fold,
once or repeated, with all rows of a group in one fold when there are groups. Rows are put in order of their
ids first, so a split never depends on the order of a file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from memfeat.errors import UsageError, nearest
from memfeat.evaluation.folds import MIN_JUDGED, Positions, assign
from memfeat.store.labels import RESERVED_SPLITS

__all__ = ["FIT", "MIN_JUDGED", "MODES", "Part", "Plan", "Positions", "own", "plan", "role"]

MODES = RESERVED_SPLITS
FIT = "fit"
"""What a table of a split calls rows that were only fitted."""
_ROLES = {
    "train": ("train", "training", FIT),
    "val": ("val", "valid", "validation", "dev", "development"),
    "test": ("test", "testing"),
}
Splits = Mapping[str, Sequence[str | None]]


@dataclass(frozen=True, slots=True)
class Part:
    """One fit and the rows it is judged on, as positions in the ids given to `plan`."""

    name: str
    """What the judged rows are called: ``fold 1``, ``test``, ``dev``; ``repeat 2 fold 1``, ``fold3 test``."""
    fit: Positions
    judged: Positions
    of: str = ""
    """The repeat or the named split that the part belongs to, where there may be several: ``repeat 2``."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All fits that judge one model on one dataset."""

    kind: Literal["official", "k-fold"]
    """``k-fold``: several parts, whose mean is the figure; ``official``: one part."""
    name: str
    """For tables: ``5-fold``, ``5-fold by group``, ``5-fold, 3 times``, ``test``, ``dev``, ``fold1 test``."""
    rule: str
    """One sentence: how rows were assigned."""
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, such as a test set without scores."""

    @property
    def smallest_fit(self) -> int:
        """Number of rows of the smallest fit."""
        return min(part.fit.size for part in self.parts)

    @property
    def used(self) -> Positions:
        """Positions of the rows that any part fits or judges, sorted."""
        return np.unique(np.concatenate([np.r_[part.fit, part.judged] for part in self.parts]))


def plan(
    ids: Sequence[str],
    *,
    split: Sequence[str | None] | None = None,
    named: Splits | None = None,
    group: Sequence[str | None] | None = None,
    group_by: str = "group",
    unlabelled: Sequence[str | None] = (),
    unlabelled_named: Splits | None = None,
    mode: str = "auto",
    folds: int = 5,
    repeats: int = 1,
    seed: int = 0,
) -> Plan:
    """Assign labelled rows to fits.

    Parameters
    ----------
    ids
        Unique ids of the rows that can be used, in any order.
    split
        The dataset's own split of each row: train, val (or dev), test, in their usual spellings.
    named
        Further splits that the dataset comes with, by name, each as `split`.
    group
        Source, title or category of each row; rows of one group are never on both sides of a fold.
        A row without a group is its own.
    group_by
        What `group` is, for the plan's name.
    unlabelled, unlabelled_named
        Splits of the rows without a score, to say when a test set has none.
    mode
        ``official``: test is judged when it has scores, after a fit on train and val; else val is judged
        after a fit on train. The name of a split in `named`: that one, likewise. ``all-folds``: each of
        `named` in turn; the figure is the mean over them. ``k-fold``: every row is judged by a model that has
        not seen its fold. ``auto``: ``official`` where the dataset has such a split; its folds where it has
        folds alone (or the one named split that it has); else ``k-fold``.
    folds, repeats, seed
        Number of folds, how often rows are shuffled anew, and the seed of the first shuffle; the next one has
        `seed` + 1, and so on.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        An unknown mode, too few rows or groups for the folds, no official split that could be judged, or
        repeats of a split that is always the same.

    Examples
    --------
    >>> made = plan([f"v{i}" for i in range(10)], folds=2)
    >>> made.name, [part.judged.size for part in made.parts]
    ('2-fold', [5, 5])
    >>> [part.name for part in plan([f"v{i}" for i in range(10)], folds=2, repeats=2).parts]
    ['repeat 1 fold 1', 'repeat 1 fold 2', 'repeat 2 fold 1', 'repeat 2 fold 2']
    >>> made = plan(list("abcdef"), split=["train"] * 3 + ["dev"] * 3, unlabelled=["test"] * 4)
    >>> made.name, made.notes
    ('dev', ('test has 4 rows and no scores, so dev is judged',))
    """
    named = named or {}
    if mode not in MODES and mode not in named:
        choices = [*MODES, *named]
        raise UsageError(
            f"Unknown split {mode!r} (--split); there are {', '.join(choices)}.{nearest(mode, choices)}"
        )
    if len(set(ids)) != len(ids):
        twice = [name for name, count in Counter(ids).items() if count > 1][:3]
        raise UsageError(f"Ids must be unique; more than one row has {', '.join(map(repr, twice))}.")
    if repeats < 1:
        raise UsageError(f"repeats={repeats}; give 1 or more.")
    made: Plan | None = None
    notes: tuple[str, ...] = ()
    if mode != "k-fold":
        made, notes = _official(mode, split, unlabelled, named, unlabelled_named or {}, len(ids))
    if made is None:
        return _k_fold(ids, group, group_by, folds, repeats, seed, notes)
    if repeats > 1:
        raise UsageError(
            f"repeats={repeats} shuffles folds anew, and {made.name} is always the same. Use split='k-fold' "
            "(--split k-fold) with repeats."
        )
    return made


def _official(
    mode: str,
    split: Sequence[str | None] | None,
    unlabelled: Sequence[str | None],
    named: Splits,
    withheld: Splits,
    n: int,
) -> tuple[Plan | None, tuple[str, ...]]:
    """Return what the dataset's own splits make, or None and notes on why they make nothing."""
    if mode in named:
        return _named(mode, named, withheld, n), ()
    if mode == "all-folds":
        return _all_named(named, withheld, n), ()
    made, why_not = own(split, unlabelled, n)
    if made is not None:
        return made, ()
    listed = ", ".join(named)
    if mode == "official":
        also = f", or one of its own: {listed}" if named else ""
        raise UsageError(
            f"The dataset's own split cannot be used: {why_not}. Use split='k-fold'{also} (--split)."
        )
    notes = (f"k-fold, because {why_not}",) if split is not None and any(split) else ()
    if named and not notes:
        if len(named) == 1:
            made = _named(listed, named, withheld, n)
        elif all(re.fullmatch(r"(fold|split)[ _-]?\d+", name) for name in named):
            made = _all_named(named, withheld, n)
        else:
            notes = (f"k-fold, because the dataset has several splits and none was named: {listed}",)
    return made, notes


def role(name: str | None) -> str | None:
    """Return ``train``, ``val`` or ``test`` for any usual spelling of it, else None.

    >>> role("Dev-set"), role("fold 1")
    ('val', None)
    """
    if not name:
        return None
    plain = name.strip().lower().replace("_", " ").replace("-", " ").removesuffix("set").strip()
    return next((role for role, spellings in _ROLES.items() if plain in spellings), None)


def own(
    split: Sequence[str | None] | None, unlabelled: Sequence[str | None], n: int, *, of: str = ""
) -> tuple[Plan | None, str]:
    """Return the plan that a column of train, val and test makes, or None and why it makes none.

    Parameters
    ----------
    split
        The column, for the `n` rows that can be used.
    unlabelled
        The column, for rows without a score.
    n
        Number of rows.
    of
        Name of the split where a dataset has several; part of the plan's name.
    """
    if split is None or not any(split):
        return None, "no row has a split"
    if len(split) != n:
        raise UsageError(f"{len(split)} splits for {n} rows; one for each row was expected.")
    roles = np.array([role(name) or "" for name in split])
    rows = {role: np.flatnonzero(roles == role) for role in _ROLES}
    called = {role: _spelling(role, [*split, *unlabelled]) for role in _ROLES}
    notes = []
    strangers = sorted({str(name) for name, role in zip(split, roles, strict=True) if name and not role})
    if strangers:
        count = sum(1 for name, role in zip(split, roles, strict=True) if name and not role)
        notes.append(f"{count} rows of split {', '.join(strangers)} are neither fitted nor judged")
    unassigned = sum(1 for name in split if not name)
    if unassigned:
        notes.append(f"{unassigned} rows without a split are neither fitted nor judged")
    withheld = sum(1 for name in unlabelled if role(name) == "test")
    if rows["test"].size >= MIN_JUDGED and (rows["train"].size or rows["val"].size):
        judged, fitted = "test", [role for role in ("train", "val") if rows[role].size]
        if withheld:
            notes.append(f"{withheld} rows of {called['test']} have no scores and are not judged")
    elif rows["val"].size >= MIN_JUDGED and rows["train"].size:
        judged, fitted = "val", ["train"]
        if withheld:
            notes.append(f"{called['test']} has {withheld} rows and no scores, so {called['val']} is judged")
    else:
        sizes = ", ".join(f"{rows[role].size} {called[role]}" for role in _ROLES)
        other = f" ({', '.join(strangers)} are unknown)" if strangers else ""
        return None, f"the rows with scores are {sizes}{other}"
    fit = np.sort(np.concatenate([rows[role] for role in fitted]))
    if fit.size < MIN_JUDGED:
        return None, f"only {fit.size} rows are there to be fitted"
    words = " and ".join(called[role] for role in fitted)
    name = f"{of} {called[judged]}".strip()
    whose = f"split {of!r}" if of else "own split"
    return Plan(
        kind="official",
        name=name,
        rule=f"the dataset's {whose}: fitted on {words} ({fit.size} rows), judged on {called[judged]}",
        parts=(Part(name, fit, rows[judged], of),),
        notes=tuple(notes),
    ), ""


def _spelling(wanted: str, split: Sequence[str | None]) -> str:
    return "/".join(sorted({name.strip() for name in split if name and role(name) == wanted})) or wanted


def _named(name: str, named: Splits, withheld: Splits, n: int) -> Plan:
    made, why_not = own(named[name], withheld.get(name, ()), n, of=name)
    if made is None:
        raise UsageError(f"The dataset's split {name!r} cannot be used: {why_not}. Use split='k-fold'.")
    return made


def _all_named(named: Splits, withheld: Splits, n: int) -> Plan:
    if not named:
        raise UsageError("The dataset has no folds of its own for split='all-folds'. Use split='k-fold'.")
    made = [_named(name, named, withheld, n) for name in named]
    counts = Counter(note for one in made for note in one.notes)
    notes = [f"{note} ({count} of {len(made)} folds)" for note, count in counts.items()]
    sizes = ", ".join(sorted({f"{one.parts[0].fit.size} + {one.parts[0].judged.size}" for one in made}))
    return Plan(
        kind="k-fold",
        name=f"{len(made)} official folds",
        rule=f"the dataset's own folds {', '.join(named)}: each fitted and judged on its own ({sizes} rows)",
        parts=tuple(part for one in made for part in one.parts),
        notes=tuple(notes),
    )


def _k_fold(
    ids: Sequence[str],
    group: Sequence[str | None] | None,
    group_by: str,
    folds: int,
    repeats: int,
    seed: int,
    notes: tuple[str, ...],
) -> Plan:
    parts: list[Part] = []
    for repeat in range(repeats):
        fold_of = assign(ids, group, folds=folds, seed=seed + repeat)
        these = [
            Part(f"fold {fold + 1}", np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold))
            for fold in range(folds)
        ]
        if repeats > 1:
            of = f"repeat {repeat + 1}"
            these = [replace(part, name=f"{of} {part.name}", of=of) for part in these]
        parts += these
    grouped = group is not None and any(group)
    name = f"{folds}-fold by {group_by}" if grouped else f"{folds}-fold"
    what = "groups" if group_by == "group" else f"rows of one {group_by}"
    how = f"{what} kept whole, " if grouped else ""
    seeds = f"seed {seed}" if repeats == 1 else f"seeds {seed} to {seed + repeats - 1}"
    again = f"{repeats} times " if repeats > 1 else ""
    return Plan(
        kind="k-fold",
        name=f"{name}, {repeats} times" if repeats > 1 else name,
        rule=f"{folds} folds of the rows in order of their ids, {how}{again}shuffled with {seeds}",
        parts=tuple(parts),
        notes=notes,
    )
