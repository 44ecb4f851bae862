"""The same rows for every system of a comparison, each system with its own columns of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from memfeat import extractors, models
from memfeat.errors import MemfeatError, UsageError, nearest
from memfeat.evaluation.assemble import resolve
from memfeat.evaluation.columns import parse_column
from memfeat.evaluation.comparison.systems import System
from memfeat.evaluation.frames import columns_of
from memfeat.evaluation.gather import NO_SCORE, Rows, gather
from memfeat.evaluation.parameters import check as check_parameters
from memfeat.evaluation.planning import flat_columns
from memfeat.evaluation.preparation import Blocks
from memfeat.models import ModelSpec
from memfeat.store.feature_store import FeatureStore
from memfeat.store.index import load_index


@dataclass(frozen=True, slots=True)
class Member:
    """A system that can be fitted: its model, its checked parameters and its columns of the shared rows."""

    system: System
    spec: ModelSpec
    parameters: dict[str, Any]
    rows: Rows


@dataclass(frozen=True, slots=True)
class Aligned:
    """Systems on the same rows."""

    rows: Rows
    """Those that every system can use, with all columns of all systems."""
    members: dict[str, Member]
    """By name, without fusions and failed ones."""
    failed: dict[str, str]
    """Why a system cannot be fitted, by name."""
    notes: tuple[str, ...]


def align(
    store: FeatureStore, systems: Sequence[System], *, target: str, group_by: str | None = None
) -> Aligned:
    """Return the rows that all systems can use, and the systems on them.

    A system that cannot be had at all (an unknown model, a feature that is not stored) is a failure in the
    result, unless all are.

    Parameters
    ----------
    store, target, group_by
        As for `memfeat.evaluation.gather.gather`.
    systems
        Checked ones; fusions are passed over.

    Raises
    ------
    UsageError
        No system can be had, or no row is left that all of them can use. Features that are not stored are
        listed together, with how to extract them.
    """
    failed: dict[str, str] = {}
    notes: list[str] = []
    made: dict[str, tuple[ModelSpec, dict[str, Any]]] = {}
    wanted: dict[str, tuple[str, ...]] = {}
    for system in systems:
        if system.fuse:
            continue
        try:
            spec = models.get(system.model)
            made[system.name] = spec, check_parameters(spec, system.parameters)
            wanted[system.name], said = _columns(store, system, spec, target=target, group_by=group_by)
            notes += [f"{system.name}: {note}" for note in said]
        except MemfeatError as error:
            failed[system.name] = str(error)
    if not wanted:
        raise UsageError(_none_left(store, systems, failed))
    names = list(dict.fromkeys(name for columns in wanted.values() for name in columns))
    try:
        rows: Rows | None = gather(store, target=target, columns=names, group_by=group_by)
    except UsageError:
        rows = None
    if rows is None or set(rows.left_out) - {NO_SCORE}:
        counts = _alone(store, wanted, failed, target=target, group_by=group_by)
        wanted = {name: columns for name, columns in wanted.items() if name not in failed}
        if not wanted:
            raise UsageError(_none_left(store, systems, failed))
        names = list(dict.fromkeys(name for columns in wanted.values() for name in columns))
        try:
            rows = gather(store, target=target, columns=names, group_by=group_by)
        except UsageError as error:
            listed = "; ".join(f"{name} {count}" for name, count in counts.items())
            raise UsageError(
                f"The systems have no rows in common (usable rows by system: {listed}). Compare those apart "
                f"whose rows differ. {error}"
            ) from error
        if more := [f"{name} {count}" for name, count in counts.items() if count > len(rows.ids)]:
            notes.append(
                f"{len(rows.ids)} rows are shared by all systems; alone could use: {', '.join(more)}"
            )
    members = {}
    for name, columns in wanted.items():
        own = _of(rows, columns)
        if own is None:
            failed[name] = f"no column is left of {', '.join(columns)}: {'; '.join(rows.notes)}"
            continue
        notes += [f"{name}: {note}" for note in flat_columns(own)]
        spec, parameters = made[name]
        system = next(system for system in systems if system.name == name)
        members[name] = Member(system, spec, parameters, own)
    if not members:
        raise UsageError(_none_left(store, systems, failed))
    return Aligned(rows, members, failed, tuple(dict.fromkeys((*notes, *rows.notes))))


def _columns(
    store: FeatureStore, system: System, spec: ModelSpec, *, target: str, group_by: str | None
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the full names of a system's columns, and what there is to say of a choice that was not made."""
    features = columns_of(system.features, system.aggregate)
    if features is not None:
        return tuple(column.name for column in resolve(store, features)), ()
    rows = gather(store, target=target, columns=None, choose=spec.columns, group_by=group_by)
    return tuple(block.name for block in rows.blocks), rows.notes


def _alone(
    store: FeatureStore,
    wanted: dict[str, tuple[str, ...]],
    failed: dict[str, str],
    *,
    target: str,
    group_by: str | None,
) -> dict[str, int]:
    """Return how many rows each system could use by itself; one that has none is added to `failed`."""
    known: dict[tuple[str, ...], int | str] = {}
    for columns in wanted.values():
        if columns not in known:
            try:
                known[columns] = len(gather(store, target=target, columns=columns, group_by=group_by).ids)
            except UsageError as error:
                known[columns] = str(error)
    counts = {}
    for name, columns in wanted.items():
        found = known[columns]
        if isinstance(found, int):
            counts[name] = found
        else:
            failed[name] = found
    return counts


def _of(rows: Rows, columns: tuple[str, ...]) -> Rows | None:
    """Return the rows with these columns alone, in this order; None where none is left."""
    there = {block.name: k for k, block in enumerate(rows.blocks)}
    chosen = [there[name] for name in columns if name in there]
    if not chosen:
        return None
    return replace(
        rows,
        blocks=tuple(rows.blocks[k] for k in chosen),
        X=Blocks([rows.X.arrays[k] for k in chosen]),
    )


def _none_left(store: FeatureStore, systems: Sequence[System], failed: dict[str, str]) -> str:
    there = {*load_index(store.path).features(), *(store.texts or {})}
    asked = [name for system in systems for name in system.features or ()]
    features = list(dict.fromkeys(parse_column(name).feature for name in asked))
    lacking = [name for name in features if name not in there]
    if not lacking:
        reasons = "; ".join(f"{name}: {why}" for name, why in failed.items())
        return f"No system can be fitted on {store.path}. {reasons}"
    known = [name for name in lacking if name in extractors.names() or extractors.is_network(name)]
    remedy = f" Extract with: memfeat extract {store.dataset} --features {','.join(known)}." if known else ""
    others = [name for name in lacking if name not in known]
    also = (
        f" {', '.join(others)}: nothing here measures it; import it (memfeat store import) or correct the name."
        f"{nearest(others[0], there)}"
        if others
        else ""
    )
    return f"{store.path} lacks {', '.join(lacking)}.{remedy}{also}"
