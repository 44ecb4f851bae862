"""Which rows a model is fitted on and which rows it is judged on.

The dataset's own split where it has one, else seeded k-fold, with all rows of a group in one fold when there
are groups. Rows are put in order of their ids first, so a split never depends on the order of a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError, nearest

Positions = npt.NDArray[np.intp]
Mode = Literal["auto", "official", "k-fold"]
MIN_JUDGED = 3  # fewer rows have no rank correlation worth the name
_ROLES = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev", "development"),
    "test": ("test", "testing"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One fit and the rows it is judged on, as positions in the ids given to `plan`."""

    name: str
    """What the judged rows are called: ``fold 1``, ``test``, ``dev``."""
    fit: Positions
    judged: Positions


@dataclass(frozen=True, slots=True)
class Plan:
    """All fits that judge one model on one dataset."""

    kind: Literal["official", "k-fold"]
    name: str
    """For tables: ``5-fold``, ``5-fold by group``, ``test``, ``dev``."""
    rule: str
    """One sentence: how rows were assigned."""
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()
    """What a reader of the figures must know, such as a test set without scores."""

    @property
    def smallest_fit(self) -> int:
        """Number of rows of the smallest fit."""
        return min(part.fit.size for part in self.parts)


def plan(
    ids: Sequence[str],
    *,
    split: Sequence[str | None] | None = None,
    group: Sequence[str | None] | None = None,
    unlabelled: Sequence[str | None] = (),
    mode: Mode = "auto",
    folds: int = 5,
    seed: int = 0,
) -> Plan:
    """Assign labelled rows to fits.

    Parameters
    ----------
    ids
        Unique ids of the rows that can be used, in any order.
    split
        The dataset's own split of each row: train, val (or dev), test, in their usual spellings.
    group
        Source, title or category of each row; rows of one group are never on both sides of a fold.
        A row without a group is its own.
    unlabelled
        Splits of the rows without a score, to say when a test set has none.
    mode
        ``official``: test is judged when it has scores, after a fit on train and val; else val is judged
        after a fit on train. ``k-fold``: every row is judged by a model that has not seen its fold.
        ``auto``: ``official`` where the dataset has such a split, else ``k-fold``.
    folds, seed
        Number of folds and seed of the shuffle.

    Returns
    -------
    Plan

    Raises
    ------
    UsageError
        An unknown mode, too few rows or groups for the folds, or no official split that could be judged.

    Examples
    --------
    >>> made = plan([f"v{i}" for i in range(10)], folds=2)
    >>> made.name, [part.judged.size for part in made.parts]
    ('2-fold', [5, 5])
    >>> made = plan(list("abcdef"), split=["train"] * 3 + ["dev"] * 3, unlabelled=["test"] * 4)
    >>> made.name, made.notes
    ('dev', ('test has 4 rows and no scores, so dev is judged',))
    """
    if mode not in get_args(Mode):
        choices = get_args(Mode)
        raise UsageError(f"Unknown split {mode!r}; there are {', '.join(choices)}.{nearest(mode, choices)}")
    if len(set(ids)) != len(ids):
        twice = [name for name, count in Counter(ids).items() if count > 1][:3]
        raise UsageError(f"Ids must be unique; more than one row has {', '.join(map(repr, twice))}.")
    if mode != "k-fold":
        official, why_not = _official(split, unlabelled, len(ids))
        if official is not None:
            return official
        if mode == "official":
            raise UsageError(f"The dataset's own split cannot be used: {why_not}. Use split='k-fold'.")
        notes = (f"k-fold, because {why_not}",) if split is not None and any(split) else ()
        return _k_fold(ids, group, folds, seed, notes)
    return _k_fold(ids, group, folds, seed, ())


def _role(name: str | None) -> str | None:
    if not name:
        return None
    plain = name.strip().lower().replace("_", " ").replace("-", " ").removesuffix("set").strip()
    return next((role for role, spellings in _ROLES.items() if plain in spellings), None)


def _official(
    split: Sequence[str | None] | None, unlabelled: Sequence[str | None], n: int
) -> tuple[Plan | None, str]:
    if split is None or not any(split):
        return None, "no row has a split"
    if len(split) != n:
        raise UsageError(f"{len(split)} splits for {n} rows; one for each row was expected.")
    roles = np.array([_role(name) or "" for name in split])
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
    withheld = sum(1 for name in unlabelled if _role(name) == "test")
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
    return Plan(
        kind="official",
        name=called[judged],
        rule=f"the dataset's own split: fitted on {words} ({fit.size} rows), judged on {called[judged]}",
        parts=(Part(called[judged], fit, rows[judged]),),
        notes=tuple(notes),
    ), ""


def _spelling(role: str, split: Sequence[str | None]) -> str:
    return "/".join(sorted({name.strip() for name in split if name and _role(name) == role})) or role


def _k_fold(
    ids: Sequence[str], group: Sequence[str | None] | None, folds: int, seed: int, notes: tuple[str, ...]
) -> Plan:
    n = len(ids)
    if folds < 2:
        raise UsageError(f"folds={folds}; at least 2 are needed.")
    if n < folds * MIN_JUDGED:
        most = n // MIN_JUDGED
        remedy = f"use at most folds={most}" if most >= 2 else f"at least {2 * MIN_JUDGED} rows are needed"
        raise UsageError(f"{n} rows are too few for {folds} folds of {MIN_JUDGED} or more; {remedy}.")
    by_id = np.array(sorted(range(n), key=lambda position: ids[position]), dtype=np.intp)
    grouped = group is not None and any(group)
    fold_of = _grouped(ids, group or (), by_id, folds, seed) if grouped else _shuffled(by_id, folds, seed)
    parts = [
        Part(f"fold {fold + 1}", np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold))
        for fold in range(folds)
    ]
    how = "groups kept whole, " if grouped else ""
    return Plan(
        kind="k-fold",
        name=f"{folds}-fold by group" if grouped else f"{folds}-fold",
        rule=f"{folds} folds of the rows in order of their ids, {how}shuffled with seed {seed}",
        parts=tuple(parts),
        notes=notes,
    )


def _shuffled(by_id: Positions, folds: int, seed: int) -> Positions:
    from sklearn.model_selection import KFold

    # scikit-learn's own folds of the rows sorted by id: a plain script can repeat them.
    fold_of = np.empty(by_id.size, dtype=np.intp)
    for fold, (_, held_out) in enumerate(KFold(folds, shuffle=True, random_state=seed).split(by_id)):
        fold_of[by_id[held_out]] = fold
    return fold_of


def _grouped(
    ids: Sequence[str], group: Sequence[str | None], by_id: Positions, folds: int, seed: int
) -> Positions:
    if len(group) != len(ids):
        raise UsageError(f"{len(group)} groups for {len(ids)} rows; one for each row was expected.")
    members: dict[tuple[str, str], list[int]] = {}
    for position in by_id:
        name = group[position]
        members.setdefault(("group", name) if name else ("id", ids[position]), []).append(int(position))
    if len(members) < folds:
        raise UsageError(
            f"{len(members)} groups are too few for {folds} folds; use at most folds={len(members)}."
        )
    names = sorted(members)
    shuffled = [names[k] for k in np.random.default_rng(seed).permutation(len(names))]
    fold_of = np.empty(len(ids), dtype=np.intp)
    sizes = [0] * folds
    # Large groups first, each into the smallest fold so far: folds end up as even as groups allow.
    for name in sorted(shuffled, key=lambda name: -len(members[name])):
        fold = sizes.index(min(sizes))
        fold_of[members[name]] = fold
        sizes[fold] += len(members[name])
    if min(sizes) < MIN_JUDGED:
        raise UsageError(
            f"Groups make folds of {sizes} rows; every fold needs {MIN_JUDGED}. Use fewer folds."
        )
    return fold_of
