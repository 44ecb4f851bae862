"""ip-CSN-152 and ir-CSN-152: what happens in a clip, as 2,048 pooled features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from memfeat.extractors._family import Releases
from memfeat.extractors._names import named
from memfeat.extractors._pixels import squashed
from memfeat.frame_selection import ALL, FrameSelection
from memfeat.network_extractor import NetworkExtractor, Pixels
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

    from memfeat.networks.csn import Kind

_LICENCE = "Apache-2.0; the terms of Kinetics and of the IG-65M pre-training apply to the weights"
_RELEASES: dict[str, tuple[Kind, Published]] = {
    "csn-ip-152-ig65m-kinetics": (
        "ip",
        Published(
            name="csn-ip-152-ig65m-kinetics",
            files=(
                "ipCSN_152_ft_kinetics_from_ig65m_f133090949.pth",
                "vmz_ipcsn_ig65m_pretrained_r152_32x2x1_58e_kinetics400_rgb_20210617-c3be9793.pth",
                "csn-ip-152-ig65m-kinetics.safetensors",
            ),
            url="https://github.com/bjuncek/VMZ/releases/download/test_models/"
            "ipCSN_152_ft_kinetics_from_ig65m_f133090949.pth",
            licence=_LICENCE,
            source="VMZ; the weights of M3-S (Dumont, Hevia and Fosco, CVPR 2023)",
        ),
    ),
    "csn-ip-152-ig65m": (
        "ip",
        Published(
            name="csn-ip-152-ig65m",
            files=("ipcsn_from_scratch_r152_ig65m_20210617-c4b99d38.pth", "csn-ip-152-ig65m.safetensors"),
            url="https://download.openmmlab.com/mmaction/recognition/csn/"
            "ipcsn_from_scratch_r152_ig65m_20210617-c4b99d38.pth",
            licence=_LICENCE,
            source="mmaction2; the backbone before fine-tuning on Kinetics",
        ),
    ),
    "csn-ir-152-ig65m-kinetics": (
        "ir",
        Published(
            name="csn-ir-152-ig65m-kinetics",
            files=(
                "irCSN_152_ft_kinetics_from_ig65m_f126851907.pth",
                "csn-ir-152-ig65m-kinetics.safetensors",
            ),
            url="https://github.com/bjuncek/VMZ/releases/download/test_models/"
            "irCSN_152_ft_kinetics_from_ig65m_f126851907.pth",
            licence=_LICENCE,
            source="VMZ",
        ),
    ),
}


class ChannelSeparated(NetworkExtractor):
    """A CSN on the 256×256 canvas; the whole video is one clip, as M3-S has it, unless the name says otherwise.

    The weights were trained on 32 frames, every other one, cropped to 224; ``-windows32`` is nearer to that.
    """

    clips: ClassVar[bool] = True
    unit: ClassVar[str] = "activation after ReLU, averaged over space and time; 0 and more"
    summary = "Channel-separated network of depth 152: 2,048 features of what happens."
    width = 2048

    def __init__(self, base: str, selection: FrameSelection) -> None:
        self.kind, self.published = _RELEASES[base]
        self.selection = selection
        self.name = named(base, selection, ALL)
        self.mean = (0.43216, 0.394666, 0.37645)
        self.std = (0.22803, 0.22145, 0.216989)

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the canvas: uint8 (3, 256, 256)."""
        return squashed(rgb, size=256)

    def build(self) -> nn.Module:
        """Return the network up to its pooled features."""
        from memfeat.networks.csn import CSN

        return CSN(self.kind, classes=None)

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return VMZ's or mmaction2's tensors under our names, without the classifier."""
        from memfeat.networks.csn import own_names

        return {name: t for name, t in own_names(state, self.kind).items() if not name.startswith("fc.")}

    def parameters(self) -> dict[str, Any]:
        """Return architecture, canvas and layer."""
        return {"network": f"{self.kind}-CSN-152", "resize": "INTER_AREA 256x256", "layer": "average pool"}


FAMILY = Releases(
    "Channel-separated video networks (CSN): what happens, one row of 2,048 per clip.",
    _RELEASES,
    ALL,
    ChannelSeparated,
)
