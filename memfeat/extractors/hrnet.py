"""HRNetV2-W48: what kind of scene a frame shows, as 720 averaged channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from memfeat.extractors._family import Releases
from memfeat.extractors._names import named
from memfeat.extractors._pixels import squashed
from memfeat.frame_selection import FIRST, FrameSelection
from memfeat.network_extractor import NetworkExtractor, Pixels
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

    from memfeat.networks.hrnet import Upsampling

_RELEASES: dict[str, tuple[Upsampling, Published]] = {
    "hrnetv2-w48-ade20k": (
        "bilinear",
        Published(
            name="hrnetv2-w48-ade20k",
            files=("encoder_epoch_30.pth", "ade20k-hrnetv2-c1.pth", "hrnetv2-w48-ade20k.safetensors"),
            url="http://sceneparsing.csail.mit.edu/model/pytorch/ade20k-hrnetv2-c1/encoder_epoch_30.pth",
            licence="BSD-3-Clause (CSAILVision); ADE20K's terms for the data",
            source="CSAILVision/semantic-segmentation-pytorch; the weights that M3-S's code loads",
        ),
    ),
    "hrnetv2-w48-imagenet": (
        "bilinear",
        Published(
            name="hrnetv2-w48-imagenet",
            files=("hrnetv2_w48_imagenet_pretrained.pth", "hrnetv2-w48-imagenet.safetensors"),
            licence="MIT (HRNet)",
            source="HRNet/HRNet-Image-Classification (from the links in its README)",
        ),
    ),
    "hrnetv2-w48-timm": (
        "nearest",
        Published(
            name="hrnetv2-w48-timm",
            files=("hrnet_w48.ms_in1k.safetensors", "hrnetv2-w48-timm.safetensors"),
            hub=("timm/hrnet_w48.ms_in1k", "model.safetensors"),
            licence="MIT",
            source="timm, converted from Microsoft's ImageNet weights",
        ),
    ),
}


class HighResolution(NetworkExtractor):
    """HRNetV2-W48 on the 256×256 canvas.

    The first frame alone by default, as M3-S's code has it; ``-spread5`` gives its other setting, five frames of the
    video (every ninth of 45), whose mean is the feature.
    """

    unit: ClassVar[str] = "activation after ReLU, averaged over space; 0 and more"
    summary = "HRNetV2-W48: 720 features of the scene."
    width = 720

    def __init__(self, base: str, selection: FrameSelection) -> None:
        self.upsampling, self.published = _RELEASES[base]
        self.selection = selection
        self.name = named(base, selection, FIRST)
        self.mean, self.std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the canvas: uint8 (3, 256, 256)."""
        return squashed(rgb, size=256)

    def build(self) -> nn.Module:
        """Return the trunk and the averages of its branches."""
        from memfeat.networks.hrnet import HRNetV2W48

        return HRNetV2W48(self.upsampling)

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return CSAIL's, HRNet's or timm's tensors under our names, without what a classifier adds."""
        from memfeat.networks.hrnet import own_names

        return own_names(state)

    def parameters(self) -> dict[str, Any]:
        """Return architecture, upsampling, canvas and layer."""
        return {
            "network": "HRNetV2-W48",
            "upsampling": self.upsampling,
            "resize": "INTER_AREA 256x256",
            "layer": "means of the four branches",
        }


FAMILY = Releases(
    "HRNetV2-W48: the scene, one row of 720 per chosen frame (the first by default).",
    _RELEASES,
    FIRST,
    HighResolution,
)
