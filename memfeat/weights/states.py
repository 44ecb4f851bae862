"""Reading tensors from a file without running anything in it, and loading them strictly."""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memfeat.errors import WeightsError

if TYPE_CHECKING:
    from torch import Tensor, nn

_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_SHOWN = 6


def read_state(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a ``.safetensors`` or torch file by name; nothing in it is executed.

    A state dict inside a checkpoint (``state_dict``, ``model``, ...) is unpacked.

    Raises
    ------
    WeightsError
        The file is damaged, needs code to be read, or holds no tensors.
    """
    import torch

    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            content: Any = load_file(path)
        else:
            content = _read_torch(path, torch)
    except Exception as error:  # torch and safetensors answer a damaged file with whatever they trip over
        raise WeightsError(
            f"{path} cannot be read as weights ({_reason(path, error)}). It is damaged, incomplete, or needs code to "
            "be read, which memfeat does not run. Get it again, or convert it to safetensors."
        ) from error
    for _ in range(2):
        inner = next((content[k] for k in _WRAPPERS if isinstance(content, Mapping) and k in content), None)
        if isinstance(inner, Mapping):
            content = inner
    if not isinstance(content, Mapping):
        raise WeightsError(f"{path} holds a {type(content).__name__}; tensors by name were expected.")
    state = {str(name): value for name, value in content.items() if isinstance(value, torch.Tensor)}
    if not state:
        listed = ", ".join(map(str, list(content)[:_SHOWN])) or "nothing"
        raise WeightsError(f"{path} holds no tensors by name; it holds {listed}.")
    return state


def _reason(path: Path, error: Exception) -> str:
    with suppress(OSError), path.open("rb") as file:
        head = file.read(64).lstrip()
        if head.startswith(b"<"):
            return "it is a web page, as is sent for signing in or for an error"
        if head.startswith(b"version https://git-lfs"):
            return "it is a pointer of Git LFS; git lfs pull brings the file itself"
    # The first sentence: torch goes on with advice to run what is in the file.
    return f"{type(error).__name__}: {' '.join(str(error).split()).split('. ')[0][:200]}"


def _read_torch(path: Path, torch: Any) -> Any:
    if not zipfile.is_zipfile(path):
        return torch.load(path, map_location="cpu", weights_only=True)  # files from before torch 1.6
    with zipfile.ZipFile(path) as archive:
        script = any(name.endswith("/constants.pkl") for name in archive.namelist())
    if not script:
        return torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript is old
        # OpenAI's CLIP files are programs with tensors: the tensors are taken, the program is never called.
        return torch.jit.load(str(path), map_location="cpu").state_dict()


def load_strictly(module: nn.Module, state: Mapping[str, Tensor], *, origin: str) -> None:
    """Put tensors into a network, all of them and each at its place.

    Counters of batches that batch normalisation keeps may be missing: no prediction uses them.

    Parameters
    ----------
    module
        The network.
    state
        Tensors by the network's own names.
    origin
        The file, for messages.

    Raises
    ------
    WeightsError
        A tensor is missing, unknown, of another shape or not finite; the message names them.
    """
    own = module.state_dict()
    counters = {name for name in own if name.endswith("num_batches_tracked")}
    given = {name: tensor for name, tensor in state.items() if not name.endswith("num_batches_tracked")}
    missing = sorted(own.keys() - counters - given.keys())
    unexpected = sorted(given.keys() - own.keys())
    reshaped = sorted(
        f"{name} {tuple(tensor.shape)} instead of {tuple(own[name].shape)}"
        for name, tensor in given.items()
        if name in own and tensor.shape != own[name].shape
    )
    problems = [
        f"{len(names)} {what}: {_some(names)}"
        for what, names in (("missing", missing), ("unexpected", unexpected), ("of another shape", reshaped))
        if names
    ]
    if problems:
        raise WeightsError(
            f"{origin} does not fit the network {type(module).__name__}: {'; '.join(problems)}. It belongs to another "
            "network, or is a part of one."
        )
    bad = [
        name
        for name, tensor in given.items()
        if tensor.is_floating_point() and not bool(tensor.isfinite().all())
    ]
    if bad:
        raise WeightsError(f"{origin} holds values that are not finite, in {_some(bad)}. Get it again.")
    module.load_state_dict(dict(given), strict=False)


def random_network(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    """Return a network with random weights that depend on `seed` alone; torch's own generator is left as it was.

    Batch normalisation gets random statistics too, so that activations stay apart through many layers.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module = build()
        for part in module.modules():
            mean, variance = getattr(part, "running_mean", None), getattr(part, "running_var", None)
            if isinstance(mean, torch.Tensor) and isinstance(variance, torch.Tensor):
                torch.nn.init.uniform_(mean, -0.1, 0.1)
                torch.nn.init.uniform_(variance, 0.5, 1.5)
    return module


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
