"""What is asked of a process: the networks, how to run them, and one video of the store at a time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memfeat.extraction.deep import markers
from memfeat.extraction.deep.backends import opener
from memfeat.extraction.deep.frames import Reading
from memfeat.extraction.deep.wanted import Wanted
from memfeat.store.naming import video_path
from memfeat.store.record import read_marks, read_source
from memfeat.store.source import Source


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked for, the same for every process; can be sent.

    Attributes
    ----------
    store
        Folder of the store.
    run
        Name of the run.
    wanted
        The networks.
    threads
        Threads that decode, in each process.
    batch_size
        Rows of a batch; None for what suits the device.
    compile
        Have torch compile the networks.
    force
        Measure again what is present.
    """

    store: Path
    run: str
    wanted: tuple[Wanted, ...]
    threads: int = 1
    batch_size: int | None = None
    compile: bool = False
    force: bool = False


class StoreJob:
    """A video of the store to be brought up to date; the engine reads it in a thread."""

    def __init__(
        self, work: Work, video: str, path: Path, *, alone: bool = False, device: str = "cpu"
    ) -> None:
        self.work = work
        self.video = video
        self.path = path
        self.source: Source | None = None
        self._alone = alone
        self._device = device

    def begin(self) -> Reading | None:
        """Mark the video, see what it lacks and open it."""
        markers.begin(self.work.store, self.video, run=self.work.run, alone=self._alone)
        stored = video_path(self.work.store, self.video)
        self.source = Source.of(self.path, known=read_source(stored))
        networks = {place: wanted.network for place, wanted in enumerate(self.work.wanted)}
        if not self.work.force:
            marks = read_marks(stored, ignore_damage=True)
            for place, wanted in enumerate(self.work.wanted):
                mark = marks.get(wanted.name)
                if mark is not None and mark.key == wanted.key and mark.source.same_content(self.source):
                    del networks[place]
        if not networks:
            return None
        decoder = self.work.wanted[0].settings.decoder
        return Reading(self.path, networks, opener=opener(decoder, self._device))
