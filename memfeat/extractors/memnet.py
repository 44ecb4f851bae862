"""MemNet's and Hybrid-CNN's fully connected features: 4,096 numbers per frame."""

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

    from memfeat.networks.memnet import Layer

_LAYERS: tuple[Layer, ...] = ("fc6", "fc7")
_FILES = {
    "memnet-lamem": Published(
        name="memnet-lamem",
        files=("memnet_lamem-a92fdac2.pth", "memnet-lamem.safetensors"),
        url="http://pretorched-x.csail.mit.edu/models/memnet_lamem-a92fdac2.pth",
        sha256="a92fdac2",
        licence="none stated; made for research",
        source="pretorched-x, converted from the Caffe weights of Khosla et al., ICCV 2015",
    ),
    "hybridcnn-places-imagenet": Published(
        name="hybridcnn-places-imagenet",
        files=("hybridcnn-places-imagenet.safetensors", "hybridCNN_iter_700000.pth"),
        licence="Creative Commons BY (MIT Places)",
        source="hybridCNN_iter_700000.caffemodel of MIT Places, converted: tensors named conv1.weight … fc7.bias",
    ),
}


class FullyConnected(NetworkExtractor):
    """Activations of ``fc6`` or ``fc7`` after ReLU, of the central 227×227 of frames whose shorter side is 256."""

    unit: ClassVar[str] = "activation after ReLU; 0 and more"
    summary = "MemNet's network (Caffe's reference): fully connected features, 4,096 per frame."
    width = 4096

    def __init__(self, base: str, selection: FrameSelection) -> None:
        release, _, layer = base.rpartition("-")
        self.layer: Layer = "fc6" if layer == "fc6" else "fc7"
        self.published = _FILES[release]
        self.selection = selection
        self.name = named(base, selection, ALL)
        self.caffe = release.startswith("hybridcnn")
        if self.caffe:  # blue, green, red from 0 to 255, less their means
            self.mean = (104.0 / 255, 117.0 / 255, 123.0 / 255)
            self.std = (1 / 255, 1 / 255, 1 / 255)
        else:
            self.mean, self.std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the central square: uint8 (3, 227, 227), blue first for Caffe's weights."""
        square = shortest_side(rgb, resize=256, crop=227, interpolation="bilinear")
        return square[::-1].copy() if self.caffe else square

    def build(self) -> nn.Module:
        """Return the network up to the layer."""
        from memfeat.networks.memnet import MemNet

        return MemNet(self.layer)

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the release's tensors without the last layer."""
        plain = {name.removeprefix("module."): tensor for name, tensor in state.items()}
        return {name: tensor for name, tensor in plain.items() if not name.startswith("fc8")}

    def parameters(self) -> dict[str, Any]:
        """Return architecture, channel order, resizing and layer."""
        return {
            "network": "CaffeNet",
            "channels": "BGR" if self.caffe else "RGB",
            "resize": "shorter side 256, crop 227, bilinear",
            "layer": self.layer,
        }


FAMILY = Releases(
    "MemNet and Hybrid-CNN (Caffe's reference network): fully connected features, 4,096 per frame.",
    [f"{release}-{layer}" for release in _FILES for layer in _LAYERS],
    ALL,
    FullyConnected,
)
