"""What a run did, for people (`lines`) and for programs (`to_json`)."""

from __future__ import annotations

import datetime
import json
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from memfeat import __version__
from memfeat.store.files import write_atomically

if TYPE_CHECKING:
    from memfeat.dataset import Dataset
    from memfeat.extraction.task import Outcome

SCHEMA = 1
EXIT_OK, EXIT_FAILURES, EXIT_INTERRUPTED = 0, 3, 130
_SHOWN = 10


@dataclass
class Summary:
    """The result of one extraction run.

    Attributes
    ----------
    total, done, present, failed, failed_before, not_started
        Numbers of videos: in the dataset, measured now, complete already, failed now, failed in an earlier run and not
        tried again, and left because the run was interrupted. They add up to `total`.
    """

    run: str
    dataset: str
    store: str
    started: str
    seconds: float = 0.0
    workers: int = 0
    features: dict[str, str] = field(default_factory=dict)
    """Feature key by name."""
    left_out: dict[str, str] = field(default_factory=dict)
    labels: int = 0
    """Number of rows of labels written."""
    texts: dict[str, int] = field(default_factory=dict)
    """Number of videos with a text, by field."""
    labels_only: bool = False
    total: int = 0
    done: int = 0
    present: int = 0
    failed: int = 0
    failed_before: int = 0
    not_started: int = 0
    frames: int = 0
    interrupted: bool = False
    failures: list[dict[str, str]] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    dropped: dict[str, dict[str, str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    looked_at: int = 0
    """Frames that networks have looked at, each network's counted."""
    networks: dict[str, dict[str, Any]] = field(default_factory=dict)
    """How networks were run, by feature: weights, device, precision and its deviation."""
    memfeat: str = ""
    schema: int = SCHEMA

    @classmethod
    def begin(cls, dataset: Dataset, store: str | Path, *, run: str, total: int, **known: Any) -> Self:
        """Return the summary of a run that begins now."""
        return cls(
            run=run,
            dataset=dataset.name,
            store=str(store),
            started=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            labels=0 if dataset.labels is None else len(dataset.labels.table),
            texts={} if dataset.texts is None else {name: len(of) for name, of in dataset.texts.items()},
            total=total,
            remarks=list(dataset.remarks),
            memfeat=__version__,
            **known,
        )

    @property
    def exit_code(self) -> int:
        """0 when everything asked for is in the store, 3 with recorded failures, 130 when interrupted."""
        if self.interrupted:
            return EXIT_INTERRUPTED
        return EXIT_FAILURES if self.failed or self.failed_before else EXIT_OK

    def count(self, outcome: Outcome) -> None:
        """Take note of what became of a video."""
        if outcome.state == "done":
            self.done += 1
            self.frames += outcome.frames
        elif outcome.state == "present":
            self.present += 1
        elif outcome.state == "failed":
            self.failed += 1
            self.failures.append({"id": outcome.video, "type": outcome.error, "message": outcome.message})
        if outcome.damage:
            self.damaged[outcome.video] = outcome.damage
        if outcome.dropped:
            self.dropped[outcome.video] = outcome.dropped

    def close(self, file: Path, began: float) -> None:
        """Settle what is left at the end of a run that began at that `time.monotonic`, and write the summary."""
        settled = self.present + self.done + self.failed + self.failed_before
        self.not_started = self.total - settled
        self.seconds = time.monotonic() - began
        self.write(file)

    def to_json(self) -> dict[str, Any]:
        """Return the summary as JSON."""
        return {**asdict(self), "exit_code": self.exit_code}

    def write(self, file: Path) -> None:
        """Write the summary as a JSON file, whole or not at all."""
        # Messages quote paths, which may hold bytes that are no UTF-8: ASCII escapes carry them.
        write_atomically(file, json.dumps(self.to_json(), indent=2) + "\n")

    def lines(self) -> list[str]:
        """Return the summary in words."""
        if self.labels_only:
            parts = [f"labels of {self.labels} videos"] if self.labels else []
            parts += [f"{field} of {count}" for field, count in self.texts.items()]
            return [f"Written: {', '.join(parts)}. No video was opened."]
        rate = f" ({_speed(self.done / self.seconds)})" if self.seconds and self.done else ""
        lines = [f"{self.done} measured, {self.present} already there, in {self.seconds:.1f} s{rate}."]
        lines += self._of_networks()
        if self.failed:
            lines.append(f"{self.failed} failed and are recorded in the store:")
            lines += [
                f"  {failure['id']}: {failure['type']}: {failure['message']}"
                for failure in self.failures[:_SHOWN]
            ]
            if self.failed > _SHOWN:
                lines.append(f"  … and {self.failed - _SHOWN} more: memfeat store failures {self.store}")
        if self.failed_before:
            lines.append(f"{self.failed_before} failed in an earlier run; --retry-failed tries them again.")
        if self.damaged:
            shown = [f"  {video}: {text}" for video, text in list(self.damaged.items())[:_SHOWN]]
            lines += [
                f"{_many(len(self.damaged), 'damaged file')}, measured as far as they decode:",
                *shown,
            ]
        replaced = sum("*" in dropped for dropped in self.dropped.values())
        if replaced:
            lines.append(f"{_many(replaced, 'damaged file')} of the store replaced.")
        if changed := len(self.dropped) - replaced:
            lines.append(
                f"{_many(changed, 'changed video')}: features measured from earlier content were removed."
            )
        if self.interrupted:
            left = f"{_many(self.not_started, 'video')} left. Run the same command to go on."
            lines.append(f"Interrupted; {left if self.not_started else 'no video was left.'}")
        return lines

    def _of_networks(self) -> list[str]:
        lines = []
        devices = sorted({str(run["device"]) for run in self.networks.values() if "device" in run})
        if devices and self.looked_at and self.seconds:
            rate = self.looked_at / self.seconds
            lines.append(f"{self.looked_at} frames looked at on {', '.join(devices)}, {rate:.1f}/s.")
        notes: dict[str, list[str]] = {}
        for name, run in self.networks.items():
            if run.get("note"):
                notes.setdefault(str(run["note"]), []).append(name)
            if apart := run.get("deviation_from_float32"):
                lines.append(
                    f"note: {name} in {run['precision']} lies up to {apart['relative']:.1e} (relative) from float32 on "
                    f"the first {apart['rows']:.0f} rows"
                )
        return [*lines, *(f"note: {', '.join(names)}: {note}" for note, names in notes.items())]


def _many(count: int, what: str) -> str:
    """Return a count with its noun.

    >>> _many(1, "video"), _many(2, "video")
    ('1 video', '2 videos')
    """
    return f"{count} {what}{'' if count == 1 else 's'}"


def _speed(rate: float) -> str:
    """Return videos per second, or seconds per video where there is less than one.

    >>> _speed(2.5), _speed(0.01)
    ('2.50 videos/s', '100.0 s each')
    """
    return f"{rate:.2f} videos/s" if rate >= 1 else f"{1 / rate:.1f} s each"
