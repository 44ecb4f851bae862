"""Inflated Inception (I3D) for RGB video, with the names of the widely used PyTorch release.

Carreira, J. and Zisserman, A. (2017), Quo vadis, action recognition? A new model and the Kinetics dataset, CVPR. The
weights known as ``rgb_imagenet.pt`` (ImageNet, then Kinetics: 400 classes) and ``rgb_charades.pt`` (157) were
converted from TensorFlow, whose "same" padding depends on the size of the input and may be lopsided.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

FEATURES = 1024
_Size = tuple[int, int, int]


class _Widths(NamedTuple):
    """Channels inside a mixed block, by branch: one number, or that of the reduction before it and of its result."""

    one: int
    three_before: int
    three: int
    five_before: int
    five: int
    pool: int

    @property
    def total(self) -> int:
        return self.one + self.three + self.five + self.pool


MIXED = {
    "Mixed_3b": _Widths(64, 96, 128, 16, 32, 32),
    "Mixed_3c": _Widths(128, 128, 192, 32, 96, 64),
    "Mixed_4b": _Widths(192, 96, 208, 16, 48, 64),
    "Mixed_4c": _Widths(160, 112, 224, 24, 64, 64),
    "Mixed_4d": _Widths(128, 128, 256, 24, 64, 64),
    "Mixed_4e": _Widths(112, 144, 288, 32, 64, 64),
    "Mixed_4f": _Widths(256, 160, 320, 32, 128, 128),
    "Mixed_5b": _Widths(256, 160, 320, 32, 128, 128),
    "Mixed_5c": _Widths(384, 192, 384, 48, 128, 128),
}


def same_padding(x: Tensor, kernel: _Size, stride: _Size) -> Tensor:
    """Pad the last three axes with zeros so that ceil(size / stride) values come out, as TensorFlow does.

    Along an axis of size s that is max((ceil(s / stride) - 1) stride + kernel - s, 0) in all, an odd one at the end.

    >>> same_padding(torch.zeros(1, 1, 8, 7, 7), (3, 7, 7), (2, 2, 2)).shape
    torch.Size([1, 1, 9, 13, 13])
    """
    padding: list[int] = []
    for size, width, step in zip(x.shape[-3:], kernel, stride, strict=True):
        total = max((-(-size // step) - 1) * step + width - size, 0)
        padding = [total // 2, total - total // 2, *padding]
    return functional.pad(x, padding)


class _Unit(nn.Module):
    """Convolution, batch normalisation and ReLU; the classifier is a convolution alone."""

    def __init__(
        self, width_in: int, width_out: int, kernel: int, *, stride: int = 1, plain: bool = False
    ) -> None:
        super().__init__()
        self.kernel, self.stride = (kernel,) * 3, (stride,) * 3
        self.conv3d = nn.Conv3d(width_in, width_out, kernel, stride=stride, bias=plain)
        self.bn = None if plain else nn.BatchNorm3d(width_out, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.conv3d(same_padding(x, self.kernel, self.stride))
        return x if self.bn is None else torch.relu(self.bn(x))


class _Pool(nn.Module):
    def __init__(self, kernel: _Size, stride: _Size) -> None:
        super().__init__()
        self.kernel, self.stride = kernel, stride

    def forward(self, x: Tensor) -> Tensor:
        # Zeros are padded before the maximum is taken: inputs follow a ReLU, so that they change nothing.
        return functional.max_pool3d(same_padding(x, self.kernel, self.stride), self.kernel, self.stride)


class _Mixed(nn.Module):
    def __init__(self, width_in: int, widths: _Widths) -> None:
        super().__init__()
        self.b0 = _Unit(width_in, widths.one, 1)
        self.b1a = _Unit(width_in, widths.three_before, 1)
        self.b1b = _Unit(widths.three_before, widths.three, 3)
        self.b2a = _Unit(width_in, widths.five_before, 1)
        self.b2b = _Unit(widths.five_before, widths.five, 3)
        self.b3a = _Pool((3, 3, 3), (1, 1, 1))
        self.b3b = _Unit(width_in, widths.pool, 1)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat(
            [self.b0(x), self.b1b(self.b1a(x)), self.b2b(self.b2a(x)), self.b3b(self.b3a(x))], dim=1
        )


class I3D(nn.Module):
    """Inflated Inception-v1 on RGB in -1 to 1.

    Parameters
    ----------
    classes
        Outputs of the classifier that the weights come with: 400 (Kinetics), 157 (Charades); None leaves it out.

    Examples
    --------
    >>> network = I3D().eval()
    >>> with torch.inference_mode():
    ...     network.features(torch.zeros(1, 3, 16, 224, 224)).shape
    torch.Size([1, 1024, 1])
    """

    def __init__(self, classes: int | None = 400) -> None:
        super().__init__()
        self.Conv3d_1a_7x7 = _Unit(3, 64, 7, stride=2)
        self.MaxPool3d_2a_3x3 = _Pool((1, 3, 3), (1, 2, 2))
        self.Conv3d_2b_1x1 = _Unit(64, 64, 1)
        self.Conv3d_2c_3x3 = _Unit(64, 192, 3)
        self.MaxPool3d_3a_3x3 = _Pool((1, 3, 3), (1, 2, 2))
        width = 192
        for name, widths in MIXED.items():
            if name == "Mixed_4b":
                self.MaxPool3d_4a_3x3 = _Pool((3, 3, 3), (2, 2, 2))
            elif name == "Mixed_5b":
                self.MaxPool3d_5a_2x2 = _Pool((2, 2, 2), (2, 2, 2))
            setattr(self, name, _Mixed(width, widths))
            width = widths.total
        self.avg_pool = nn.AvgPool3d((2, 7, 7), stride=1)
        self.logits = None if classes is None else _Unit(width, classes, 1, plain=True)

    def features(self, x: Tensor) -> Tensor:
        """Return (B, 1024, S) features of S time steps of clips (B, 3, T, 224, 224).

        T frames make ceil(T / 8) steps, of which neighbours are averaged: S = ceil(T / 8) - 1. At least 9 frames
        are needed.

        Raises
        ------
        ValueError
            Too few frames, or too small ones.
        """
        if x.shape[2] < 9 or min(x.shape[3:]) < 193:
            raise ValueError(
                f"I3D needs at least 9 frames of 193×193 pixels; got clips of {tuple(x.shape[2:])}."
            )
        for name, layer in self.named_children():
            if name == "avg_pool":
                break
            x = layer(x)
        pooled: Tensor = self.avg_pool(x)
        return pooled.mean(dim=(3, 4))

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores (B, classes, S), one for each time step.

        Without the classifier: the features, averaged over time, (B, 1024).
        """
        features = self.features(x)
        if self.logits is None:
            return features.mean(dim=2)
        scores: Tensor = self.logits(features[..., None, None])
        return scores[..., 0, 0]
