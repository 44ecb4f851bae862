"""The losses of memorability regressors: of a batch of predictions against true scores, both of shape (n,)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, get_args

from torch import Tensor
from torch.nn import functional

from memfeat.networks.soft_rank import STRENGTH, soft_rank

LossName = Literal["mse", "l1", "mse-tails", "mse-tails-code", "mse-to-spearman"]
Loss = Callable[[Tensor, Tensor, int], Tensor]
"""``loss(predicted, true, epoch)`` with the epoch counted from 0."""

PUBLISHED_CORRELATION_WEIGHT = 0.01
_FLAT = 1e-12  # share of the squared ranks' scale below which a batch has no correlation


def tail_weights(
    true: Tensor, *, centre: float, weight: float = 2.0, power: float = 4.0, normalised: bool = False
) -> Tensor:
    r"""Return the weights :math:`1 + \alpha |m - \bar m|^k` of true scores m, which are larger in the tails.

    Parameters
    ----------
    true
        Scores, shape (n,).
    centre
        :math:`\bar m`, the average score of the dataset.
    weight, power
        :math:`\alpha` and k; 2 and 4 are M3-S's choice for Memento10k.
    normalised
        Divide by the batch's mean weight, as M3-S's published code does and its text does not.

    Examples
    --------
    >>> import torch
    >>> tail_weights(torch.tensor([0.8, 0.3]), centre=0.8)
    tensor([1.0000, 1.1250])
    """
    weights = 1 + weight * (true - centre).abs() ** power
    return weights / weights.mean() if normalised else weights


def mse_tails(
    predicted: Tensor,
    true: Tensor,
    *,
    centre: float,
    weight: float = 2.0,
    power: float = 4.0,
    normalised: bool = False,
) -> Tensor:
    """Return the mean squared error weighted by `tail_weights`.

    >>> import torch
    >>> mse_tails(torch.tensor([0.5, 0.5]), torch.tensor([0.5, 0.9]), centre=0.5)
    tensor(0.0841)
    """
    weights = tail_weights(true, centre=centre, weight=weight, power=power, normalised=normalised)
    return (weights * (predicted - true) ** 2).mean()


def spearman(predicted: Tensor, true: Tensor, *, strength: float = STRENGTH) -> Tensor:
    """Return minus the correlation of the soft ranks of both: -1 for the same order, 1 for the opposite.

    Fewer than two rows, or equal predictions, have no correlation: the result is 0, without a gradient.

    >>> import torch
    >>> spearman(torch.tensor([0.1, 0.7, 0.9]), torch.tensor([0.2, 0.5, 0.4]))
    tensor(-0.5000)
    """
    if predicted.numel() < 2:
        return predicted.sum() * 0
    first = soft_rank(predicted, strength=strength)
    second = soft_rank(true, strength=strength)
    first, second = first - first.mean(), second - second.mean()
    norm = first.square().sum() * second.square().sum()
    if norm <= _FLAT * float(predicted.numel()) ** 6:
        return predicted.sum() * 0
    return -(first * second).sum() / norm.sqrt()


def mse_to_spearman(
    predicted: Tensor,
    true: Tensor,
    *,
    share: float,
    correlation_weight: float = PUBLISHED_CORRELATION_WEIGHT,
    strength: float = STRENGTH,
) -> Tensor:
    """Return (1 - share) MSE + share correlation_weight `spearman`.

    Parameters
    ----------
    predicted, true
        Shape (n,).
    share
        From 0 (squared error alone) to 1 (ranks alone).
    correlation_weight
        What brings the correlation to the size of a squared error; 1/100 as in M3-S's published code.
    strength
        Of the soft ranks. The published code's 1.0 makes this loss Pearson's correlation.

    Examples
    --------
    >>> import torch
    >>> mse_to_spearman(torch.tensor([0.1, 0.7]), torch.tensor([0.1, 0.5]), share=0.5)
    tensor(0.0050)
    """
    error = functional.mse_loss(predicted, true)
    return (1 - share) * error + share * correlation_weight * spearman(predicted, true, strength=strength)


def make_loss(
    name: str,
    *,
    epochs: int,
    centre: float,
    weight: float = 2.0,
    power: float = 4.0,
    strength: float = STRENGTH,
) -> Loss:
    """Return the loss of that name as ``loss(predicted, true, epoch)``.

    Parameters
    ----------
    name
        ``mse``; ``l1``; ``mse-tails`` and ``mse-tails-code``, see `mse_tails`, the latter normalised;
        ``mse-to-spearman``, whose share is epoch / (epochs - 1).
    epochs
        Length of the training.
    centre, weight, power
        Of the tail weights.
    strength
        Of the soft ranks.

    Raises
    ------
    ValueError
        There is no such loss.

    Examples
    --------
    >>> import torch
    >>> make_loss("l1", epochs=20, centre=0.8)(torch.tensor([0.5]), torch.tensor([0.8]), 0)
    tensor(0.3000)
    """
    if name == "mse":
        return lambda predicted, true, epoch: functional.mse_loss(predicted, true)
    if name == "l1":
        return lambda predicted, true, epoch: functional.l1_loss(predicted, true)
    if name in ("mse-tails", "mse-tails-code"):
        normalised = name == "mse-tails-code"
        return lambda predicted, true, epoch: mse_tails(
            predicted, true, centre=centre, weight=weight, power=power, normalised=normalised
        )
    if name == "mse-to-spearman":
        # One epoch has no end to move to: it is all squared error.
        return lambda predicted, true, epoch: mse_to_spearman(
            predicted, true, share=epoch / max(epochs - 1, 1), strength=strength
        )
    raise ValueError(f"Unknown loss {name!r}; there are {', '.join(get_args(LossName))}.")
