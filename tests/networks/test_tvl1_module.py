"""The module is the solver's mean magnitude, whatever its batch."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.networks.tvl1 import BatchedTVL1
from memfeat.networks.tvl1_module import MeanMagnitude


def test_it_gives_the_solver_s_lengths_one_row_per_pair() -> None:
    pairs = np.random.default_rng(0).integers(0, 256, (3, 1, 2, 24, 30), dtype=np.uint8)
    pairs[1, 0, 1] = pairs[1, 0, 0]
    given = torch.from_numpy(pairs)
    found = MeanMagnitude(warps=2)(given)
    expected = BatchedTVL1(warps=2).mean_magnitudes(given[:, 0, 0], given[:, 0, 1])
    assert (found.shape, found.dtype) == ((3, 1), torch.float32)
    torch.testing.assert_close(found[:, 0], expected.float(), rtol=0, atol=0)
    assert found[1] == 0
    torch.testing.assert_close(MeanMagnitude(warps=2)(given[2:]), found[2:], rtol=0, atol=0)


def test_it_says_what_does_the_iterations() -> None:
    assert MeanMagnitude().provenance()["solver"]["backend"] == "torch"
