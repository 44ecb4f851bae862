"""One network on one device: from 8-bit pixels to rows of its feature."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from memfeat.errors import SetupError
from memfeat.extraction.deep.backends import versions
from memfeat.extraction.deep.device import describe
from memfeat.extraction.deep.halving import is_out_of_memory
from memfeat.extraction.deep.wanted import Wanted
from memfeat.network_extractor import Pixels

Rows = npt.NDArray[np.float32]
_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}
_ROWS_ON = {"cuda": 256, "cpu": 16}
_CLIP_FRAMES_ON = {"cuda": 512, "cpu": 32}
_COMPARED = 16
"""Rows at most that a reduced precision is compared with float32 on: a whole batch may not fit in float32."""


class Pending:
    """Rows that a device may still be working on."""

    def __init__(self, rows: Tensor) -> None:
        self._rows = rows
        self._done: Any = None
        if rows.is_cuda:
            # Copied behind the computation on the same stream; the host waits only when it wants the values.
            self._rows = torch.empty(rows.shape, dtype=torch.float32, pin_memory=True)
            self._rows.copy_(rows, non_blocking=True)
            # Waiting for it leaves the processor to the threads that decode.
            self._done = torch.cuda.Event(blocking=True)  # type: ignore[no-untyped-call]
            self._done.record(torch.cuda.current_stream(rows.device))

    def result(self) -> Rows:
        """Return the rows, float32 (B, width), when they are there."""
        if self._done is not None:
            self._done.synchronize()
        return np.array(self._rows.numpy(), dtype=np.float32)


class Runner:
    """A network with its weights on a device.

    Pixels are sent as 8-bit integers and normalised on the device in float32; activations lie channels-last. Reduced
    precision is autocast: weights and normalisation stay float32, and so does what is returned. An algorithm gets the
    8-bit pixels, and is never compiled.

    Parameters
    ----------
    wanted
        The network.
    device
        ``cpu`` or ``cuda:N``.
    batch_size
        Rows of a batch; None for a size that suits the device.
    compile
        Have torch compile the network, which takes a minute or so and pays on long runs.

    Raises
    ------
    WeightsError
        The weights are damaged or those of another network.
    SetupError
        A library is missing. (Memory that is not enough comes as torch reports it.)
    """

    def __init__(
        self, wanted: Wanted, device: str, *, batch_size: int | None = None, compile: bool = False
    ) -> None:
        self.wanted = wanted
        self.device = device
        self.compile = compile and wanted.network.weighted
        self.deviation: dict[str, float] = {}
        """How far the first rows lie from float32; filled in by a reduced precision."""
        self._asked = batch_size
        clips = wanted.network.clips
        self._format = torch.channels_last_3d if clips else torch.channels_last
        module = wanted.load().eval().requires_grad_(False)
        self._module: nn.Module = module.to(device).to(memory_format=self._format)
        self._forward: Callable[[Tensor], Any] = torch.compile(self._module) if self.compile else self._module
        if wanted.network.weighted:
            shape = (1, 3, 1, 1, 1) if clips else (1, 3, 1, 1)
            self._mean = torch.tensor(wanted.network.mean, device=device).reshape(shape)
            self._std = torch.tensor(wanted.network.std, device=device).reshape(shape)

    def batch_size(self, shape: tuple[int, ...]) -> int:
        """Return how many rows of pixels of that shape make a batch."""
        if self._asked is not None:
            return self._asked
        kind = self.device.partition(":")[0]
        if (rows := self.wanted.network.batch_rows.get(kind)) is not None:
            return rows
        return _ROWS_ON[kind] if len(shape) == 3 else max(1, _CLIP_FRAMES_ON[kind] // shape[1])

    def launch(self, pixels: Sequence[Pixels]) -> Pending:
        """Begin to compute rows of equal-shaped pixels.

        Raises
        ------
        SetupError
            The device failed, the network cannot be compiled, or it returns something else than rows of its width.
        """
        with self._named_errors(), torch.inference_mode():
            return Pending(self._rows(pixels))

    def collect(self, pending: Pending) -> Rows:
        """Wait for rows; raises as `launch` does, because a GPU reports its errors late."""
        try:
            with self._named_errors():
                return pending.result()
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            # Too late to halve: the batch is no longer at hand.
            raise SetupError(
                f"{self.device} ran out of memory while {self.wanted.name} was computed. Use a smaller --batch-size, "
                "or fewer features at once. What was committed is kept."
            ) from error

    def release(self) -> None:
        """Give memory that is not in use back to the device."""
        if self.device != "cpu":
            with self._named_errors():
                torch.cuda.synchronize(self.device)
                torch.cuda.empty_cache()

    def provenance(self) -> dict[str, Any]:
        """Return how rows were computed, as JSON: information, no part of the key."""
        return {
            "device": describe(self.device),
            "torch": str(torch.__version__),
            "precision": self.wanted.settings.precision,
            "batch_size": self._asked or "by device",
            "compile": self.compile,
            **versions(self.wanted.settings.decoder),
            **(own() if (own := getattr(self._module, "provenance", None)) else {}),
            **({"deviation_from_float32": self.deviation} if self.deviation else {}),
        }

    def _rows(self, pixels: Sequence[Pixels]) -> Tensor:
        batch = self._normalised(pixels)
        precision = self.wanted.settings.precision
        with self._autocast():
            rows = self._checked(self._forward(batch), len(pixels))
        if precision != "float32" and not self.deviation:
            count = min(len(pixels), _COMPARED)
            exact = self._checked(self._forward(batch[:count]), count)
            apart = (rows[:count] - exact).norm(dim=1) / exact.norm(dim=1).clamp_min(1e-12)
            self.deviation = {"relative": float(apart.max()), "rows": float(count)}
        return rows

    def _autocast(self) -> AbstractContextManager[Any]:
        kind = _TYPES.get(self.wanted.settings.precision)
        if kind is None:
            return nullcontext()
        return torch.autocast(self.device.partition(":")[0], dtype=kind)

    def _normalised(self, pixels: Sequence[Pixels]) -> Tensor:
        on_gpu = self.device != "cpu"
        sent = torch.empty((len(pixels), *pixels[0].shape), dtype=torch.uint8, pin_memory=on_gpu)
        np.stack(pixels, out=sent.numpy())
        batch = sent.to(self.device, non_blocking=on_gpu)
        if not self.wanted.network.weighted:
            return batch
        batch = batch.to(torch.float32, memory_format=self._format)
        return batch.div_(255).sub_(self._mean).div_(self._std)

    def _checked(self, rows: Any, count: int) -> Tensor:
        wanted = (count, self.wanted.network.width)
        if not isinstance(rows, Tensor) or tuple(rows.shape) != wanted:
            got = tuple(rows.shape) if isinstance(rows, Tensor) else type(rows).__name__
            raise SetupError(
                f"The network {self.wanted.network.name} returns {got}, and {wanted} was expected."
            )
        return rows.float()

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if not is_out_of_memory(error) and (known := self._setup_error(error)) is not None:
                raise known from error
            raise

    def _setup_error(self, error: Exception) -> SetupError | None:
        text = " ".join(str(error).split())[:300]
        if "CUDA error" in text or type(error).__name__ == "AcceleratorError":
            return SetupError(
                f"{self.device} failed in {self.wanted.name} ({text}). Run again; if it happens again, check the "
                "driver with nvidia-smi, or use --device cpu."
            )
        if "does not support bfloat16" in text:
            return SetupError(
                f"{self.device} does not know bf16 ({text}). Use --precision fp16 or float32 for {self.wanted.name}."
            )
        if self.compile and type(error).__module__.startswith(("torch._dynamo", "torch._inductor")):
            return SetupError(f"{self.wanted.name} cannot be compiled here ({text}). Leave --compile out.")
        return None


@contextmanager
def exact_float32() -> Iterator[None]:
    """Have convolutions and products on a GPU keep float32's digits: torch's own default gives some of them up."""
    # Since torch 2.9 another flag, beside which the older ones are an error.
    convolutions: Any = getattr(torch.backends.cudnn, "conv", None)
    name, exact = ("allow_tf32", False) if convolutions is None else ("fp32_precision", "ieee")
    owners: list[Any] = [torch.backends.cuda.matmul, convolutions or torch.backends.cudnn]
    before = [getattr(owner, name) for owner in owners]
    for owner in owners:
        setattr(owner, name, exact)
    try:
        yield
    finally:
        for owner, value in zip(owners, before, strict=True):
            setattr(owner, name, value)
