"""From one file to its features: a single open and a single decode feed every descriptor."""

from __future__ import annotations

import dataclasses
import importlib.metadata
import platform
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from memfeat import __version__
from memfeat.extractor import Extractor
from memfeat.store.record import FeatureRecord
from memfeat.video import DecodeCounts, VideoHeader, open_video

_LIBRARIES = ("av", "numpy", "opencv-contrib-python-headless", "scipy", "numba")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one pass over one file gave."""

    header: VideoHeader
    counts: DecodeCounts
    features: dict[str, FeatureRecord]

    def video(self) -> dict[str, Any]:
        """Return header and counts as JSON, for the store."""
        header = dataclasses.asdict(self.header)
        header["path"] = self.header.path.name
        header["time_base"] = str(self.header.time_base) if self.header.time_base else None
        counts = {**dataclasses.asdict(self.counts), "damaged": self.counts.damaged}
        return {"header": header, "counts": counts}


@cache
def environment() -> dict[str, Any]:
    """Return versions and host, kept beside every feature as information and never part of a key."""
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "unknown"
    return {
        "memfeat": __version__,
        "python": platform.python_version(),
        "libraries": versions,
        "machine": platform.machine(),
        "host": socket.gethostname(),
    }


def measure_video(path: str | Path, extractors: Sequence[Extractor]) -> Measured:
    """Measure every descriptor on one video or image, in one pass.

    Parameters
    ----------
    path
        A video or an image; an image is a video of one frame.
    extractors
        The descriptors, as `memfeat.extractors.select` returns them.

    Returns
    -------
    Measured
        Header, decode counts and one record per descriptor. A video with fewer frames than a descriptor needs
        has a record without arrays whose status is ``not_applicable``.

    Raises
    ------
    VideoError
        The file gives no frame; the subclass says why.

    Examples
    --------
    >>> import numpy, tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from memfeat import extractors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "grey.png")
    ...     Image.fromarray(numpy.full((40, 60), 128, numpy.uint8)).save(file)
    ...     measured = measure_video(file, [extractors.get("brightness"), extractors.get("flow")])
    >>> float(measured.features["brightness"].arrays["values"][0])
    128.0
    >>> measured.features["flow"].status
    'not_applicable'
    """
    with open_video(path) as video:
        running = [(extractor, extractor.start(video.header)) for extractor in extractors]
        for frame in video:
            for _, measurement in running:
                measurement.add(frame)
        counts = video.counts
        header = video.header
    features = {}
    for extractor, measurement in running:
        provenance = {
            "recipe": extractor.recipe(),
            "unit": extractor.unit,
            "preparation": extractor.preparation,
            "environment": environment(),
        }
        if counts.decoded < extractor.min_frames:
            features[extractor.name] = FeatureRecord(
                name=extractor.name,
                key=extractor.key(),
                arrays={},
                provenance=provenance,
                status="not_applicable",
                reason=f"needs {extractor.min_frames} frames, the file has {counts.decoded}",
            )
        else:
            features[extractor.name] = FeatureRecord(
                name=extractor.name,
                key=extractor.key(),
                arrays=measurement.finish(counts),
                provenance=provenance,
            )
    return Measured(header, counts, features)
