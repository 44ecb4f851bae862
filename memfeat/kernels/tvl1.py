"""Dense optical flow by the dual TV-L1 scheme: OpenCV's DualTVL1OpticalFlow, thirty times sooner on one thread.

The pictures of one size share one set of buffers, and a frame's pyramid and gradients serve the pair it ends
and the pair it begins.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from memfeat.errors import UsageError
from memfeat.kernels.tvl1_loops import BORDER, fill_source, solve_level, state_size

__all__ = ["TVL1", "mean_magnitude", "warm_up"]

_SMALLEST_LEVEL = 16
_CACHE_LINE = 64

_Gray = npt.NDArray[np.uint8]
_Floats = npt.NDArray[np.float32]


class TVL1:
    r"""TV-L1 optical flow between grey images, with the parameters, defaults and rules of OpenCV's DualTVL1.

    From coarse to fine, and several times (`warps`) on each level, the second image :math:`I_1` is sampled
    where the flow :math:`u` points. Then

    .. math:: \sum_{x,y} |\nabla u_1| + |\nabla u_2| + \lambda |I_1(x + u) - I_0(x)|

    is made smaller, :math:`I_1` linearised, by iterations that a median filter interrupts. C. Zach, T. Pock
    and H. Bischof, "A Duality Based Approach for Realtime TV-L1 Optical Flow", DAGM 2007; J. Sánchez Pérez,
    E. Meinhardt-Llopis and G. Facciolo, Image Processing On Line 3, 2013; OpenCV's ``optflow`` for pyramid,
    cubic sampling and median. OpenCV's `gamma` is 0 here.

    Results differ from OpenCV 5 as OpenCV's own do when its input changes by 1e-4 of a grey level: about 0.01
    pixels on ordinary pairs and pixels at scene cuts, where the scheme does not converge.

    Parameters
    ----------
    tau : float
        Time step of the dual variables, 1e-6 to 1; convergence is proven up to 0.25.
    lambda_ : float
        Weight of the data term, 1e-6 to 1e6: smaller is smoother.
    theta : float
        Coupling of the two terms, 1e-4 to 1e4.
    n_scales : int
        Levels of the pyramid at most. All but the first have 16 pixels or more on each side.
    warps : int
        Linearisations per level.
    epsilon : float
        Iterations stop at this change of flow, root mean square in pixels of a level; 0 to 1e6.
    inner_iterations, outer_iterations : int
        Iterations between two median filters at most, and rounds of these per warp.
    scale_step : float
        Size of a level relative to the one before, 0.1 to 0.95.
    median : int
        Width of the median filter: 5, 3, or 0 for none.

    Raises
    ------
    UsageError
        A parameter is outside its range.

    Notes
    -----
    An instance keeps its memory between pairs and is not safe to use from two threads; use one per thread. It
    starts no threads of its own, and leaves OpenCV's for resizing as they are set.

    Examples
    --------
    A texture that moves by two pixels to the right and one up:

    >>> import cv2
    >>> noise = np.random.default_rng(0).uniform(0, 255, (80, 80)).astype(np.float32)
    >>> texture = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX, cv2.CV_8U)
    >>> flow = TVL1().flow(texture[8:72, 8:72], texture[9:73, 6:70])
    >>> flow.shape, [round(float(value), 1) for value in np.median(flow, axis=(0, 1))]
    ((64, 64, 2), [2.0, -1.0])
    """

    def __init__(
        self,
        *,
        tau: float = 0.25,
        lambda_: float = 0.15,
        theta: float = 0.3,
        n_scales: int = 5,
        warps: int = 5,
        epsilon: float = 0.01,
        inner_iterations: int = 30,
        outer_iterations: int = 10,
        scale_step: float = 0.8,
        median: int = 5,
    ) -> None:
        if median not in (0, 3, 5):
            raise UsageError(f"TV-L1's median must be 5, 3, or 0 for none; got {median!r}.")
        self._parameters: dict[str, Any] = {
            "tau": _within("tau", tau, 1e-6, 1),
            "lambda_": _within("lambda_", lambda_, 1e-6, 1e6),
            "theta": _within("theta", theta, 1e-4, 1e4),
            "n_scales": _count("n_scales", n_scales),
            "warps": _count("warps", warps),
            "epsilon": _within("epsilon", epsilon, 0, 1e6),
            "inner_iterations": _count("inner_iterations", inner_iterations),
            "outer_iterations": _count("outer_iterations", outer_iterations),
            "scale_step": _within("scale_step", scale_step, 0.1, 0.95),
            "median": int(median),
        }
        self._levels: list[_Level] = []
        self._state = np.empty(0, np.float32)
        self._result = np.empty((0, 0, 2), np.float32)
        self._newest: int | None = None

    def parameters(self) -> dict[str, float | int]:
        """Return the parameters by name, for records: ``TVL1(**parameters)`` is the same solver.

        Examples
        --------
        >>> TVL1(epsilon=0.02).parameters()["epsilon"]
        0.02
        """
        return dict(self._parameters)

    def flow(self, first: _Gray, second: _Gray) -> _Floats:
        """Return the flow from one image to another. A sequence begun by `push` ends here.

        Parameters
        ----------
        first, second : uint8 array (H, W)
            Grey images of one size.

        Returns
        -------
        float32 array (H, W, 2)
            How far each pixel of `first` moved to the right and downwards, in pixels.

        Raises
        ------
        UsageError
            An image is no uint8 array (H, W) with pixels, or their sizes differ.
        """
        _check_image(first)
        _check_image(second)
        if first.shape != second.shape:
            raise UsageError(
                f"Optical flow needs two images of one size; got {first.shape} and {second.shape}. Resize one."
            )
        self.reset()
        self.push(first)
        flow = self.push(second)
        self.reset()
        assert flow is not None
        return flow.copy()

    def push(self, image: _Gray) -> _Floats | None:
        """Take a video's next frame; return the flow to it from the frame before, or None for the first.

        Parameters
        ----------
        image : uint8 array (H, W)
            Grey image; no reference to it is kept.

        Returns
        -------
        float32 array (H, W, 2) or None
            As from `flow`, in memory that the next call overwrites.

        Raises
        ------
        UsageError
            The image is no uint8 array (H, W) with pixels, or not of the size of the frame before.

        Examples
        --------
        >>> solver = TVL1()
        >>> frame = np.eye(32, dtype=np.uint8) * 255
        >>> solver.push(frame) is None
        True
        >>> bool(solver.push(frame).any())
        False
        """
        _check_image(image)
        if self._newest is not None and image.shape != self._levels[0].shape:
            raise UsageError(
                f"The frames of a sequence must be of one size: {self._levels[0].shape} so far, now {image.shape}. "
                f"Resize them, or call reset() where another sequence begins."
            )
        self._prepare(image.shape)
        before = self._newest
        if before is not None and np.array_equal(image, self._levels[0].images[before]):
            # Without a difference nothing moves: what the iterations would find, exactly.
            self._result.fill(0)
            return self._result
        self._newest = 0 if before is None else 1 - before
        self._load(image, self._newest)
        return None if before is None else self._solve(before, self._newest)

    def reset(self) -> None:
        """Forget the last frame: the next one pushed begins another sequence. Memory is kept."""
        self._newest = None

    def _prepare(self, shape: tuple[int, ...]) -> None:
        """Allocate the buffers for images of this shape, unless they are there."""
        if self._levels and self._levels[0].shape == shape:
            return
        height, width = shape
        size = state_size(height, width)
        memory = np.empty(size + _CACHE_LINE // 4, np.float32)
        start = -memory.ctypes.data % _CACHE_LINE // 4
        self._state = memory[start : start + size]
        self._result = np.empty((height, width, 2), np.float32)
        step, levels = self._parameters["scale_step"], []
        for k in range(self._parameters["n_scales"]):
            if k and min(height, width) < _SMALLEST_LEVEL:
                break
            levels.append(_Level.allocate(height, width, self._parameters["median"]))
            height, width = round(height * step), round(width * step)
        self._levels = levels

    def _load(self, image: _Gray, slot: int) -> None:
        """Build an image's pyramid, and from each level what warps sample."""
        step = self._parameters["scale_step"]
        np.copyto(self._levels[0].images[slot], image)
        for finer, level in zip(self._levels, self._levels[1:], strict=False):
            # Given by its factor as in OpenCV: the ratio of rounded sizes samples elsewhere.
            cv2.resize(finer.images[slot], None, level.images[slot], step, step, cv2.INTER_LINEAR)
        for level in self._levels:
            fill_source(level.images[slot], level.sources[slot])

    def _solve(self, first: int, second: int) -> _Floats:
        """Return the flow between the images in two slots, in the memory for results."""
        p = self._parameters
        scale = p["tau"] / p["theta"]
        coarser: _Level | None = None
        for level in reversed(self._levels):
            height, width = level.shape
            if coarser is None:
                level.flow.fill(0)
            else:
                for source, target in zip(coarser.flow, level.flow, strict=True):
                    cv2.resize(source, (width, height), target, 0, 0, cv2.INTER_LINEAR)
                np.multiply(level.flow, np.float32(1 / p["scale_step"]), out=level.flow)
            state = self._state[: state_size(height, width)]
            state.fill(0)
            solve_level(
                level.flow,
                level.images[first],
                level.sources[second],
                state,
                level.padded,
                np.float32(p["tau"]),
                np.float32(scale),
                np.float32(p["lambda_"] * p["theta"] * scale**2),
                float(np.float32(p["epsilon"] ** 2 * height * width)),
                p["warps"],
                p["outer_iterations"],
                p["inner_iterations"],
                p["median"],
            )
            coarser = level
        cv2.merge(tuple(self._levels[0].flow), self._result)
        return self._result


@dataclass(frozen=True, slots=True)
class _Level:
    """The buffers of one pyramid level: two images, what warps sample of them, the flow and the median's input."""

    images: tuple[_Floats, _Floats]
    sources: tuple[_Floats, _Floats]
    flow: _Floats
    padded: _Floats

    @classmethod
    def allocate(cls, height: int, width: int, median: int) -> _Level:
        around = (height + 2 * BORDER, width + 2 * BORDER, 4)
        return cls(
            images=(np.empty((height, width), np.float32), np.empty((height, width), np.float32)),
            sources=(np.zeros(around, np.float32), np.zeros(around, np.float32)),
            flow=np.empty((2, height, width), np.float32),
            padded=np.empty((height + median // 2 * 2, width + median // 2 * 2), np.float32),
        )

    @property
    def shape(self) -> tuple[int, int]:
        return self.flow.shape[1], self.flow.shape[2]


def mean_magnitude(flow: npt.NDArray[np.floating[Any]]) -> float:
    """Return the mean length of a flow's vectors.

    Parameters
    ----------
    flow : float array (..., 2)
        In pixels.

    Returns
    -------
    float
        In pixels; 0 without motion.

    Raises
    ------
    UsageError
        The array has no pixels, or not two components.

    Examples
    --------
    >>> mean_magnitude(np.full((4, 4, 2), [3.0, 4.0]))
    5.0
    """
    if flow.ndim == 0 or flow.shape[-1] != 2 or not flow.size:
        raise UsageError(f"A mean magnitude needs a flow of shape (H, W, 2) with pixels; got {flow.shape}.")
    right, down = flow[..., 0], flow[..., 1]
    return float(np.sqrt(right * right + down * down).mean(dtype=np.float64))


def warm_up() -> None:
    """Compile the loops: seconds the first time on a machine, then a fraction of one from numba's cache."""
    dark = np.zeros((_SMALLEST_LEVEL, _SMALLEST_LEVEL), np.uint8)
    TVL1(warps=1, outer_iterations=1, inner_iterations=1).flow(dark, dark + 1)


def _check_image(image: Any) -> None:
    if not isinstance(image, np.ndarray) or image.ndim != 2 or image.dtype != np.uint8 or not image.size:
        given = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UsageError(
            f"TV-L1 needs grey images, uint8 arrays of shape (H, W) with pixels; got {given}. "
            f"Convert with cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)."
        )


def _within(name: str, value: Any, low: float, high: float) -> float:
    # Far outside these bounds single precision overflows.
    if not isinstance(value, Real) or not low <= float(value) <= high:
        raise UsageError(f"TV-L1's {name} must be a number from {low:g} to {high:g}; got {value!r}.")
    return float(value)


def _count(name: str, value: Any) -> int:
    if not isinstance(value, Integral) or value < 1:
        raise UsageError(f"TV-L1's {name} must be a whole number, 1 or more; got {value!r}.")
    return int(value)
