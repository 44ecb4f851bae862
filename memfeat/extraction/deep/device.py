"""Where networks run: which devices there are, and what they are called."""

from __future__ import annotations

import platform
import re
from contextlib import suppress
from pathlib import Path
from typing import Any

from memfeat.errors import SetupError, UsageError

_NAMES = re.compile(r"cpu|cuda(:\d+)?")


def choose_devices(asked: str | None = None) -> list[str]:
    """Return the devices to run on, one process each.

    Parameters
    ----------
    asked
        ``cpu``; ``cuda`` for every GPU that torch sees; ``cuda:1`` for one of them; None for GPUs where there are any,
        else the CPU.

    Raises
    ------
    UsageError
        It is none of these.
    SetupError
        torch sees no such GPU; the message says what it sees.

    Examples
    --------
    >>> choose_devices("cpu")
    ['cpu']
    """
    if asked is not None and not _NAMES.fullmatch(asked):
        raise UsageError(f"--device {asked!r}: use cpu, cuda (every GPU) or cuda:N (one of them).")
    if asked == "cpu":
        return ["cpu"]
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if asked is None:
        return [f"cuda:{index}" for index in range(count)] or ["cpu"]
    index = int(asked.partition(":")[2] or 0)
    if index >= count:
        raise SetupError(
            f"--device {asked}: torch {torch.__version__} sees {_seen(torch, count)}. Check the driver (nvidia-smi), "
            "CUDA_VISIBLE_DEVICES, and that torch was installed with CUDA; or use --device cpu."
        )
    return [f"cuda:{index}"] if ":" in asked else [f"cuda:{index}" for index in range(count)]


def _seen(torch: Any, count: int) -> str:
    if count:
        return f"{count} GPU{'s' if count > 1 else ''}: " + ", ".join(
            f"cuda:{index} ({torch.cuda.get_device_name(index)})" for index in range(count)
        )
    built = torch.version.cuda
    return f"no GPU (it was built {f'for CUDA {built}' if built else 'without CUDA'})"


def make_current(device: str) -> None:
    """Have torch take a GPU where none is named: libraries that ask for the current one else begin to use the first.

    Raises
    ------
    SetupError
        torch cannot use it.
    """
    if device == "cpu":
        return
    import torch

    try:
        torch.cuda.set_device(device)
    except Exception as error:
        raise unusable(device, error) or error from None


def unusable(device: str, error: Exception) -> SetupError | None:
    """Return what to say where an error is that of a GPU, its driver or a torch that was not built for it.

    >>> str(unusable("cuda:0", RuntimeError("CUDA error: no kernel image is available")))[:41]
    'cuda:0 cannot be used (CUDA error: no ker'
    >>> unusable("cpu", RuntimeError("shapes do not match")) is None
    True
    """
    text = " ".join(str(error).split())[:300]
    if device == "cpu" or not re.search("CUDA|NVIDIA|cuDNN|cuBLAS", text):
        return None
    return SetupError(
        f"{device} cannot be used ({text}). Check the driver and what else uses the GPU (nvidia-smi), and whether this "
        "torch was built for it; or use --device cpu."
    )


def describe(device: str) -> str:
    """Return the name of a device's hardware.

    >>> describe("cpu") != ""
    True
    """
    if device == "cpu":
        return _processor() or platform.processor() or platform.machine()
    import torch

    return str(torch.cuda.get_device_name(device))


def _processor() -> str:
    """Return the processor's name where Linux tells it: Python knows its architecture only."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return ""


def memory_in_use(device: str) -> str:
    """Return in words how much memory is in use, for the progress display."""
    parts = []
    try:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        parts.append(f"{peak / 2**20:.1f} GB")
    except ImportError:  # Windows
        pass
    if device != "cpu":
        import torch

        parts.append(f"GPU {torch.cuda.max_memory_allocated(device) / 2**30:.1f} GB")
    return ", ".join(parts)
