"""Seeded folds of rows, with groups kept whole.

Rows are put in order of their ids first, so folds never depend on the order of a file.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError

Positions = npt.NDArray[np.intp]
MIN_JUDGED = 3  # fewer rows have no rank correlation worth the name


def assign(ids: Sequence[str], group: Sequence[str | None] | None, *, folds: int, seed: int) -> Positions:
    """Return the fold of each row, 0 to `folds` - 1.

    Parameters
    ----------
    ids
        Unique ids of the rows, in any order.
    group
        Rows of one group come into one fold; a row without a group is its own. None: no groups.
    folds, seed
        Number of folds and seed of the shuffle. Without groups these are scikit-learn's own folds of the rows
        in order of their ids, which a plain script can repeat.

    Raises
    ------
    UsageError
        Too few rows or groups for the folds.

    Examples
    --------
    >>> assign([f"v{k}" for k in range(6)], list("aabbcc"), folds=2, seed=0).tolist()
    Traceback (most recent call last):
        ...
    memfeat.errors.UsageError: Groups make folds of [4, 2] rows; every fold needs 3. Use fewer folds.
    >>> assign([f"v{k}" for k in range(6)], list("aaabbb"), folds=2, seed=0).tolist()
    [0, 0, 0, 1, 1, 1]
    """
    n = len(ids)
    if folds < 2:
        raise UsageError(f"folds={folds}; at least 2 are needed.")
    if n < folds * MIN_JUDGED:
        most = n // MIN_JUDGED
        remedy = f"use at most folds={most}" if most >= 2 else f"at least {2 * MIN_JUDGED} rows are needed"
        raise UsageError(f"{n} rows are too few for {folds} folds of {MIN_JUDGED} or more; {remedy}.")
    by_id = np.array(sorted(range(n), key=lambda position: ids[position]), dtype=np.intp)
    if group is not None and any(group):
        return _grouped(ids, group, by_id, folds, seed)
    return _shuffled(by_id, folds, seed)


def joined(texts: Sequence[Sequence[str]]) -> list[str | None]:
    """Return a group for each row such that rows that share a text share a group; None for a row without any.

    >>> joined([["surf", "beach"], ["run"], ["beach"], []])
    ['beach', 'run', 'beach', None]
    """
    parent: dict[str, str] = {}

    def root(text: str) -> str:
        while parent.setdefault(text, text) != text:
            parent[text] = parent[parent[text]]
            text = parent[text]
        return text

    for row in texts:
        for text in row:
            one, other = sorted((root(row[0]), root(text)))
            parent[other] = one
    return [root(row[0]) if row else None for row in texts]


def _shuffled(by_id: Positions, folds: int, seed: int) -> Positions:
    from sklearn.model_selection import KFold

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
