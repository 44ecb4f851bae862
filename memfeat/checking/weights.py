"""Which weights of networks are on this machine, and whether they are what they are called."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from memfeat import extractors
from memfeat.errors import MemfeatError, SetupError, UsageError, WeightsError
from memfeat.network_extractor import NetworkExtractor
from memfeat.weights import lookup, states
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, slots=True)
class Entry:
    """The weights of one network, and where they lie.

    Attributes
    ----------
    network
        Name of the feature.
    weights
        Name of the weights; networks that differ in their layer share them.
    files
        Names under which the file is looked for.
    where
        From where it is to be had.
    source, licence
        Who publishes it, and under which terms.
    sha256
        The beginning of its digest, as many digits as are published; empty where none are.
    found
        The file on this machine, not yet checked; None where it is absent.
    size
        Its bytes.
    input
        What the network is given: architecture, resizing, layer, and the mean and deviation of RGB in 0 to 1.
    problem
        Why nothing more is known, such as a library that is missing; mostly empty.
    """

    network: str
    weights: str = ""
    files: tuple[str, ...] = ()
    where: str = ""
    source: str = ""
    licence: str = ""
    sha256: str = ""
    found: Path | None = None
    size: int | None = None
    input: dict[str, Any] = field(default_factory=dict)
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the entry as JSON."""
        return {**asdict(self), "files": list(self.files), "found": self.found and str(self.found)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of checking the weights of one network.

    Attributes
    ----------
    network
        Name of the feature.
    state
        ``ok``, ``absent``, ``wrong``, or ``unchecked`` where a library is missing.
    text
        For people: what was read, or what is wrong and what to do.
    file
        The file that was checked.
    sha256
        Its whole digest, where it could be read.
    """

    network: str
    state: str
    text: str
    file: Path | None = None
    sha256: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON."""
        return {**asdict(self), "file": self.file and str(self.file)}


def networks(names: Iterable[str] = ()) -> list[NetworkExtractor]:
    """Return the networks with weights that are called `names`; without any, all that are listed.

    Parameters
    ----------
    names
        Names of features, short ones among them, or names of weights, which may belong to several networks.

    Raises
    ------
    UsageError
        A name is neither, and the message proposes the closest; or it is an algorithm's, which has no weights.

    Examples
    --------
    >>> [network.name for network in networks(["memnet-lamem", "csn-ip-152-ig65m"])]
    ['memnet-lamem-fc6', 'memnet-lamem-fc7', 'csn-ip-152-ig65m']
    """
    listed = list(names)
    if not listed:
        known = (extractors.get_network(name) for name in extractors.network_names())
        return [network for network in known if network.weighted]
    found: dict[str, NetworkExtractor] = {}
    for name in listed:
        for network in _called(name):
            found[network.name] = network
    return list(found.values())


def inventory(names: Iterable[str] = ()) -> list[Entry]:
    """Return what is known of the weights of `networks`, and where they lie. No file is read.

    Raises
    ------
    UsageError
        A name is no network's.
    """
    return [_entry(network) for network in networks(names)]


def check(network: NetworkExtractor, file: Path | None = None) -> Verdict:
    """Find the weights of a network, check the digest, read the tensors and load them strictly. Nothing is downloaded.

    Parameters
    ----------
    network
        The network.
    file
        A file to check in place of the published one; then no digest is expected.

    Returns
    -------
    Verdict
        Errors of the file, of the network and of the installation are told there, not raised.
    """
    path, digest = file, ""
    try:
        published = network.published
        if path is None:
            path = located(published)
            if path is None:
                return Verdict(network.name, "absent", _where_to_get(published))
            lookup.verified(path, published)
        digest = lookup.sha256(path)
        tensors, module = load(network, path)
    except MemfeatError as error:
        lacking = isinstance(error, SetupError) and not isinstance(error, WeightsError)
        return Verdict(network.name, "unchecked" if lacking else "wrong", str(error), path, digest)
    count = sum(parameter.numel() for parameter in module.parameters())
    stated = "a file of your own" if file is not None else _as_published(published)
    text = f"{tensors:,} tensors, {count:,} parameters, sha256 {digest[:16]}… ({stated})"
    return Verdict(network.name, "ok", text, path, digest)


def load(network: NetworkExtractor, file: Path) -> tuple[int, nn.Module]:
    """Return how many tensors a file has for a network, and the network with them, loaded strictly.

    Raises
    ------
    WeightsError
        The file cannot be read, or belongs to another network.
    SetupError
        A library is missing.
    """
    try:
        state = network.own_names(states.read_state(file))
        module = network.build()
    except ImportError as error:
        raise SetupError(
            f"The network {network.name} needs {error.name}: pip install 'memfeat[deep]'."
        ) from error
    states.load_strictly(module, state, origin=str(file))
    return len(state), module


def located(published: Published) -> Path | None:
    """Return the file of these weights on this machine, as it would be found by an extraction, or None."""
    return next((path for path in lookup.candidates(published) if path.is_file()), None)


def _called(name: str) -> Iterator[NetworkExtractor]:
    try:
        network = extractors.get_network(name)
    except UsageError as error:
        unknown = error
    else:
        if not network.weighted:
            raise UsageError(f"{network.name!r} has no weights.")
        yield network
        return
    sharing = [network for network in networks() if _published_name(network) == name]
    if not sharing:
        raise unknown
    yield from sharing


def _published_name(network: NetworkExtractor) -> str:
    try:
        return network.published.name
    except MemfeatError:
        return ""


def _entry(network: NetworkExtractor) -> Entry:
    try:
        published, parameters = network.published, network.parameters()
    except MemfeatError as error:  # timm's table is timm's: nothing is known without it
        return Entry(network.name, problem=str(error))
    path = located(published)
    return Entry(
        network.name,
        published.name,
        published.files,
        published.where,
        published.source,
        published.licence,
        published.sha256,
        path,
        None if path is None else path.stat().st_size,
        {**parameters, "mean": list(network.mean), "std": list(network.std)},
    )


def _where_to_get(published: Published) -> str:
    return (
        f"{published.files[0]} is neither in the folder {lookup.FOLDER_VARIABLE} nor in a cache; it is to be had from "
        f"{published.where}."
    )


def _as_published(published: Published) -> str:
    digits = len(published.sha256)
    return f"{digits} digits as published" if digits else "none is published"
