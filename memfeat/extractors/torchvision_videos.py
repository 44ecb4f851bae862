"""Video networks of torchvision: R3D, MC3, R(2+1)D, S3D, MViTv2 and Video Swin, trained on Kinetics-400."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from memfeat.extractors._family import Releases
from memfeat.extractors._names import selection_of
from memfeat.extractors._pixels import exact_size
from memfeat.frame_selection import FrameSelection
from memfeat.network_extractor import NetworkExtractor, Pixels
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

_PLACE = "https://download.pytorch.org/models/"
_Three = tuple[float, float, float]
_KINETICS: tuple[_Three, _Three] = ((0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989))
_PLAIN: tuple[_Three, _Three] = ((0.45, 0.45, 0.45), (0.225, 0.225, 0.225))
_IMAGENET: tuple[_Three, _Three] = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))


@dataclass(frozen=True)
class _Release:
    network: str
    file: str
    width: int
    window: int
    """Frames per clip, as the weights were trained."""
    resize: tuple[int, int] | int
    crop: int
    normalised: tuple[_Three, _Three] = _KINETICS
    head: str = "fc"
    fixed: bool = False
    """Whether the network takes clips of no other length."""


_RELEASES = {
    "r3d-18-kinetics400": _Release("r3d_18", "r3d_18-b3b3357e.pth", 512, 16, (128, 171), 112),
    "mc3-18-kinetics400": _Release("mc3_18", "mc3_18-a90a0ba3.pth", 512, 16, (128, 171), 112),
    "r2plus1d-18-kinetics400": _Release("r2plus1d_18", "r2plus1d_18-91a641e6.pth", 512, 16, (128, 171), 112),
    "s3d-kinetics400": _Release("s3d", "s3d-d76dad2f.pth", 1024, 32, (256, 256), 224, head="classifier"),
    "mvit-v2-s-kinetics400": _Release(
        "mvit_v2_s", "mvit_v2_s-ae3be167.pth", 768, 16, 256, 224, _PLAIN, head="head", fixed=True
    ),
    "swin3d-t-kinetics400": _Release(
        "swin3d_t", "swin3d_t-7615ae03.pth", 768, 32, 256, 224, _IMAGENET, head="head"
    ),
    "swin3d-s-kinetics400": _Release(
        "swin3d_s", "swin3d_s-da41c237.pth", 768, 32, 256, 224, _IMAGENET, head="head"
    ),
    "swin3d-b-kinetics400": _Release(
        "swin3d_b", "swin3d_b_1k-24f7c7c6.pth", 1024, 32, 256, 224, _IMAGENET, head="head"
    ),
}


class TorchvisionVideos(NetworkExtractor):
    """A video network of torchvision up to its classifier, on windows of as many frames as it was trained on."""

    clips: ClassVar[bool] = True

    def __init__(self, base: str, selection: FrameSelection) -> None:
        self.release = _RELEASES[base]
        usual = _usual(base)
        self.summary = f"{self.release.network} of torchvision: {self.release.width:,} per clip."
        self.width = self.release.width
        self.published = Published(
            name=base,
            files=(self.release.file, f"{base}.safetensors"),
            url=f"{_PLACE}{self.release.file}",
            sha256=self.release.file.rpartition("-")[2].removesuffix(".pth"),
            licence="BSD-3-Clause (torchvision); Kinetics' terms for the data",
            source="torchvision",
        )
        self.selection = selection
        self.name = base if selection == usual else f"{base}-{selection.suffix}"
        self.mean, self.std = self.release.normalised

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the frame as the preset of the weights does: uint8 (3, 112, 112) or (3, 224, 224)."""
        return exact_size(rgb, resize=self.release.resize, crop=self.release.crop)

    def build(self) -> nn.Module:
        """Return the network up to its classifier."""
        import torch
        from torchvision.models import video

        network: nn.Module = getattr(video, self.release.network)(weights=None)
        if (
            self.release.head == "classifier"
        ):  # S3D classifies maps and averages afterwards: averages are its features
            network.classifier = torch.nn.Identity()
        else:
            setattr(network, self.release.head, torch.nn.Identity())
        return network

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the release's tensors without the classifier."""
        return {
            name: tensor for name, tensor in state.items() if not name.startswith(f"{self.release.head}.")
        }

    def parameters(self) -> dict[str, Any]:
        """Return architecture, resizing and layer."""
        resize = self.release.resize
        words = f"shorter side {resize}" if isinstance(resize, int) else f"{resize[0]}x{resize[1]}"
        return {
            "network": f"torchvision {self.release.network}",
            "resize": f"{words}, crop {self.release.crop}, bilinear without antialiasing",
            "layer": "before the classifier",
        }


def _usual(base: str) -> FrameSelection:
    return FrameSelection("windows", _RELEASES[base].window)


class _Videos(Releases):
    """The usual window differs from network to network, and some take no other length."""

    def make(self, name: str) -> NetworkExtractor | None:
        for base in self._bases:
            selection = selection_of(name, base, _usual(base))
            if selection is not None:
                release = _RELEASES[base]
                length = selection.n if selection.kind in ("windows", "spread") else 0
                if release.fixed and length != release.window:
                    return None
                return TorchvisionVideos(base, selection)
        return None


FAMILY = _Videos(
    "Video networks of torchvision (R3D, MC3, R(2+1)D, S3D, MViTv2, Video Swin): one row per window of frames.",
    _RELEASES,
    FrameSelection("windows", 16),
    TorchvisionVideos,
)
