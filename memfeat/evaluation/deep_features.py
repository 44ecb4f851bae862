"""Features of networks for new files: the networks of a run, found again by its recipes, run as for a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy.typing as npt

from memfeat import extractors
from memfeat.errors import UsageError
from memfeat.evaluation.pipeline import Block
from memfeat.extraction.deep.backends import opener
from memfeat.extraction.deep.decoding import Problem
from memfeat.extraction.deep.device import choose_devices
from memfeat.extraction.deep.frames import Reading
from memfeat.extraction.deep.wanted import Wanted, resolve
from memfeat.extraction.pool import usable_cores
from memfeat.measure import Measured
from memfeat.network_extractor import Settings
from memfeat.store.canonical import InvalidFeatureError, canonical
from memfeat.store.index import damage_of
from memfeat.store.source import Source
from memfeat.weights.choice import Choice

Column = tuple[str, str]
"""Feature and reduction."""


@dataclass(frozen=True, slots=True)
class DeepRows:
    """What the networks of a run gave for one file: its columns, or why there are none."""

    rows: dict[Column, npt.NDArray[Any]] = field(default_factory=dict)
    damage: str = ""
    error: str = ""
    message: str = ""


def networks_of(blocks: Iterable[Block], *, weights: Path | None = None) -> list[Wanted]:
    """Return the networks whose features the columns of a run are, with the weights that their recipes name.

    Parameters
    ----------
    blocks
        The columns of the run; those that are no network's are passed over.
    weights
        The file of weights, where the features were computed with a file given by hand.

    Raises
    ------
    UsageError
        The weights at hand are not those of the run.
    WeightsError
        Weights are absent or damaged.
    """
    recipes = {block.feature: block.recipe for block in blocks if extractors.is_network(block.feature)}
    found = []
    for name, recipe in recipes.items():
        known = dict(recipe or {})
        network = extractors.get_network(str(known.get("extractor", name)))
        told = known.get("weights") or {}
        own = weights if network.weighted else None
        choice = Choice(seed=told["random"]) if "random" in told else Choice(file=own)
        settings = Settings(
            choice=choice,
            precision=known.get("precision", "float32"),
            decoder=known.get("decoder", "pyav"),
        )
        (wanted,) = resolve([network], settings)
        digest = told.get("sha256", wanted.digest)
        if wanted.file is not None and wanted.digest != digest:
            raise UsageError(
                f"The run's {name!r} was computed with weights of the sha256 {digest[:16]}…; {wanted.file} has "
                f"{wanted.digest[:16]}…. Give the file that it was computed with (--weights FILE)."
            )
        found.append(wanted)
    return found


class _File:
    """A file to be read for every network of a run."""

    def __init__(self, path: Path, wanted: Sequence[Wanted], device: str) -> None:
        self.path = path
        self._device = device
        self._wanted = wanted

    def begin(self) -> Reading | None:
        networks = {place: each.network for place, each in enumerate(self._wanted)}
        return Reading(self.path, networks, opener=opener(self._wanted[0].settings.decoder, self._device))


def measure_networks(
    paths: Sequence[Path],
    wanted: Sequence[Wanted],
    columns: Iterable[Column],
    *,
    device: str | None = None,
    threads: int | None = None,
) -> dict[Path, DeepRows]:
    """Run networks over files with the engine that fills stores, and return the columns of each file.

    Parameters
    ----------
    paths
        Videos and images.
    wanted
        The networks, as `networks_of` returns them.
    columns
        What is read of their features; columns of other features are passed over.
    device
        ``cpu`` or ``cuda:N``; None for the first GPU where there is one.
    threads
        Threads that decode.

    Raises
    ------
    SetupError
        The device or a library is not there, or has too little memory.
    """
    if not wanted:
        return {}
    from memfeat.extraction.deep.engine import process
    from memfeat.extraction.deep.runner import Runner

    place = choose_devices(device)[0]
    found: dict[Path, DeepRows] = {}
    # Features of one run may have been computed with different decoders: one decode for each of these.
    for decoder in dict.fromkeys(each.settings.decoder for each in wanted):
        part = [each for each in wanted if each.settings.decoder == decoder]
        names = {each.name for each in part}
        read = [column for column in columns if column[0] in names]
        runners = [Runner(each, place) for each in part]
        jobs = (_File(path, part, place) for path in dict.fromkeys(paths))
        for item in process(jobs, runners, threads=threads or max(1, usable_cores() - 1)):
            problem = item.problem or next(iter(item.problems.values()), None)
            reading = item.reading
            if problem is not None or reading is None or reading.header is None or reading.counts is None:
                new = _failed(problem or Problem("NoFrames", "nothing was read"))
            else:
                video = Measured(reading.header, reading.counts, {}).video()
                new = _reduced({record.name: record for record in item.records}, read, damage_of(video))
            found[item.job.path] = _joined(found.get(item.job.path), new)
    return found


def _failed(problem: Problem) -> DeepRows:
    return DeepRows(error=problem.kind, message=problem.message)


def _reduced(records: Mapping[str, Any], columns: Iterable[Column], damage: str) -> DeepRows:
    for name, record in records.items():
        if not record.applicable:
            return DeepRows(damage=damage, error="NotApplicable", message=f"{name} {record.reason}")
    try:
        # The types of the store: a video gets the same score whether or not it was stored in between.
        stored = canonical(records, Source(0, 0, "0" * 64))
    except InvalidFeatureError as error:
        return DeepRows(damage=damage, error="InvalidFeature", message=str(error))
    return DeepRows(
        {(name, reduction): stored[name].reduce(reduction) for name, reduction in columns}, damage
    )


def _joined(one: DeepRows | None, two: DeepRows) -> DeepRows:
    if one is None or one.error:
        return one or two
    return two if two.error else DeepRows({**one.rows, **two.rows}, one.damage or two.damage)
