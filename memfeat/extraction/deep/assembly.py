"""The rows of one video, as they come back from the networks, until they are its features."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memfeat.extraction.deep.decoding import Chunk, Job, Problem, problem_of
from memfeat.extraction.deep.frames import Reading, Row
from memfeat.extraction.deep.wanted import Wanted
from memfeat.measure import environment
from memfeat.store.record import FeatureRecord

if TYPE_CHECKING:
    from collections.abc import Sequence


class Assembly:
    """What has come in of one video.

    Parameters
    ----------
    job
        The video.

    Attributes
    ----------
    reading
        What is known of the video once it is decoded.
    problem
        Why the whole video gives nothing.
    problems
        What single networks could not do with it, by their place in the run.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self.ended = False
        self.reading: Reading | None = None
        self.problem: Problem | None = None
        self.problems: dict[int, Problem] = {}
        self._vectors: dict[int, dict[int, npt.NDArray[np.float32]]] = {}
        self._times: dict[int, dict[int, float]] = {}
        self._dt: dict[int, dict[int, float]] = {}

    def expect(self, row: Row) -> None:
        """Take note of a row that a network is going to look at."""
        self._times.setdefault(row.network, {})[row.index] = row.time
        if row.dt is not None:
            self._dt.setdefault(row.network, {})[row.index] = row.dt

    def put(self, row: Row, vector: npt.NDArray[np.float32]) -> None:
        """Take what a network made of a row."""
        self._vectors.setdefault(row.network, {})[row.index] = vector

    def end(self, chunk: Chunk) -> None:
        """Take the end of decoding."""
        self.ended = True
        self.reading, self.problem = chunk.reading, chunk.problem
        if self.reading is not None:
            self.problems |= {place: problem_of(error) for place, error in self.reading.problems.items()}

    @property
    def frames(self) -> int:
        """Frames that were decoded."""
        counts = None if self.reading is None else self.reading.counts
        return 0 if counts is None else counts.decoded

    @property
    def complete(self) -> bool:
        """Whether nothing more is to come."""
        if not self.ended or self.problem is not None or self.reading is None:
            return self.ended
        settled = self.problems.keys() | self.reading.reasons.keys()
        return all(
            place in settled or len(self._vectors.get(place, ())) == count
            for place, count in self.reading.rows.items()
        )

    def records(
        self, wanted: Sequence[Wanted], provenance: Mapping[int, Mapping[str, Any]]
    ) -> list[FeatureRecord]:
        """Return the features of the networks that had no problem.

        Parameters
        ----------
        wanted
            The networks of the run.
        provenance
            How each of them was run, by its place.
        """
        if self.reading is None or self.problem is not None:
            return []
        made = []
        for place in self.reading.rows:
            if place in self.problems:
                continue
            reason = self.reading.reasons.get(place)
            made.append(
                FeatureRecord(
                    name=wanted[place].name,
                    key=wanted[place].key,
                    arrays={} if reason else self._arrays(place),
                    provenance=_provenance(wanted[place], provenance[place]),
                    status="not_applicable" if reason else "ok",
                    reason=reason or "",
                )
            )
        return made

    def _arrays(self, place: int) -> dict[str, npt.NDArray[Any]]:
        order = sorted(self._vectors[place])
        values = np.stack([self._vectors[place][index] for index in order])
        arrays: dict[str, npt.NDArray[Any]] = {
            "values": values[:, 0] if values.shape[1] == 1 else values,
            "times": increasing([self._times[place][index] for index in order]),
        }
        if place in self._dt:
            arrays["dt"] = np.array([self._dt[place][index] for index in order])
        return arrays


def increasing(times: Sequence[float]) -> npt.NDArray[np.float64]:
    """Return times that strictly increase: a frame that was taken twice has the next number that there is.

    >>> times = increasing([0.0, 0.5, 0.5])
    >>> bool(times[2] > times[1]), float(times[2] - times[1]) < 1e-15
    (True, True)
    """
    made = np.array(times, dtype=np.float64)
    for index in range(1, made.size):
        if made[index] <= made[index - 1]:
            made[index] = np.nextafter(made[index - 1], np.inf)
    return made


def _provenance(wanted: Wanted, run: Mapping[str, Any]) -> dict[str, Any]:
    network, choice = wanted.network, wanted.settings.choice
    return {
        "recipe": wanted.recipe,
        "unit": network.unit,
        "preparation": network.preparation,
        "weights": wanted.weights,
        **({"note": choice.note} if choice.note else {}),
        "run": dict(run),
        "environment": environment(),
    }
