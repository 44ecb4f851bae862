"""What every family of networks has to keep, for the test of each."""

from __future__ import annotations

from typing import Any

import numpy as np

from memfeat.network_extractor import NetworkExtractor, NetworkFamily

FRAMES = ((256, 342), (720, 405), (15, 31), (224, 224))


def listed(family: NetworkFamily) -> None:
    """Listed names make what they say, and other names nothing."""
    assert family.summary.endswith(".")
    assert family.names()
    for name in family.names():
        network = family.make(name)
        assert network is not None
        assert network.name == name
        assert network.summary.endswith(".")
        assert family.make(f"{name}-spread5-spread5") is None
    assert family.make("no-such-network") is None


def prepared_alike(network: NetworkExtractor) -> tuple[int, ...]:
    """Frames of any size become one size; return it."""
    prepared = [network.prepare(np.zeros((height, width, 3), np.uint8)) for height, width in FRAMES]
    assert all(pixels.dtype == np.uint8 and pixels.flags.c_contiguous for pixels in prepared)
    (shape,) = {pixels.shape for pixels in prepared}
    assert len(shape) == 3
    assert shape[0] == 3
    return shape


def built(network: NetworkExtractor, shape: tuple[int, ...]) -> int:
    """The network, built without numbers on the meta device, gives the width it says; return its parameters."""
    import torch

    assert len(shape) == (5 if network.clips else 4)
    with torch.device("meta"), torch.inference_mode():
        module = network.build().eval()
        assert tuple(module(torch.zeros(shape)).shape) == (shape[0], network.width)
    return sum(p.numel() for p in module.parameters())


def loses_alone(network: NetworkExtractor, added: dict[str, Any], *, strip: str = "") -> None:
    """Of a released file, `own_names` drops what is added to the network's own tensors, and nothing else."""
    import torch

    with torch.device("meta"):
        own = network.build().state_dict()
    released = {name.removeprefix(strip): tensor for name, tensor in own.items()}
    assert network.own_names({**released, **added}).keys() == own.keys()
