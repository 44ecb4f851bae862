"""Dense optical flow by the dual TV-L1 scheme for many pairs of images at once, on CPU and GPU.

The scheme, its parameters and its rules are those of `memfeat.kernels.tvl1`, which is the faster one on a CPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from memfeat.errors import SetupError, UsageError
from memfeat.kernels.tvl1 import TVL1
from memfeat.networks import tvl1_iterations
from memfeat.networks.tvl1_iterations import Linearised, Rules
from memfeat.networks.tvl1_sampling import resized, warped, with_gradient

__all__ = ["BatchedTVL1"]

_SMALLEST_LEVEL = 16
_FLAT = float(np.finfo(np.float32).eps)
_PAIRS_ON = {"cuda": 1024, "cpu": 1}
_BYTES_PER_PIXEL = 128
"""Of one pair, a little more than is in use at once."""

Images = Tensor | npt.NDArray[Any]
_Relax = Callable[[Tensor, Tensor, Linearised, Rules], None]


class BatchedTVL1:
    """TV-L1 optical flow between grey images, batched; its results are those of `memfeat.kernels.tvl1.TVL1`.

    They agree as OpenCV's own do when its input changes by 1e-4 of a grey level. Every pair is iterated until it
    ends, and leaves the batch then: what else is in the batch does not show in a pair's flow.

    Parameters
    ----------
    device : str or torch.device
        ``cpu``, ``cuda`` or ``cuda:N``.
    batch_size : int, optional
        Pairs that are worked on at once, up to 65,535; a GPU takes some 7 MB for one of 256×256 pixels. By default a
        number that suits the device: on a GPU 1,024, or what fits into half of its memory.
    **parameters
        Those of `memfeat.kernels.tvl1.TVL1`, with its defaults.

    Attributes
    ----------
    backend : str
        What does the iterations: ``torch``, or ``triton`` on GPUs where its kernels compile.
    note : str
        Why a GPU goes without the kernels; empty where it does not.

    Raises
    ------
    UsageError
        A parameter is outside its range, or there is no such device.
    SetupError
        torch sees no GPU.

    Examples
    --------
    Two textures that move by two pixels to the right and one up, and not at all:

    >>> import cv2
    >>> noise = np.random.default_rng(0).uniform(0, 255, (56, 56)).astype(np.float32)
    >>> texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    >>> still, moved = texture[8:48, 8:48], texture[9:49, 6:46]
    >>> flow = BatchedTVL1().flow(np.stack([still, still]), np.stack([moved, still]))
    >>> flow.shape, [round(float(value), 1) for value in flow[0].flatten(0, 1).median(dim=0).values]
    (torch.Size([2, 40, 40, 2]), [2.0, -1.0])
    >>> bool(flow[1].any())
    False
    """

    def __init__(
        self,
        *,
        device: str | torch.device = "cpu",
        batch_size: int | None = None,
        **parameters: Any,
    ) -> None:
        self._parameters = TVL1(**parameters).parameters()
        self.device = _device(device)
        self._fitted = batch_size is None and self.device.type == "cuda"
        if batch_size is None:
            batch_size = _PAIRS_ON.get(self.device.type, 16)
        if isinstance(batch_size, bool) or not isinstance(batch_size, int) or not 1 <= batch_size < 2**16:
            raise UsageError(
                f"TV-L1's batch_size must be a whole number from 1 to 65,535; got {batch_size!r}."
            )
        self.batch_size = batch_size
        self.backend, self.note = "torch", ""
        self._relax: _Relax = tvl1_iterations.relax
        if self.device.type == "cuda":
            self._relax, self.backend, self.note = _compiled(self.device)

    def parameters(self) -> dict[str, float | int]:
        """Return the parameters by name, for records: those of the CPU's solver.

        Examples
        --------
        >>> BatchedTVL1(epsilon=0.02).parameters() == TVL1(epsilon=0.02).parameters()
        True
        """
        return dict(self._parameters)

    def provenance(self) -> dict[str, Any]:
        """Return what results may depend on in their last digits, as JSON: information, no part of a key."""
        name = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else self.device.type
        note = {"note": self.note} if self.note else {}
        return {"device": name, "torch": str(torch.__version__), "backend": self.backend, **note}

    def flow(self, first: Images, second: Images) -> Tensor:
        """Return the flow of each pair.

        Parameters
        ----------
        first, second : arrays or tensors (B, H, W)
            Grey images of one size: uint8, or floats on the same scale (OpenCV's own go from 0 to 1, these to 255).

        Returns
        -------
        float32 tensor (B, H, W, 2)
            On the solver's device: how far each pixel of `first` moved to the right and downwards, in pixels.

        Raises
        ------
        UsageError
            These are no such images, or not of one shape.
        """
        one, two = _checked(first, second)
        flow = torch.empty((*one.shape, 2), dtype=torch.float32, device=self.device)
        for begin, part in self._parts(one, two):
            flow[begin : begin + len(part)] = part.movedim(1, -1)
        return flow

    def mean_magnitudes(self, first: Images, second: Images) -> Tensor:
        """Return the mean length of each pair's flow vectors, in pixels: float64 (B,) on the solver's device.

        Takes and raises what `flow` does, and keeps no flow.

        Examples
        --------
        >>> frames = np.zeros((3, 32, 32), np.uint8)
        >>> BatchedTVL1().mean_magnitudes(frames[:-1], frames[1:])
        tensor([0., 0.], dtype=torch.float64)
        """
        one, two = _checked(first, second)
        lengths = torch.empty(len(one), dtype=torch.float64, device=self.device)
        for begin, part in self._parts(one, two):
            length = (part * part).sum(dim=1).sqrt()
            lengths[begin : begin + len(part)] = length.mean((1, 2), dtype=torch.float64)
        return lengths

    def _parts(self, first: Tensor, second: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield flows (n, 2, H, W) of batches with the number of their first pair."""
        size = self._most(*first.shape[1:])
        for begin in range(0, len(first), size):
            pairs = slice(begin, begin + size)
            one, two = (images[pairs].to(self.device).float() for images in (first, second))
            with torch.no_grad(), torch.cuda.device_of(one):
                flow = one.new_zeros(len(one), 2, *one.shape[1:])
                # Without a difference nothing moves: what the iterations would find, exactly.
                differ = (one != two).flatten(1).any(1)
                if differ.any():
                    flow[differ] = self._solved(one[differ], two[differ])
            yield begin, flow

    def _most(self, height: int, width: int) -> int:
        """Return how many pairs of images of that size are worked on at once."""
        if not self._fitted:
            return self.batch_size
        memory = torch.cuda.get_device_properties(self.device).total_memory
        return max(1, min(self.batch_size, memory // 2 // (_BYTES_PER_PIXEL * height * width)))

    def _solved(self, first: Tensor, second: Tensor) -> Tensor:
        """Return the flow (N, 2, H, W) of images (N, H, W), from the coarsest level to the finest."""
        step = self._parameters["scale_step"]
        levels = [(first, second)]
        for height, width in self._sizes(*first.shape[1:])[1:]:
            one, two = (resized(image, height, width, factor=step) for image in levels[-1])
            levels.append((one, two))
        flow: Tensor | None = None
        while levels:
            one, two = levels.pop()
            if flow is None:
                flow = one.new_zeros(len(one), 2, *one.shape[1:])
            else:
                flow = resized(flow, *one.shape[1:]) * float(np.float32(1 / step))
            flow = self._refined(flow, one, two)
        assert flow is not None
        return flow

    def _sizes(self, height: int, width: int) -> list[tuple[int, int]]:
        sizes = [(height, width)]
        step = self._parameters["scale_step"]
        while len(sizes) < self._parameters["n_scales"]:
            height, width = round(height * step), round(width * step)
            if min(height, width) < _SMALLEST_LEVEL:
                break
            sizes.append((height, width))
        return sizes

    def _refined(self, flow: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """Return the flow after the warps of one level."""
        p = self._parameters
        scale = p["tau"] / p["theta"]
        limit = float(np.float32(p["epsilon"] ** 2 * first[0].numel())) * scale**2
        rules = Rules(
            tau=p["tau"],
            bound=p["lambda_"] * p["theta"] * scale**2,
            tolerance=float(np.float32(limit)),
            outer=int(p["outer_iterations"]),
            inner=int(p["inner_iterations"]),
            median=int(p["median"]),
        )
        source = with_gradient(second)
        flow = (flow * scale).contiguous()
        dual = flow.new_zeros(len(flow), 2, *flow.shape[1:])
        for _ in range(int(p["warps"])):
            self._relax(flow, dual, _linearised(flow, first, source, scale), rules)
        return flow / scale


def _linearised(flow: Tensor, first: Tensor, source: Tensor, scale: float) -> Linearised:
    """Sample the second image and its gradient where the flow points, and linearise there."""
    sampled = warped(source, flow / scale)
    gradient = sampled[:, 1:] / scale
    steepness = (gradient * gradient).sum(dim=1).clamp_(min=_FLAT / scale**2)
    rest = sampled[:, 0] - (gradient * flow).sum(dim=1) - first
    return Linearised(gradient, 1 / steepness, rest)


def _compiled(device: torch.device) -> tuple[_Relax, str, str]:
    """Return the kernels for a GPU, what they are, and why they are plain torch where they are."""
    try:
        from memfeat.networks import tvl1_triton

        with torch.cuda.device(device):
            tvl1_triton.try_out(device)
    except Exception as error:  # triton is not there, finds no compiler, or does not know this GPU
        reason = " ".join(str(error).split())[:300]
        return tvl1_iterations.relax, "torch", f"without Triton: {type(error).__name__}: {reason}"
    return tvl1_triton.relax, "triton", ""


def _device(asked: str | torch.device) -> torch.device:
    try:
        device = torch.device(asked)
    except (RuntimeError, TypeError) as error:
        raise UsageError(f"TV-L1's device must be cpu, cuda or cuda:N; got {asked!r}.") from error
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (device.index or 0) >= count:
            raise SetupError(
                f"TV-L1 on {device}: torch {torch.__version__} sees {count or 'no'} GPU{'s' if count > 1 else ''}. "
                "Check the driver (nvidia-smi) and CUDA_VISIBLE_DEVICES, or use the device cpu."
            )
    return device


def _checked(first: Images, second: Images) -> tuple[Tensor, Tensor]:
    one, two = _image_tensor(first), _image_tensor(second)
    if one.shape != two.shape:
        raise UsageError(
            f"Optical flow needs as many second images as first ones, of one size; got {tuple(one.shape)} and "
            f"{tuple(two.shape)}."
        )
    return one, two


def _image_tensor(images: Any) -> Tensor:
    if isinstance(images, np.ndarray) and (images.dtype == np.uint8 or images.dtype.kind == "f"):
        kind = np.uint8 if images.dtype == np.uint8 else np.float32
        # A copy where torch knows no such memory: reversed, or not to be written to.
        usual = images.dtype == kind and images.flags.writeable and images.flags.c_contiguous
        images = torch.from_numpy(images if usual else np.array(images, kind, order="C"))
    if not isinstance(images, Tensor) or images.ndim != 3 or 0 in images.shape[1:]:
        raise UsageError(_WANTED.format(_given(images)))
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise UsageError(_WANTED.format(_given(images)))
    if not bool(images.isfinite().all()):
        raise UsageError("TV-L1's images have pixels that are not finite.")
    return images.detach()


_WANTED = (
    "TV-L1 needs grey images, uint8 or floats from 0 to 255 of shape (B, H, W) with pixels; got {}. A single pair "
    "needs a first axis of length 1: image[None]."
)


def _given(images: Any) -> str:
    shape = getattr(images, "shape", None)
    return type(images).__name__ if shape is None else f"{getattr(images, 'dtype', '')} {tuple(shape)}"
