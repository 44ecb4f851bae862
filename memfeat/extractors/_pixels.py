"""Resizing and cropping as the weights were trained, on 8-bit pixels."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from memfeat.kernels.area import resize_area

Pixels = npt.NDArray[np.uint8]
Interpolation = Literal["bilinear", "bicubic"]

_RESAMPLING = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC}


def shortest_side(rgb: Pixels, *, resize: int, crop: int, interpolation: Interpolation) -> Pixels:
    """Resize so that the shorter side has `resize` pixels, and take the central square of `crop`.

    Pillow's antialiased resizing, the longer side cut down to a whole pixel and the corner of the crop rounded half
    to even, as torchvision's ``Resize`` and ``CenterCrop`` do it on images.

    Parameters
    ----------
    rgb
        uint8 (H, W, 3).

    Returns
    -------
    numpy.ndarray
        uint8 (3, crop, crop).

    Examples
    --------
    >>> shortest_side(np.zeros((90, 160, 3), np.uint8), resize=32, crop=24, interpolation="bicubic").shape
    (3, 24, 24)
    """
    height, width = rgb.shape[:2]
    shorter = min(height, width)
    size = (int(resize * width / shorter), int(resize * height / shorter))
    image = Image.fromarray(rgb)
    if image.size != size:
        image = image.resize(size, _RESAMPLING[interpolation])
    left, top = round((size[0] - crop) / 2.0), round((size[1] - crop) / 2.0)
    return _planes(np.asarray(image)[top : top + crop, left : left + crop])


def squashed(rgb: Pixels, *, size: int) -> Pixels:
    """Resize to a square by area averaging, aspect ignored: uint8 (3, size, size).

    >>> squashed(np.full((90, 160, 3), 7, np.uint8), size=32).max()
    np.uint8(7)
    """
    if rgb.shape[:2] != (size, size):
        rgb = resize_area(rgb, (size, size))
    return _planes(rgb)


def exact_size(rgb: Pixels, *, resize: tuple[int, int] | int, crop: int) -> Pixels:
    """Resize bilinearly without antialiasing, rounded to 8 bits, and take the central square of `crop`.

    What torchvision's presets of video networks do: `resize` is (height, width), or the length of the shorter side.
    """
    import torch
    from torchvision.transforms import InterpolationMode, functional

    frame = torch.from_numpy(np.ascontiguousarray(rgb)).permute(2, 0, 1)
    size: Any = list(resize) if isinstance(resize, tuple) else [resize]
    frame = functional.resize(frame, size, InterpolationMode.BILINEAR, antialias=False)
    return np.asarray(functional.center_crop(frame, [crop, crop]).contiguous().numpy(), dtype=np.uint8)


def _planes(image: npt.NDArray[Any]) -> Pixels:
    return np.ascontiguousarray(image.transpose(2, 0, 1))
