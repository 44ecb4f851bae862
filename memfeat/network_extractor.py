"""The contract of a feature that a network gives: which frames, how they are prepared, which network and weights.

A family of networks is one file in ``memfeat/extractors``. It knows nothing of batches, devices or stores: the engine
hands its network prepared pixels of many videos at once and writes what comes out.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from memfeat.extractor import Preparation
from memfeat.frame_selection import FrameSelection
from memfeat.weights.choice import PUBLISHED, Choice
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

Pixels = npt.NDArray[np.uint8]
Precision = Literal["float32", "bf16", "fp16"]
Decoder = Literal["pyav", "torchcodec", "torchcodec-cuda"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a network is run; everything here that changes values is a part of the feature key."""

    choice: Choice = PUBLISHED
    precision: Precision = "float32"
    decoder: Decoder = "pyav"


class NetworkExtractor(ABC):
    """One network with its weights and the frames it sees.

    Image networks give one row per chosen frame: ``values`` (T, width) and ``times`` (T,). Networks that look at
    moving pictures give one row per clip: ``values`` (C, width) and the clips' middle ``times`` (C,). What looks at
    pairs of consecutive frames gives ``values`` (T-1, width), the ``times`` of each pair's first frame and ``dt``, the
    seconds between the two. A width of 1 is stored without that axis.

    Attributes
    ----------
    name
        Family, network, weights and, where it is not the family's usual one, the frame selection.
    width
        Numbers per row.
    selection
        The frames.
    published
        The file of weights that belongs to the name.
    mean, std
        Of RGB in 0 to 1: what the pixels are normalised by, on the device. (An algorithm has neither these nor
        `published`.)
    """

    version: ClassVar[int] = 1
    """Raised by whoever changes a value that this family gives."""
    unit: ClassVar[str] = "activation"
    preparation: ClassVar[Preparation] = "none"
    min_frames: ClassVar[int] = 1
    """A video with fewer decoded frames is recorded as not applicable."""
    clips: ClassVar[bool] = False
    """Whether the network looks at clips (3, frames, H, W) and not at single frames (3, H, W)."""
    weighted: ClassVar[bool] = True
    """False for an algorithm that the engine runs like a network: it has no weights, takes 8-bit pixels as they are, of
    as many channels as it likes, and computes in float32 whatever the precision of the networks beside it."""
    on_cpu: ClassVar[str] = ""
    """What to tell somebody who runs it on a CPU; mostly empty."""
    batch_rows: ClassVar[Mapping[str, int]] = {}
    """Rows of a batch by kind of device (``cpu``, ``cuda``), where the engine's usual numbers do not suit."""

    name: str
    summary: str
    width: int
    selection: FrameSelection
    published: Published
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @abstractmethod
    def prepare(self, rgb: Pixels) -> Pixels:
        """Return a frame (H, W, 3) resized and cropped as the weights were trained: uint8 (3, h, w), equal for all."""

    @abstractmethod
    def build(self) -> nn.Module:
        """Return the network without weights; called with normalised float32 input, it returns (B, width).

        A module that has a method ``provenance`` is asked for facts to record, as JSON.
        """

    @abstractmethod
    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the tensors of a released file under the names of the network that `build` returns."""

    @abstractmethod
    def parameters(self) -> dict[str, Any]:
        """Return the JSON-able facts on which values depend: architecture, resizing, layer."""

    def settings(self, asked: Settings) -> Settings:
        """Return what of the settings that were asked for applies: to an algorithm, the decoder alone."""
        return asked if self.weighted else Settings(decoder=asked.decoder)

    def stored_name(self, settings: Settings) -> str:
        """Return the name of the feature in a store: that of random weights ends in their seed."""
        return f"{self.name}-random{settings.choice.seed}" if settings.choice.random else self.name

    def recipe(self, settings: Settings, digest: str) -> dict[str, Any]:
        """Return everything values depend on, as JSON: the plain text behind `key`.

        Parameters
        ----------
        settings
            How the network is run.
        digest
            sha256 of the file of weights; empty for random ones.
        """
        choice = settings.choice
        facts = {
            "extractor": self.name,
            "version": self.version,
            "frames": self.selection.suffix,
            "precision": settings.precision,
            "decoder": settings.decoder,
        }
        if self.selection.kind == "windows":
            facts["shorter"] = "repeated"
        if not self.weighted:
            return {**facts, "parameters": self.parameters()}
        return {
            **facts,
            "parameters": {**self.parameters(), "mean": list(self.mean), "std": list(self.std)},
            "weights": {"random": choice.seed} if choice.random else {"sha256": digest},
        }

    def key(self, settings: Settings, digest: str) -> str:
        """Return the feature key: 16 hex digits, equal for every video that was measured alike."""
        text = json.dumps(self.recipe(settings, digest), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}: {self.width} numbers per {self.row}>"

    @property
    def row(self) -> str:
        """What one row describes, in a word: a frame, a clip or a pair."""
        if self.selection.kind == "pairs":
            return "pair"
        return "clip" if self.clips else "frame"


class NetworkFamily(ABC):
    """The networks of one file in ``memfeat/extractors``, made by name."""

    summary: str
    """One sentence for listings."""

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of networks with published weights, for listings and suggestions."""

    @abstractmethod
    def make(self, name: str) -> NetworkExtractor | None:
        """Return the network of that name, listed or made by the family's grammar; None when it is no name of it.

        Importing and making need no torch; `NetworkExtractor.build` does.
        """

    def aliases(self) -> Mapping[str, str]:
        """Return short names and what they stand for."""
        return {}
