"""MemNet and the Hybrid-CNN it was tuned from: the Caffe reference network, and its fully connected features.

Khosla, A., Raju, A., Torralba, A. and Oliva, A. (2015), Understanding and predicting image memorability at a large
scale, ICCV; Zhou, B. et al. (2014), Learning deep features for scene recognition using Places database, NeurIPS.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Layer = Literal["fc6", "fc7"]

FEATURES = 4096
SIDE = 227


class MemNet(nn.Module):
    """Five convolutions, two of them halved in groups, and three fully connected layers.

    Parameters
    ----------
    layer
        Whose activations are the features, after ReLU.
    outputs
        Of the last layer: 1 for MemNet, 1,183 for Hybrid-CNN; None leaves it out.

    Examples
    --------
    >>> with torch.inference_mode():
    ...     MemNet("fc7")(torch.zeros(1, 3, 227, 227)).shape
    torch.Size([1, 4096])
    """

    def __init__(self, layer: Layer, *, outputs: int | None = None) -> None:
        super().__init__()
        self.layer = layer
        self.conv1 = nn.Conv2d(3, 96, 11, stride=4)
        self.conv2 = nn.Conv2d(96, 256, 5, padding=2, groups=2)
        self.conv3 = nn.Conv2d(256, 384, 3, padding=1)
        self.conv4 = nn.Conv2d(384, 384, 3, padding=1, groups=2)
        self.conv5 = nn.Conv2d(384, 256, 3, padding=1, groups=2)
        self.fc6 = nn.Linear(256 * 6 * 6, FEATURES)
        self.fc7 = nn.Linear(FEATURES, FEATURES)
        self.fc8 = None if outputs is None else nn.Linear(FEATURES, outputs)

    def features(self, x: Tensor) -> dict[str, Tensor]:
        """Return the activations after ReLU of ``fc6`` and ``fc7``, (B, 4096) each, of images (B, 3, 227, 227)."""
        for number, conv in enumerate((self.conv1, self.conv2, self.conv3, self.conv4, self.conv5), start=1):
            x = torch.relu(conv(x))
            if number in (1, 2, 5):
                x = functional.max_pool2d(x, 3, stride=2)
            if number <= 2:
                # In float32: pixels from 0 to 255 give activations of hundreds, whose squares overflow float16.
                x = functional.local_response_norm(x.float(), 5, alpha=1e-4, beta=0.75)
        fc6 = torch.relu(self.fc6(torch.flatten(x, 1)))
        return {"fc6": fc6, "fc7": torch.relu(self.fc7(fc6))}

    def forward(self, x: Tensor) -> Tensor:
        """Return the features of the chosen layer."""
        return self.features(x)[self.layer]
