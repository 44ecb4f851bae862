"""HRNetV2-W48 as a feature extractor: the four resolutions of timm's HRNet, averaged and put side by side.

Wang, J. et al. (2021), Deep high-resolution representation learning for visual recognition, IEEE TPAMI 43(10). The
720 channels are those that scene parsing is read from. Its releases upsample bilinearly where branches are
fused; timm's own ImageNet weights were trained with nearest neighbours: a switch of the network, not of the file.
"""

from __future__ import annotations

from typing import Literal

import timm
import torch
from torch import Tensor, nn

Upsampling = Literal["nearest", "bilinear"]

CHANNELS = (48, 96, 192, 384)
FEATURES = sum(CHANNELS)
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)
"""Of RGB in 0 to 1."""
CLASSIFIER = ("incre_modules.", "downsamp_modules.", "final_layer.", "classifier.", "last_layer.")
"""Beginnings of the names of what a classifier or a parser adds to the trunk."""


class HRNetV2W48(nn.Module):
    """The trunk of HRNetV2-W48 and the average of each of its branches.

    Parameters
    ----------
    upsampling
        How branches of lower resolution are enlarged before they are added: ``"bilinear"`` for weights of CSAIL's
        and HRNet's own releases, ``"nearest"`` for timm's.

    Examples
    --------
    >>> network = HRNetV2W48("bilinear").eval()
    >>> with torch.inference_mode():
    ...     network.features(torch.zeros(1, 3, 64, 64)).shape
    torch.Size([1, 720])
    """

    def __init__(self, upsampling: Upsampling) -> None:
        super().__init__()
        self.upsampling = upsampling
        self.trunk = timm.create_model("hrnet_w48", pretrained=False, features_only=True, feature_location="")
        if upsampling == "bilinear":
            for module in self.trunk.modules():
                if isinstance(module, nn.Upsample):
                    module.mode, module.align_corners = "bilinear", False

    def branches(self, x: Tensor) -> list[Tensor]:
        """Return the four maps, at strides 4, 8, 16 and 32, of images (B, 3, H, W) normalised by `MEAN` and `STD`."""
        maps: list[Tensor] = self.trunk(x)
        return maps[1:]  # the first is the stem's

    def features(self, x: Tensor) -> Tensor:
        """Return (B, 720) features of images whose sides are multiples of 32.

        The average of each branch: what is left of the branches upsampled bilinearly to the largest, put side by
        side and averaged, since that upsampling keeps the mean where sides are multiples of each other.

        Raises
        ------
        ValueError
            A side is no multiple of 32.
        """
        if x.shape[-2] % 32 or x.shape[-1] % 32:
            raise ValueError(
                f"HRNet needs images whose sides are multiples of 32; got {tuple(x.shape[-2:])}. Resize to 256×256."
            )
        return torch.cat([branch.mean(dim=(2, 3)) for branch in self.branches(x)], dim=1)

    forward = features


def own_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the trunk's tensors of a released file under the names of `HRNetV2W48`.

    CSAIL's encoder, HRNet's own release and timm name the trunk alike; what a classifier adds is left out, and so
    are ``module.`` and ``backbone.`` before the names. Anything else keeps a name, so that strict loading tells it.

    >>> list(own_names({"module.conv1.weight": torch.zeros(1), "classifier.bias": torch.zeros(1)}))
    ['trunk.conv1.weight']
    """
    found = {}
    for name, tensor in state.items():
        plain = name.removeprefix("module.").removeprefix("backbone.").removeprefix("trunk.")
        if not plain.startswith(CLASSIFIER):
            found[f"trunk.{plain}"] = tensor
    return found
