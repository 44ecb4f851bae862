"""One network that is asked for, with its weights: what it is called in the store, its key, and how to load it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memfeat.errors import SetupError, UsageError
from memfeat.network_extractor import NetworkExtractor, Settings
from memfeat.weights import lookup, states

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Wanted:
    """A network, how it is run, and the file of its weights; can be sent to other processes.

    Attributes
    ----------
    digest
        sha256 of the file; empty for random weights.
    file
        None for random weights, and where there are none.
    """

    network: NetworkExtractor
    settings: Settings
    digest: str = ""
    file: Path | None = None

    @property
    def name(self) -> str:
        """Name of the feature in a store."""
        return self.network.stored_name(self.settings)

    @property
    def key(self) -> str:
        """The feature key."""
        return self.network.key(self.settings, self.digest)

    @property
    def recipe(self) -> dict[str, Any]:
        """The plain text behind the key."""
        return self.network.recipe(self.settings, self.digest)

    @property
    def weights(self) -> dict[str, Any]:
        """Where the weights come from, as JSON."""
        if not self.network.weighted:
            return {}
        if self.file is None:
            return {"random": self.settings.choice.seed}
        return {"file": self.file.name, "sha256": self.digest, "name": self.network.published.name}

    def load(self) -> nn.Module:
        """Return the network with its weights, on the CPU.

        Raises
        ------
        WeightsError
            The file is damaged or belongs to another network.
        SetupError
            A library is missing.
        """
        try:
            if not self.network.weighted:
                return self.network.build()
            if self.settings.choice.random:
                return states.random_network(self.network.build, self.settings.choice.seed or 0)
            if self.file is None:
                raise UsageError(f"{self.name!r} has neither a file of weights nor a seed.")
            module = self.network.build()
            state = self.network.own_names(states.read_state(self.file))
            states.load_strictly(module, state, origin=str(self.file))
            return module
        except ImportError as error:
            raise missing(error.name or "a library") from error


def require_torch() -> None:
    """Raise SetupError unless torch is installed."""
    if find_spec("torch") is None:
        raise missing("torch")


def missing(library: str) -> SetupError:
    """Return the error that says which library networks lack here."""
    return SetupError(f"Features of networks need {library}, which is missing: pip install 'memfeat[deep]'.")


def resolve(
    networks: Sequence[NetworkExtractor], settings: Settings, *, download: bool = True
) -> list[Wanted]:
    """Find the weights of every network, before anything is opened or written.

    Raises
    ------
    WeightsError
        Weights are nowhere, or damaged.
    UsageError
        Weights were given and no network takes any, or one file of them for several networks; or a network of single
        frames is asked for windows.
    SetupError
        torch is missing.
    """
    require_torch()
    if odd := [n.name for n in networks if n.selection.kind == "windows" and not n.clips]:
        raise UsageError(
            f"{odd[0]!r} looks at single frames, which make no windows; use everyN, Nps or spreadN."
        )
    choice = settings.choice
    taking = [network.name for network in networks if network.weighted]
    if choice.given and not taking:
        raise UsageError(f"--weights is given, and {networks[0].name} has none.")
    if choice.file is not None and len(taking) > 1:
        raise UsageError(
            f"--weights {choice.file} is the file of one network; several are asked for: {', '.join(taking)}."
        )
    found = []
    for network in networks:
        if choice.random or not network.weighted:
            found.append(Wanted(network, network.settings(settings)))
            continue
        file = choice.file or lookup.find(network.published, download=download)
        found.append(Wanted(network, settings, lookup.sha256(file.resolve()), file.resolve()))
    return found
