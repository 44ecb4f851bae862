"""Weights of any naming that a network reads, written as safetensors under the network's own names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from memfeat.checking.weights import load
from memfeat.errors import UsageError, WeightsError
from memfeat.network_extractor import NetworkExtractor
from memfeat.store.files import replacing
from memfeat.weights import lookup, states


@dataclass(frozen=True, slots=True)
class Converted:
    """What was written."""

    file: Path
    tensors: int
    bytes: int


def convert(file: Path, network: NetworkExtractor, out: Path) -> Converted:
    """Write what a network needs of a file as safetensors, in float32, and load it back strictly.

    What the network has no use for is left out: classifiers, and the text side of a CLIP. The digest of the new
    file is another one, and so is the key of features that are computed with it.

    Parameters
    ----------
    file
        Weights as released, in any naming that the network reads.
    network
        Whose they are.
    out
        The file to write, ``….safetensors``, which must not exist.

    Raises
    ------
    UsageError
        `out` exists or ends otherwise, or there is no `file`.
    WeightsError
        The file cannot be read, or belongs to another network. Nothing is written then.
    SetupError
        The file cannot be written, or a library is missing.
    """
    if out.suffix != ".safetensors":
        raise UsageError(f"{out} must end in .safetensors.")
    if out.exists():
        raise UsageError(f"{out} exists. Remove it, or give another name.")
    if not file.is_file():
        raise UsageError(f"There is no file {file}.")
    if not out.parent.is_dir():
        raise UsageError(f"There is no folder {out.parent}.")
    _, module = load(network, file)
    tensors = {
        # Counters of batches say nothing; copies, because the format has no tensors that share memory.
        name: tensor.detach().clone().contiguous()
        for name, tensor in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }
    from safetensors.torch import load_file, save_file

    origin = {"format": "pt", "network": network.name, "from_sha256": lookup.sha256(file)}
    with replacing(out) as temporary:
        save_file(tensors, temporary, metadata=origin)
        written = network.own_names(load_file(temporary))
        if any(not written[name].equal(tensor) for name, tensor in tensors.items()):
            raise WeightsError(f"{out} cannot be read back as it was written. Check this machine's disk.")
        states.load_strictly(module, written, origin=str(out))
    return Converted(out, len(tensors), out.stat().st_size)
