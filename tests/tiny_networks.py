"""Small networks with the shape of real ones: a convolution, batch normalisation, a pooled row of features."""

from __future__ import annotations

from typing import ClassVar

import cv2
import numpy as np

from memfeat.errors import UsageError
from memfeat.frame_selection import parse_selection
from memfeat.network_extractor import NetworkExtractor, NetworkFamily
from memfeat.weights.published import Published


class TinyImages(NetworkExtractor):
    summary = "A small network of single frames."
    width = 6
    published = Published(
        name="tiny-images", files=("tiny-images.safetensors",), source="tests", licence="MIT"
    )
    mean, std = (0.4, 0.5, 0.6), (0.2, 0.25, 0.3)

    def __init__(self, selection: str = "all", *, size: int = 24, name: str = "tiny-images") -> None:
        self.selection = parse_selection(selection)
        self.name = name if selection == "all" else f"{name}-{selection}"
        self.size = size

    def prepare(self, rgb):
        small = cv2.resize(rgb, (self.size, self.size), interpolation=cv2.INTER_AREA)
        return np.ascontiguousarray(small.transpose(2, 0, 1))

    def build(self):
        from torch import nn

        return nn.Sequential(
            nn.Conv2d(3, 8, 3, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, self.width, 3, stride=2),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
        )

    def own_names(self, state):
        return state

    def parameters(self):
        return {"network": "tiny", "size": self.size}


class TinyClips(TinyImages):
    summary = "A small network of clips."
    clips: ClassVar[bool] = True
    min_frames: ClassVar[int] = 2
    width = 5
    published = Published(name="tiny-clips", files=("tiny-clips.safetensors",), source="tests", licence="MIT")

    def __init__(self, selection: str = "all", *, size: int = 16) -> None:
        super().__init__(selection, size=size, name="tiny-clips")

    def build(self):
        from torch import nn

        return nn.Sequential(
            nn.Conv3d(3, 6, (2, 3, 3), stride=(1, 2, 2)),
            nn.BatchNorm3d(6),
            nn.ReLU(),
            nn.Conv3d(6, self.width, (1, 3, 3)),
            nn.AdaptiveAvgPool3d(1),
            nn.Flatten(),
        )


class TinyFamily(NetworkFamily):
    summary = "Small networks for tests."

    def names(self):
        return ["tiny-clips", "tiny-images"]

    def aliases(self):
        return {"tiny": "tiny-images"}

    def make(self, name):
        for base, kind in (("tiny-images", TinyImages), ("tiny-clips", TinyClips)):
            if name == base:
                return kind()
            if name.startswith(f"{base}-"):
                try:
                    return kind(name.removeprefix(f"{base}-"))
                except UsageError:
                    return None
        return None


def register(monkeypatch) -> None:
    """Let the small networks be found by name, beside the others."""
    from memfeat import extractors

    known = {**extractors.families(), "tiny": TinyFamily()}
    monkeypatch.setattr(extractors, "families", lambda: known)
