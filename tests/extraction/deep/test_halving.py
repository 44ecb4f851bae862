"""Out of memory, batches become smaller and the run goes on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.extraction.deep.halving import Halving, is_out_of_memory


class Device:
    """Has memory for `most` rows at a time."""

    def __init__(self, most: int, error: type[Exception] = RuntimeError) -> None:
        self.most = most
        self.error = error
        self.released = 0
        self.tried: list[int] = []

    def launch(self, pixels):
        self.tried.append(len(pixels))
        if len(pixels) > self.most:
            raise self.error("CUDA out of memory. Tried to allocate 7 GiB")
        return [int(p[0, 0, 0]) for p in pixels]

    def release(self) -> None:
        self.released += 1


def rows(count: int, size: int = 2):
    return [np.full((3, size, size), k, np.uint8) for k in range(count)]


@given(count=st.integers(1, 60), most=st.integers(1, 70))
def test_every_row_is_computed_once_in_order_whatever_fits(count, most):
    device = Device(most)
    pieces = list(Halving(device.launch, device.release)(rows(count)))
    assert [value for _, _, result in pieces for value in result] == list(range(count))
    assert [begin for begin, _, _ in pieces] == [0, *(end for _, end, _ in pieces[:-1])]
    assert all(end - begin <= most for begin, end, _ in pieces)


def test_what_fitted_is_remembered_for_the_shape():
    device = Device(3)
    halving = Halving(device.launch, device.release)
    list(halving(rows(8)))
    assert (device.tried, device.released) == ([8, 4, 2, 2, 2, 2], 2)
    device.tried.clear()
    list(halving(rows(8)))
    assert device.tried == [2, 2, 2, 2]
    device.tried.clear()
    list(halving(rows(3, size=4)))
    assert device.tried == [3]
    assert halving.most == {(3, 2, 2): 2}


def test_one_row_that_does_not_fit_is_said_and_the_next_tried():
    device = Device(0)
    assert list(Halving(device.launch, device.release)(rows(3))) == [(0, 1, None), (1, 2, None), (2, 3, None)]


def test_other_errors_pass():
    def launch(pixels):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes"):
        list(Halving(launch, lambda: None)(rows(2)))


def test_torch_s_own_error_counts():
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    assert is_out_of_memory(torch.cuda.OutOfMemoryError("CUDA out of memory."))
    assert is_out_of_memory(
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory")
    )
    for text in (
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
        "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
        "CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED",
        "GET was unable to find an engine to execute this computation",
    ):
        assert is_out_of_memory(RuntimeError(text))
    assert not is_out_of_memory(RuntimeError("CUDA error: an illegal memory access was encountered"))
    assert is_out_of_memory(MemoryError())
    assert not is_out_of_memory(ValueError("out of memory"))
