"""TV-L1 as a torch module: pairs of grey images in, the mean length of their flow out."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from memfeat.networks.tvl1 import BatchedTVL1


class MeanMagnitude(nn.Module):
    """Mean length of the TV-L1 flow of each pair, in pixels, on whatever device the pairs lie.

    Parameters
    ----------
    **parameters
        Those of `memfeat.kernels.tvl1.TVL1`, with its defaults.

    Examples
    --------
    >>> import torch
    >>> MeanMagnitude()(torch.zeros(3, 1, 2, 32, 32, dtype=torch.uint8))
    tensor([[0.],
            [0.],
            [0.]])
    """

    def __init__(self, **parameters: Any) -> None:
        super().__init__()
        self._given = parameters
        self._solver = BatchedTVL1(**parameters)

    def forward(self, pairs: Tensor) -> Tensor:
        """Return the lengths, float32 (B, 1), of pairs (B, 1, 2, H, W), uint8 or floats from 0 to 255."""
        if pairs.device != self._solver.device:
            # Here and not on a call of `to`: a module without tensors is not told where it is sent.
            self._solver = BatchedTVL1(device=pairs.device, **self._given)
        lengths = self._solver.mean_magnitudes(pairs[:, 0, 0], pairs[:, 0, 1])
        return lengths.float()[:, None]

    def provenance(self) -> dict[str, Any]:
        """Return what does the iterations, as JSON: information, no part of a key."""
        return {"solver": self._solver.provenance()}
