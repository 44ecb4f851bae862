"""A family of two tiny networks that share a file of weights, in place of all real ones."""

from __future__ import annotations

from pathlib import Path

from tiny_networks import TinyImages

from memfeat import extractors
from memfeat.network_extractor import NetworkFamily
from memfeat.weights import lookup


class Published(TinyImages):
    """Reads a naming with ``module.`` and a classifier, as released files have."""

    def own_names(self, state):
        plain = {name.removeprefix("module."): tensor for name, tensor in state.items()}
        return {name: tensor for name, tensor in plain.items() if not name.startswith("fc.")}


class Family(NetworkFamily):
    summary = "Tiny networks."

    def names(self):
        return ["tiny-a", "tiny-b"]

    def make(self, name):
        return Published(name=name) if name in self.names() else None


def only_tiny(monkeypatch, folder: Path) -> None:
    """Make the tiny family the only one, and `folder` the only place where weights are."""
    families = {"tiny": Family()}
    monkeypatch.setattr(extractors, "families", lambda: families)
    for variable in ("TORCH_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(variable, str(folder / "no-cache"))
    monkeypatch.setenv(lookup.FOLDER_VARIABLE, str(folder))


def released(file: Path, seed: int = 0, **changes) -> Path:
    """Write weights as a release has them: from several GPUs, with a classifier, inside a checkpoint."""
    import torch

    from memfeat.weights.states import random_network

    state = random_network(Published().build, seed).state_dict()
    state = {f"module.{name}": tensor for name, tensor in state.items()}
    state |= {"module.fc.weight": torch.zeros(3, 6), **changes}
    torch.save({"state_dict": state, "epoch": 3}, file)
    return file
