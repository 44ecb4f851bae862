"""The small networks that end in a memorability score, built from descriptions that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

Activation = Literal["mish", "relu", "tanh"]
Output = Literal["sigmoid", "linear"]

_ACTIVATIONS: dict[str, type[nn.Module]] = {"mish": nn.Mish, "relu": nn.ReLU, "tanh": nn.Tanh}
M3S_UNITS = (512, 64)
IC_UNITS = 1500


class ScoreHead(nn.Module):
    """Fully connected layers from features, shape (n, d), to one score each, shape (n,).

    Parameters
    ----------
    n_in
        Number of features d.
    hidden
        Units of the hidden layers, in order.
    activation
        After each hidden layer: ``mish``, ``relu`` or ``tanh``.
    output
        ``sigmoid`` for scores in (0, 1), or ``linear``.

    Examples
    --------
    >>> parameter_count(ScoreHead(3635, M3S_UNITS))
    1894529
    >>> ScoreHead(2, (3,))(torch.zeros(5, 2)).shape
    torch.Size([5])
    """

    def __init__(
        self, n_in: int, hidden: Sequence[int], activation: str = "mish", output: str = "sigmoid"
    ) -> None:
        super().__init__()
        if output not in get_args(Output):
            raise ValueError(f"Unknown output {output!r}; there are {', '.join(get_args(Output))}.")
        self.hidden = dense(n_in, hidden, activation)
        self.last = nn.Linear(hidden[-1] if hidden else n_in, 1)
        self.output: nn.Module = nn.Sigmoid() if output == "sigmoid" else nn.Identity()

    def forward(self, X: Tensor) -> Tensor:
        """Return the scores of the rows of X, shape (n,)."""
        scores: Tensor = self.output(self.last(self.hidden(X)))
        return scores.squeeze(1)

    def start_at(self, mean: float) -> None:
        """Set the last layer's bias so that, before any training, scores lie around `mean`."""
        inside = min(max(mean, 1e-3), 1 - 1e-3)
        sigmoid = isinstance(self.output, nn.Sigmoid)
        bias = torch.logit(torch.tensor(inside)) if sigmoid else torch.tensor(mean)
        with torch.no_grad():
            self.last.bias.fill_(float(bias))


class BranchClassifier(nn.Module):
    """One layer per branch of features, their concatenation, further layers, and one logit per class.

    Parameters
    ----------
    widths
        Number of features of each branch, in the order of the columns; one width is a plain network.
    branch_units
        Units of the layer of each branch.
    hidden
        Units of the layers after the concatenation.
    n_classes
        Number of logits.
    activation, dropout
        After each layer but the last.

    Examples
    --------
    >>> network = BranchClassifier((4, 2), branch_units=8, hidden=(5,), n_classes=3)
    >>> network(torch.zeros(7, 6)).shape, parameter_count(network)
    (torch.Size([7, 3]), 167)
    """

    def __init__(
        self,
        widths: Sequence[int],
        branch_units: int,
        hidden: Sequence[int],
        n_classes: int,
        activation: str = "relu",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.widths = list(widths)
        self.branches = nn.ModuleList(
            [dense(width, (branch_units,), activation, dropout) for width in self.widths]
        )
        joined = branch_units * len(self.widths)
        self.merged = dense(joined, hidden, activation, dropout)
        self.last = nn.Linear(hidden[-1] if hidden else joined, n_classes)

    def forward(self, X: Tensor) -> Tensor:
        """Return the logits of the rows of X, shape (n, n_classes)."""
        parts = torch.split(X, self.widths, dim=1)
        joined = torch.cat([branch(part) for branch, part in zip(self.branches, parts, strict=True)], dim=1)
        logits: Tensor = self.last(self.merged(joined))
        return logits


def dense(n_in: int, hidden: Sequence[int], activation: str, dropout: float = 0.0) -> nn.Sequential:
    """Return linear layers with `hidden` units, each followed by the activation and, if any, dropout.

    Raises
    ------
    ValueError
        An unknown activation, units that are not positive integers, or dropout outside [0, 1).

    Examples
    --------
    >>> [type(layer).__name__ for layer in dense(2, (8, 4), "tanh")]
    ['Linear', 'Tanh', 'Linear', 'Tanh']
    """
    if activation not in _ACTIVATIONS:
        raise ValueError(f"Unknown activation {activation!r}; there are {', '.join(_ACTIVATIONS)}.")
    if any(int(units) != units or units < 1 for units in hidden):
        raise ValueError(f"Hidden layers have one unit or more each; got {list(hidden)}.")
    if not 0 <= dropout < 1:
        raise ValueError(f"Dropout is a share from 0 up to, not including, 1; got {dropout}.")
    layers: list[nn.Module] = []
    for units in map(int, hidden):
        layers += [nn.Linear(n_in, units), _ACTIVATIONS[activation]()]
        layers += [nn.Dropout(dropout)] if dropout else []
        n_in = units
    return nn.Sequential(*layers)


_KINDS: dict[str, type[ScoreHead] | type[BranchClassifier]] = {
    "score": ScoreHead,
    "classes": BranchClassifier,
}


def build(architecture: Mapping[str, Any], *, seed: int = 0) -> ScoreHead | BranchClassifier:
    """Return the network that a description asks for, with weights drawn as torch's layers do.

    Parameters
    ----------
    architecture
        ``kind`` is ``score`` (`ScoreHead`) or ``classes`` (`BranchClassifier`); the rest are its
        parameters.
    seed
        Of the weights. torch's own generator is left as it was.

    Raises
    ------
    ValueError
        An unknown kind, or what the network itself refuses.

    Examples
    --------
    >>> parameter_count(build({"kind": "score", "n_in": 15, "hidden": [64]}))
    1089
    """
    parameters = dict(architecture)
    kind = parameters.pop("kind", None)
    if kind not in _KINDS:
        raise ValueError(f"Unknown kind of network {kind!r}; there are {', '.join(_KINDS)}.")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _KINDS[kind](**parameters)


def parameter_count(network: nn.Module) -> int:
    """Return how many numbers a network learns."""
    return sum(parameter.numel() for parameter in network.parameters())
