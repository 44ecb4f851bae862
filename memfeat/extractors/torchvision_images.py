"""DenseNet121, VGG16 fc7 and ResNet101 as torchvision has them: the baselines of the field's papers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from memfeat.extractors._family import Releases
from memfeat.extractors._names import named
from memfeat.extractors._pixels import shortest_side
from memfeat.frame_selection import ALL, FrameSelection
from memfeat.network_extractor import NetworkExtractor, Pixels
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

_PLACE = "https://download.pytorch.org/models/"


@dataclass(frozen=True)
class _Release:
    network: str
    layer: str
    width: int
    file: str
    resize: int = 256
    dropped: str = "fc."
    """Beginning of the names of the tensors that come after the layer."""


_RELEASES = {
    "densenet121-imagenet1k-v1": _Release(
        "densenet121",
        "ReLU and average of the last maps",
        1024,
        "densenet121-a639ec97.pth",
        dropped="classifier.",
    ),
    "vgg16-fc7-imagenet1k-v1": _Release(
        "vgg16", "fc7 after ReLU", 4096, "vgg16-397923af.pth", dropped="classifier.6."
    ),
    "resnet101-imagenet1k-v1": _Release("resnet101", "average pool", 2048, "resnet101-63fe2227.pth"),
    "resnet101-imagenet1k-v2": _Release(
        "resnet101", "average pool", 2048, "resnet101-cd907fc2.pth", resize=232
    ),
}


class TorchvisionImages(NetworkExtractor):
    """An ImageNet network of torchvision up to the layer before its classifier; central 224×224, every frame."""

    unit: ClassVar[str] = "activation after ReLU; 0 and more"

    def __init__(self, base: str, selection: FrameSelection) -> None:
        self.release = _RELEASES[base]
        self.summary = (
            f"{self.release.network} of torchvision: {self.release.layer}, {self.release.width:,} per frame."
        )
        self.width = self.release.width
        self.published = Published(
            name=base,
            files=(self.release.file, f"{base}.safetensors"),
            url=f"{_PLACE}{self.release.file}",
            sha256=self.release.file.rpartition("-")[2].removesuffix(".pth"),
            licence="BSD-3-Clause (torchvision); ImageNet's terms for the data",
            source="torchvision",
        )
        self.selection = selection
        self.name = named(base, selection, ALL)
        self.mean, self.std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the central square: uint8 (3, 224, 224)."""
        return shortest_side(rgb, resize=self.release.resize, crop=224, interpolation="bilinear")

    def build(self) -> nn.Module:
        """Return the network up to the layer."""
        import torch
        from torchvision import models

        network: Any = getattr(models, self.release.network)(weights=None)
        if self.release.network == "vgg16":
            network.classifier = torch.nn.Sequential(*network.classifier[:5])
        elif self.release.network == "densenet121":
            network.classifier = torch.nn.Identity()
        else:
            network.fc = torch.nn.Identity()
        made: nn.Module = network
        return made

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the release's tensors, DenseNet's under today's names, without the classifier."""
        import re

        old = re.compile(r"(denselayer\d+\.(?:norm|relu|conv))\.([12])\.")
        plain = {old.sub(r"\1\2.", name): tensor for name, tensor in state.items()}
        return {name: tensor for name, tensor in plain.items() if not name.startswith(self.release.dropped)}

    def parameters(self) -> dict[str, Any]:
        """Return architecture, resizing and layer."""
        return {
            "network": f"torchvision {self.release.network}",
            "resize": f"shorter side {self.release.resize}, crop 224, bilinear",
            "layer": self.release.layer,
        }


FAMILY = Releases(
    "ImageNet networks of torchvision: DenseNet121, VGG16 fc7, ResNet101, one row per frame.",
    _RELEASES,
    ALL,
    TorchvisionImages,
)
