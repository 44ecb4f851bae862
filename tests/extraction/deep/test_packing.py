"""Batches are full, of one shape, and nothing is lost or waits without bound."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from memfeat.extraction.deep.frames import Row
from memfeat.extraction.deep.packing import Packer


def row(index: int, size: int) -> Row:
    return Row(0, index, 0.0, np.zeros((3, size, size), np.uint8))


@given(sizes=st.lists(st.sampled_from([2, 3, 5]), max_size=60), most=st.integers(1, 7))
def test_every_row_goes_out_once_in_full_batches_of_one_shape(sizes, most):
    packer = Packer[int](lambda shape: most)
    early = [batch for k, size in enumerate(sizes) for batch in packer.add(k, row(k, size))]
    late = list(packer.flush())
    assert all(len(batch.rows) == most for batch in early)
    assert all(len({r.pixels.shape for r in batch.rows}) == 1 for batch in early + late)
    assert len(late) <= len(set(sizes))
    out = [owner for batch in early + late for owner in batch.owners]
    assert sorted(out) == list(range(len(sizes)))
    assert all(
        owner == r.index for batch in early + late for owner, r in zip(batch.owners, batch.rows, strict=True)
    )
    assert list(packer.flush()) == []


@given(sizes=st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_what_waits_has_a_bound_in_bytes(sizes):
    packer = Packer[int](lambda shape: 1000, waiting_bytes=3 * 40 * 40 * 3)
    waiting = 0
    for k, size in enumerate(sizes):
        waiting += 3 * size * size
        waiting -= sum(r.pixels.nbytes for batch in packer.add(k, row(k, size)) for r in batch.rows)
        assert waiting <= 3 * 40 * 40 * 3
    assert waiting == sum(r.pixels.nbytes for batch in packer.flush() for r in batch.rows)


def test_the_size_may_depend_on_the_shape():
    packer = Packer[int](lambda shape: 1 if shape[1] > 4 else 3)
    assert [len(batch.rows) for k in range(2) for batch in packer.add(k, row(k, 8))] == [1, 1]
    assert [len(batch.rows) for k in range(4) for batch in packer.add(k, row(k, 4))] == [3]
