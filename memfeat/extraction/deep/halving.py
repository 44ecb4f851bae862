"""Batches that do not fit into the device's memory are halved, and remembered, instead of ending the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from memfeat.network_extractor import Pixels

Result = TypeVar("Result")
_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    # What cuBLAS and cuDNN say where they get no memory for their own use; the last two where every algorithm failed.
    "alloc_failed",
    "allocation_failed",
    "unable to find an engine to execute",
    "unable to find a valid cudnn algorithm",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that memory, the device's or the machine's, was not enough.

    >>> is_out_of_memory(RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"))
    True
    >>> is_out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"))
    True
    >>> is_out_of_memory(RuntimeError("shapes do not match"))
    False
    """
    if isinstance(error, MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _WORDS)


class Halving(Generic[Result]):
    """Launches batches of equal-shaped rows in pieces that fit.

    Parameters
    ----------
    launch
        Runs some rows.
    release
        Called when a piece did not fit, to free what can be freed.

    Attributes
    ----------
    most
        Rows that fitted at last, by the shape of their pixels; shapes that never failed are not there.
    """

    def __init__(self, launch: Callable[[Sequence[Pixels]], Result], release: Callable[[], None]) -> None:
        self.most: dict[tuple[int, ...], int] = {}
        self._launch = launch
        self._release = release

    def __call__(self, pixels: Sequence[Pixels]) -> Iterator[tuple[int, int, Result | None]]:
        """Launch a batch and yield (begin, end, result) of each piece; None for one row that does not fit."""
        shape = pixels[0].shape
        begin = 0
        while begin < len(pixels):
            end = min(begin + self.most.get(shape, len(pixels)), len(pixels))
            result = self._try(pixels[begin:end])
            if result is None and end - begin > 1:
                self.most[shape] = (end - begin) // 2
                continue
            yield begin, end, result
            begin = end

    def _try(self, pixels: Sequence[Pixels]) -> Result | None:
        try:
            return self._launch(pixels)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
        # Only here: as long as the error is at hand, its traceback keeps the tensors alive.
        self._release()
        return None
