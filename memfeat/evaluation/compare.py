"""Several systems on the same rows in the same folds, in one table, with paired differences to one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from memfeat.errors import UsageError
from memfeat.evaluation import fusion, pipeline, system
from memfeat.evaluation.comparison import cache as held_out
from memfeat.evaluation.comparison.aligned import Aligned, Member, align
from memfeat.evaluation.comparison.cache import Held
from memfeat.evaluation.comparison.jobs import Done, Job, Runner
from memfeat.evaluation.comparison.lines import About
from memfeat.evaluation.comparison.result import Comparison
from memfeat.evaluation.comparison.summary import Predicted, summarise
from memfeat.evaluation.comparison.systems import System, check_names, choose_baseline
from memfeat.evaluation.files import marked
from memfeat.evaluation.gather import caution, choose_target, damage, open_store
from memfeat.evaluation.planning import check_missing, check_target, plan_rows
from memfeat.evaluation.split_file import to_table
from memfeat.evaluation.splits import Part, Plan
from memfeat.store.feature_store import FeatureStore


def compare(
    store: FeatureStore | str | Path,
    systems: Sequence[System],
    *,
    target: str | None = None,
    baseline: str | None = None,
    seeds: Sequence[int] = (0,),
    folds: int = 5,
    seed: int = 0,
    split: str = "auto",
    repeats: int = 1,
    group_by: str | None = None,
    missing: str = "error",
    split_file: str | Path | None = None,
    inner_folds: int = 5,
    raw: bool = False,
    resamples: int = 2000,
    level: float = 0.95,
    workers: int = 1,
    scheduler: str | None = None,
    cache: str | Path | None = held_out.FOLDER,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Judge several systems on the rows that all of them can use, in the same folds.

    A system that fails does not end the comparison: its line says why. Held-out predictions are kept as each fit
    ends, so a comparison that is interrupted, or extended, fits only what is new.

    Parameters
    ----------
    store
        A store, a view of one (`FeatureStore.filter`), or the path of one.
    systems
        Models on columns, and fusions of them; see `memfeat.evaluation.comparison.systems`.
    target
        Name of the score; may be left out when there is one.
    baseline
        Name of the system that the others are compared with, or of a model: its first system. Default: the
        first one.
    seeds
        Of the models: a figure is the mean over them. A system that draws nothing is fitted once.
    folds, seed, split, repeats, group_by, split_file
        As for `memfeat.evaluation.fit.fit`; `seed` is that of the folds and of the bootstrap.
    missing
        What becomes of videos that lack a feature of any system, as for `memfeat.evaluation.fit.fit`.
    inner_folds
        Folds of the training rows from which fusions learn.
    raw
        Whether the line of a system with one column of one number also has that column's own correlation with
        the score.
    resamples, level
        As for `memfeat.statistics.figures`. All systems are resampled alike, so that differences are paired.
    workers
        Processes of one thread each; 1 works in this one.
    scheduler
        Address of a Dask scheduler, whose workers are used instead.
    cache
        Folder of held-out predictions, by a digest of everything they depend on; None keeps none.
    progress
        Called with the number of fits done and to do.

    Returns
    -------
    Comparison

    Raises
    ------
    UsageError
        No system can be fitted, no rows are shared, an unknown baseline or target, or an impossible split.
    StoreError
        A file of the store is damaged.
    SetupError
        A process died, the scheduler cannot be reached, or the cache cannot be written.
    """
    systems = check_names(systems)
    seeds = _check_seeds(seeds)
    if workers < 1:
        raise UsageError(f"workers={workers}; at least 1 is needed.")
    chosen = choose_baseline(systems, baseline)
    store = open_store(store)
    target = choose_target(store, target)
    aligned = align(store, systems, target=target, group_by=group_by)
    rows = aligned.rows
    check_missing(store, rows, missing)
    check_target(rows)
    plan = plan_rows(
        rows,
        split=split,
        folds=folds,
        repeats=repeats,
        seed=seed,
        group_by=group_by,
        split_file=split_file,
    )
    work = _Work(store.dataset, aligned, plan, None if cache is None else Path(cache))
    inner = _inner_parts(systems, aligned, plan, folds=inner_folds, seed=seed)
    for member in list(aligned.members.values()):
        wanted = [*plan.parts, *(part for parts in inner.get(member.system.name, []) for part in parts)]
        work.ask(member, seeds, wanted)
    work.run(Runner(workers, scheduler), progress)
    predicted = [found for one in systems for found in _predicted(one, work, plan, seeds, inner)]
    used = plan.used
    blocks = [block for member in aligned.members.values() for block in member.rows.blocks]
    lines, table = summarise(
        predicted,
        rows=rows,
        plan=plan,
        baseline=chosen,
        resamples=resamples,
        level=level,
        seed=seed,
        raw=raw,
        workers=workers,
    )
    return Comparison(
        lines=lines,
        about=About(
            dataset=store.dataset,
            target=target,
            split=plan.name,
            k_fold=plan.kind == "k-fold",
            rule=plan.rule,
            rows=int(used.size),
            judged=int(np.unique(np.concatenate([part.judged for part in plan.parts])).size),
            baseline=chosen,
            level=level,
            resamples=resamples,
            note=caution(store.note, blocks),
            notes=(*plan.notes, *aligned.notes, *_left_out(aligned)),
            damaged=len(damage(store, [rows.ids[k] for k in used])),
        ),
        predictions=marked(table, caution("", blocks)),
        splits=to_table(rows.ids, plan),
        fitted=work.fitted,
        cached=work.cached,
    )


def _check_seeds(seeds: Sequence[int]) -> tuple[int, ...]:
    if not seeds or len(set(seeds)) != len(seeds) or min(seeds) < 0:
        raise UsageError(f"seeds={list(seeds)}; give one or more different numbers from 0 on.")
    return tuple(seeds)


def _left_out(aligned: Aligned) -> list[str]:
    return [f"{len(ids)} left out: {reason}" for reason, ids in aligned.rows.left_out.items()]


def _inner_parts(
    systems: Sequence[System], aligned: Aligned, plan: Plan, *, folds: int, seed: int
) -> dict[str, list[list[Part]]]:
    """Return, for each system that a fusion learns from, the inner fits of each part."""
    needed = {
        name
        for one in systems
        if one.fuse and fusion.needs_inner(one.method, one.weights)
        for name in one.fuse
    }
    if not needed:
        return {}
    parts = [fusion.inner_parts(part, aligned.rows.group, folds=folds, seed=seed) for part in plan.parts]
    return dict.fromkeys(sorted(needed), parts)


class _Work:
    """The fits of a comparison: which are asked for, which are there, and what came of them."""

    def __init__(self, dataset: str, aligned: Aligned, plan: Plan, cache: Path | None) -> None:
        self.aligned = aligned
        self.failed = dict(aligned.failed)
        self.fitted = self.cached = 0
        self._dataset, self._plan, self._cache = dataset, plan, cache
        self._digests: dict[int, str] = {}
        self._jobs: dict[str, Job] = {}
        self._keys: dict[tuple[str, int, str], str] = {}
        self._held: dict[str, Held] = {}
        self._broken: dict[str, str] = {}
        self._draws: dict[str, bool] = {}

    def ask(self, member: Member, seeds: Sequence[int], parts: Sequence[Part]) -> None:
        """Note the fits of a system on some parts, and take those that are kept."""
        name = member.system.name
        try:
            draws = _draws(member)
        except UsageError as error:
            self.failed[name] = str(error)
            return
        self._draws[name] = draws
        for seed in seeds if draws else (0,):
            for part in parts:
                key = system.digest(
                    member.rows,
                    replace(self._plan, parts=(part,)),
                    dataset=self._dataset,
                    model=member.spec.name,
                    seed=seed,
                    parameters=member.parameters,
                    known=self._digests,
                )
                self._keys[name, seed, part.name] = key
                if key in self._jobs or key in self._held:
                    continue
                kept = None if self._cache is None else held_out.read(self._cache, key, rows=part.judged.size)
                if kept is not None:
                    self._held[key] = kept
                    self.cached += 1
                else:
                    self._jobs[key] = Job(
                        key, name, member.spec.name, member.parameters, seed, member.rows, part
                    )

    def run(self, runner: Runner, progress: Callable[[int, int], None] | None) -> None:
        """Make the fits that are not there, and keep each."""
        # Part by part, so that the slow systems of a comparison do not all come last.
        jobs = sorted(self._jobs.values(), key=lambda job: job.part.name)
        total, done = len(jobs), 0

        def receive(job: Job, result: Done) -> None:
            nonlocal done
            done += 1
            if result.held is None:
                self._broken[job.key] = result.failure
            else:
                self.fitted += 1
                self._held[job.key] = result.held
                if self._cache is not None:
                    held_out.write(self._cache, job.key, result.held)
            if progress is not None:
                progress(done, total)

        if progress is not None and jobs:
            progress(0, total)
        if jobs:
            runner.run(jobs, receive)
        for (name, _, _), key in self._keys.items():
            if key in self._broken:
                self.failed.setdefault(name, self._broken[key])
        for (name, _, part), key in self._keys.items():
            if key not in self._held:
                self.failed.setdefault(name, f"{part} was not fitted, because an equal system failed")

    def draws(self, name: str) -> bool:
        """Return whether a system was fitted with each seed."""
        return self._draws[name]

    def held(self, name: str, seed: int, part: Part) -> Held:
        """Return what a system fitted with that seed predicts of the rows that a part judges."""
        return self._held[self._keys[name, seed if self._draws[name] else 0, part.name]]


def _draws(member: Member) -> bool:
    """Return whether a system depends on its seed; UsageError when it cannot be built on its columns."""
    import joblib

    unfitted = [
        pipeline.build(member.rows.blocks, member.spec, seed=seed, parameters=member.parameters)
        for seed in (0, 1)
    ]
    return bool(joblib.hash(unfitted[0]) != joblib.hash(unfitted[1]))


def _predicted(
    one: System, work: _Work, plan: Plan, seeds: Sequence[int], inner: Mapping[str, list[list[Part]]]
) -> list[Predicted]:
    """Return the predictions of a system, those of each of its readings apart."""
    if one.fuse:
        return [_fused(one, work, plan, seeds, inner)]
    if one.name in work.failed:
        return [Predicted.failed(one, work.failed[one.name])]
    member = work.aligned.members[one.name]
    used = tuple(seeds) if work.draws(one.name) else tuple(seeds[:1])
    held = {seed: [work.held(one.name, seed, part) for part in plan.parts] for seed in used}
    heard = system.notes_of(
        system.Fitted(None, found.notes, found.reduced) for several in held.values() for found in several
    )
    return [
        Predicted(
            name=f"{one.name} [{reading}]" if reading else one.name,
            system=one,
            member=member,
            values={seed: [found.predicted[reading] for found in held[seed]] for seed in used},
            deviations={} if reading else {seed: [found.deviation for found in held[seed]] for seed in used},
            notes=() if reading else (*_own_note(one), *(n.removeprefix(f"{one.model}: ") for n in heard)),
        )
        for reading in held[used[0]][0].predicted
    ]


def _own_note(one: System) -> tuple[str, ...]:
    return (one.note,) if one.note else ()


def _fused(
    one: System, work: _Work, plan: Plan, seeds: Sequence[int], inner: Mapping[str, list[list[Part]]]
) -> Predicted:
    broken = [name for name in one.fuse if name in work.failed]
    if broken:
        return Predicted.failed(one, f"it fuses {', '.join(broken)}, which failed")
    y = work.aligned.rows.y
    used = tuple(seeds) if any(work.draws(name) for name in one.fuse) else tuple(seeds[:1])
    values: dict[int, list[Any]] = {seed: [] for seed in used}
    weights = []
    for seed in used:
        for k, part in enumerate(plan.parts):
            made = _learned(one, work, part, inner.get(one.fuse[0], [[]] * len(plan.parts))[k], seed, y)
            weights.append(made.weights)
            members = [work.held(name, seed, part).predicted[""] for name in one.fuse]
            values[seed].append(made.combine(np.stack(members, axis=1)))
    mean = np.mean(weights, axis=0)
    said = ", ".join(f"{name} {weight:.2f}" for name, weight in zip(one.fuse, mean, strict=True))
    found = one.weights == "inner-folds"
    notes = (*_own_note(one), *([f"weights {said} (mean over {len(weights)} fits)"] if found else []))
    return Predicted(name=one.name, system=one, member=None, values=values, deviations={}, notes=notes)


def _learned(one: System, work: _Work, part: Part, inner: Sequence[Part], seed: int, y: Any) -> fusion.Fusion:
    if not fusion.needs_inner(one.method, one.weights):
        return fusion.learn(one.method, one.weights, len(one.fuse))
    rows = np.sort(part.fit)
    predictions = np.empty((rows.size, len(one.fuse)))
    folds = np.empty(rows.size, np.intp)
    for fold, inside in enumerate(inner):
        there = np.searchsorted(rows, inside.judged)
        folds[there] = fold
        for k, name in enumerate(one.fuse):
            predictions[there, k] = work.held(name, seed, inside).predicted[""]
    return fusion.learn(one.method, one.weights, len(one.fuse), inner=predictions, folds=folds, y=y[rows])
