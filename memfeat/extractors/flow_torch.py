"""Mean magnitude of TV-L1 optical flow, many pairs of many videos at once: `flow` for GPUs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import cv2
import numpy as np

from memfeat.extractor import CANVAS, Preparation
from memfeat.frame_selection import PAIRS
from memfeat.kernels.area import resize_area
from memfeat.network_extractor import NetworkExtractor, NetworkFamily, Pixels
from memfeat.video.frame import CANVAS_SIZE

if TYPE_CHECKING:
    from torch import Tensor, nn


class FlowTorch(NetworkExtractor):
    r"""Mean magnitude of TV-L1 optical flow over the grey canvas, one value per pair of consecutive frames.

    The quantity of `memfeat.extractors.flow`, :math:`\frac1N\sum_i \sqrt{u_i^2 + v_i^2}` in pixels per frame, with
    ``times`` and ``dt`` as there, by `memfeat.networks.tvl1.BatchedTVL1`, which takes pairs of many videos at once. The
    two agree as OpenCV's own results do when its input changes by 1e-4 of a grey level; not to the digit, so that
    each has a name of its own. On a CPU `flow` is the faster one by far.
    """

    clips: ClassVar[bool] = True
    weighted: ClassVar[bool] = False
    min_frames: ClassVar[int] = 2
    unit: ClassVar[str] = "pixels of the 256×256 canvas per frame"
    preparation: ClassVar[Preparation] = "zscore"
    on_cpu: ClassVar[str] = "without a GPU the descriptor flow measures the same quantity many times sooner"
    # A pair takes some 7 MB of a GPU's memory; coarse levels of the pyramid keep it busy only in large batches.
    batch_rows: ClassVar[Mapping[str, int]] = {"cuda": 1024, "cpu": 16}
    name = "flow-torch"
    summary = "Mean magnitude of TV-L1 optical flow per pair of frames, in batches for GPUs."
    width = 1
    selection = PAIRS

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the grey canvas, as descriptors see it: uint8 (1, 256, 256)."""
        canvas = resize_area(rgb, CANVAS_SIZE)
        return np.asarray(cv2.cvtColor(canvas, cv2.COLOR_RGB2GRAY), dtype=np.uint8)[None]

    def build(self) -> nn.Module:
        """Return the solver as a module: from uint8 (B, 1, 2, 256, 256) to (B, 1)."""
        from memfeat.networks.tvl1_module import MeanMagnitude

        return MeanMagnitude()

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return what is given: there are no weights."""
        return state

    def parameters(self) -> dict[str, Any]:
        """Return the solver's parameters and the canvas."""
        from memfeat.kernels.tvl1 import TVL1

        return {"algorithm": "TV-L1", "backend": "torch", "canvas": CANVAS, **TVL1().parameters()}


class _Flow(NetworkFamily):
    summary = (
        "TV-L1 optical flow in batches, for GPUs: one number per pair of consecutive frames. No weights."
    )

    def names(self) -> list[str]:
        """Return the one name."""
        return [FlowTorch.name]

    def make(self, name: str) -> NetworkExtractor | None:
        """Return the extractor of that name, or None."""
        return FlowTorch() if name == FlowTorch.name else None


FAMILY = _Flow()
