"""The contract of a descriptor: one object per video, fed frame by frame, that ends in named arrays.

A descriptor is one file in ``memfeat/extractors``. Most are a `FrameScalar`: a name, a sentence and one
method from frame to number. Anything else implements `Extractor.start` and returns a `Measurement`.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from memfeat.video.frame import Frame
    from memfeat.video.header import DecodeCounts, VideoHeader

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
Preparation = Literal["zscore", "pca", "none"]

CANVAS = {"size": [256, 256], "resize": "INTER_AREA", "color": "rgb24"}


class Measurement(ABC):
    """What one descriptor has gathered so far from one video."""

    @abstractmethod
    def add(self, frame: Frame) -> None:
        """Take the next frame, in order of presentation. Keep no reference to it: its memory is reused."""

    @abstractmethod
    def finish(self, counts: DecodeCounts) -> Arrays:
        """Return the arrays to store, by dataset name (`Extractor.arrays` lists them)."""


class Extractor(ABC):
    """A descriptor: what it is called, what its numbers mean, and how to start measuring a video."""

    name: ClassVar[str]
    """Name of the feature and of its HDF5 group; a variant has a name of its own."""
    version: ClassVar[int] = 1
    """Raised by whoever changes a value that this descriptor gives."""
    summary: ClassVar[str]
    """One sentence for listings."""
    unit: ClassVar[str]
    """Unit and range of the values."""
    arrays: ClassVar[dict[str, str]] = {"values": "(T,)", "times": "(T,)"}
    """Stored datasets and their shapes; T is the number of decoded frames."""
    preparation: ClassVar[Preparation] = "zscore"
    """What a model does to its columns before fitting: z-scores, ten whitened principal components, nothing."""
    min_frames: ClassVar[int] = 1
    """A video with fewer decoded frames is recorded as not applicable."""
    uses_canvas: ClassVar[bool] = True
    """Whether values are measured on the 256×256 canvas (part of the key)."""
    in_default_set: ClassVar[bool] = True
    """Whether the feature is extracted when none is named; slow references are not."""

    def parameters(self) -> dict[str, Any]:
        """Return the JSON-able parameters on which values depend."""
        return {}

    def unavailable(self) -> str | None:
        """Return why this installation cannot compute the feature, or None."""
        return None

    def warm_up(self) -> None:
        """Compile or load what is paid once per machine, before any worker starts; here, what makes the canvas."""
        if self.uses_canvas:
            from memfeat.kernels.area import warm_up

            warm_up()

    @abstractmethod
    def start(self, header: VideoHeader) -> Measurement:
        """Begin to measure one video."""

    def recipe(self) -> dict[str, Any]:
        """Return everything values depend on, as JSON: the plain text behind `key`."""
        return {
            "extractor": self.name,
            "version": self.version,
            "parameters": self.parameters(),
            "canvas": CANVAS if self.uses_canvas else None,
            "frames": "all",
            "decoder": "pyav",
        }

    def key(self) -> str:
        """Return the feature key: 16 hex digits, equal for every video that was measured alike."""
        text = json.dumps(self.recipe(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class _PerFrame(Measurement):
    def __init__(self, extractor: FrameScalar) -> None:
        self._measure = extractor.measure
        self._values: list[float] = []
        self._times: list[float] = []

    def add(self, frame: Frame) -> None:
        self._values.append(self._measure(frame))
        self._times.append(frame.time)

    def finish(self, counts: DecodeCounts) -> Arrays:
        return {"values": np.array(self._values), "times": np.array(self._times)}


class FrameScalar(Extractor):
    """A descriptor with one number per frame: implement `measure`."""

    @abstractmethod
    def measure(self, frame: Frame) -> float:
        """Return the frame's value."""

    def start(self, header: VideoHeader) -> Measurement:
        """Begin to measure one video."""
        return _PerFrame(self)
