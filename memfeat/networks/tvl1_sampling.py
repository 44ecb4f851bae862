"""What TV-L1 takes from OpenCV, on batches of images in torch: linear resizing, the median filter, the cubic warp."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import grid_sample, pad


def resized(images: Tensor, height: int, width: int, *, factor: float | None = None) -> Tensor:
    """Resize images linearly, to the bit as OpenCV 5 does on processors with fused multiplication and addition.

    Parameters
    ----------
    images
        float32 (..., H, W).
    height, width
        The new size.
    factor
        The new size relative to the old where it is given so: the ratio of rounded sizes samples elsewhere.

    Returns
    -------
    float32 (..., height, width)

    Examples
    --------
    >>> resized(torch.tensor([[0.0, 4.0]]), 1, 4)
    tensor([[0., 1., 3., 4.]])
    """
    low, high, weight = _taps(images.shape[-1], width, factor)
    across = _between(images[..., low], images[..., high], weight.to(images.device))
    low, high, weight = _taps(images.shape[-2], height, factor)
    return _between(across[..., low, :], across[..., high, :], weight.to(images.device)[:, None])


def _between(one: Tensor, other: Tensor, weight: Tensor) -> Tensor:
    # Products of float32 are exact in float64, so this rounds once, as a fused multiplication and addition does.
    return (one.double() + (other - one).double() * weight).float()


def _taps(size: int, new: int, factor: float | None) -> tuple[Tensor, Tensor, Tensor]:
    """Return the two pixels that each new one lies between, and the weight of the second."""
    at = (torch.arange(new, dtype=torch.float64) + 0.5) * (size / new if factor is None else 1 / factor) - 0.5
    # Beyond the last pixel OpenCV goes all the way from the last but one, and where sizes are given mirrors the
    # beginning, which stays with its pixel: the same but for rounding.
    last = size - 1 if factor is None else max(size - 2, 0)
    low = at.floor().clamp(0, last)
    weight = (at - low).clamp(0, 1).float().double()
    low = low.long()
    return low, (low + 1).clamp(max=size - 1), weight


def median_filtered(images: Tensor, size: int) -> Tensor:
    """Return each pixel's median over `size` × `size` pixels, the border repeated outwards.

    Parameters
    ----------
    images
        Floats (N, C, H, W).
    size
        3 or 5.

    Examples
    --------
    >>> image = torch.zeros(1, 1, 5, 5)
    >>> image[0, 0, 2, 2] = 9
    >>> bool(median_filtered(image, 3).any())
    False
    """
    radius = size // 2
    height, width = images.shape[-2:]
    padded = pad(images, (radius, radius, radius, radius), mode="replicate")
    rows = [padded[..., k : k + height, :] for k in range(size)]
    ranks = _sorted3(*rows) if size == 3 else _sorted5(*rows)
    # One tuple per rank in a column: the values of that rank in neighbouring columns.
    beside = [[rank[..., k : k + width] for k in range(size)] for rank in ranks]
    return _median9(beside) if size == 3 else _median25(beside)


def _sorted3(a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    a, b = _ordered(a, b)
    return torch.minimum(a, c), torch.maximum(a, torch.minimum(b, c)), torch.maximum(b, c)


def _sorted5(a: Tensor, b: Tensor, c: Tensor, d: Tensor, e: Tensor) -> tuple[Tensor, ...]:
    a, b = _ordered(a, b)
    c, d = _ordered(c, d)
    a, c = _ordered(a, c)
    b, d = _ordered(b, d)
    b, c = _ordered(b, c)
    low, high = torch.minimum, torch.maximum
    return low(a, e), high(a, low(b, e)), high(b, low(c, e)), high(c, low(d, e)), high(d, e)


def _median9(ranks: list[list[Tensor]]) -> Tensor:
    lowest, middle, highest = (_sorted3(*columns) for columns in ranks)
    return _sorted3(lowest[2], middle[1], highest[0])[1]


def _median25(ranks: list[list[Tensor]]) -> Tensor:
    # Sorted along columns, then along rows: these thirteen of the 25 are all that can be their median.
    first, second, third, fourth, fifth = (_sorted5(*columns) for columns in ranks)
    low, high = torch.minimum, torch.maximum
    # The shortest network that a search found: right for all 252 matrices of zeros and ones that are sorted along
    # both axes, and so for all values.
    a = low(low(high(fourth[1], first[3]), third[3]), second[4])
    b = low(fifth[1], high(high(fourth[0], third[1]), second[3]))
    c = high(fifth[0], second[2])
    smaller = high(low(a, b), low(c, third[2]))
    larger = low(high(a, b), high(c, third[2]))
    return low(high(smaller, larger), high(low(smaller, larger), low(fourth[2], first[4])))


def _ordered(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    return torch.minimum(one, other), torch.maximum(one, other)


def with_gradient(images: Tensor) -> Tensor:
    """Return images (N, H, W) with their centred gradients, half of it at the border: (N, 3, H, W) in float64.

    Examples
    --------
    >>> with_gradient(torch.tensor([[[0.0, 1.0, 4.0]]]))[0, 1]
    tensor([[0.5000, 2.0000, 1.5000]], dtype=torch.float64)
    """
    padded = pad(images[:, None], (1, 1, 1, 1), mode="replicate")[:, 0]
    across = 0.5 * (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2])
    down = 0.5 * (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1])
    return torch.stack([images, across, down], dim=1).double()


def warped(source: Tensor, flow: Tensor) -> Tensor:
    """Sample images where a flow points, by Keys' cubic convolution with a = -3/4; everything outside is zero.

    Parameters
    ----------
    source
        float64 (N, C, H, W): torch takes positions relative to the image's size, and in float32 they would round
        twice as coarsely as the flow does.
    flow
        float32 (N, 2, H, W), in pixels to the right and down.

    Returns
    -------
    float32 (N, C, H, W)

    Examples
    --------
    >>> image = torch.arange(5.0).double().reshape(1, 1, 1, 5)
    >>> warped(image, torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1).expand(1, 2, 1, 5))
    tensor([[[[1., 2., 3., 4., 0.]]]])
    """
    height, width = source.shape[-2:]
    to_x = torch.arange(width, dtype=torch.float32, device=flow.device) + flow[:, 0]
    to_y = torch.arange(height, dtype=torch.float32, device=flow.device)[:, None] + flow[:, 1]
    # From three pixels outside onwards every tap is zero.
    to_x, to_y = to_x.clamp(-3, width + 1).double(), to_y.clamp(-3, height + 1).double()
    grid = torch.stack([(2 * to_x + 1) / width - 1, (2 * to_y + 1) / height - 1], dim=-1)
    return grid_sample(source, grid, mode="bicubic", padding_mode="zeros", align_corners=False).float()
