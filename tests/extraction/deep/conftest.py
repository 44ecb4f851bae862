"""Clips, and small networks with seeded weights on the CPU."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from clips import write_clip

from memfeat.extraction.deep.frames import Reading
from memfeat.extraction.deep.wanted import Wanted, resolve
from memfeat.network_extractor import NetworkExtractor, Settings
from memfeat.video import open_video
from memfeat.weights.choice import Choice

SETTINGS = Settings(choice=Choice(seed=3))


@pytest.fixture(scope="session")
def clip_files(tmp_path_factory) -> list[Path]:
    """Seven clips of 5 to 11 frames."""
    folder = tmp_path_factory.mktemp("clips")
    return [write_clip(folder / f"v{n}.mp4", frames=5 + n, seed=n, fps=10) for n in range(7)]


class FileJob:
    """A file to be read for every network, as the engine wants it."""

    def __init__(self, path: Path, networks: Sequence[NetworkExtractor]) -> None:
        self.path = path
        self._networks = dict(enumerate(networks))

    def begin(self) -> Reading | None:
        return Reading(self.path, self._networks, opener=open_video)


@pytest.fixture(scope="session")
def file_job() -> type[FileJob]:
    return FileJob


@pytest.fixture(scope="session")
def wanted_of():
    """Networks with random weights, or as the settings say."""

    def make(*networks: NetworkExtractor, settings: Settings = SETTINGS) -> list[Wanted]:
        pytest.importorskip("torch", reason="needs the extra deep")
        return resolve(networks, settings)

    return make


@pytest.fixture(scope="session")
def runners_of(wanted_of):
    """Runners of networks on the CPU."""

    def make(*networks: NetworkExtractor, settings: Settings = SETTINGS, **options):
        from memfeat.extraction.deep.runner import Runner

        return [Runner(wanted, "cpu", **options) for wanted in wanted_of(*networks, settings=settings)]

    return make


@pytest.fixture(scope="session")
def features_of(file_job, runners_of):
    """Run the engine over files; gives features by file name and feature, and the rest of what was finished."""

    def run(files, *networks, threads: int = 2, batch_size: int | None = 4, runners=None, **options):
        from memfeat.extraction.deep.engine import process

        runners = runners or runners_of(*networks, batch_size=batch_size)
        networks = [runner.wanted.network for runner in runners]
        jobs = [file_job(file, networks) for file in files]
        done = {item.job.path.name: item for item in process(jobs, runners, threads=threads, **options)}
        return {
            name: {record.name.removesuffix("-random3"): record for record in item.records}
            for name, item in done.items()
        }, done

    return run
