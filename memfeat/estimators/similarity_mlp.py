"""The network that predicts memorability from measures of contextual similarity alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memfeat.estimators._torch_head import SigmoidHead


class SimilarityMLP(SigmoidHead):
    """M3-S's head, trained for 15 epochs on similarity features, by which the paper compares measures.

    Published: 15 epochs. The paper calls the network simple and does not describe it; its figures for
    DBSCAN clusters (.340) agree with those of M3-S reduced to its similarity module (.3405), which has
    469,633 parameters for 852 clusters, so that head is taken, with its optimiser and rates.

    Parameters
    ----------
    hidden, activation, loss, learning_rate, weight_decay, batch_size, epochs, decay_every, decay
        As for `memfeat.estimators.raw_mlp.RawMLP`.
    start_at_mean, epoch, validation_fraction, scale_target, device, n_threads, random_state
        As there.

    References
    ----------
    Dumont, T., Hevia, J. S. and Fosco, C. L. (2023), Modular Memorability: Tiered Representations for Video
    Memorability Prediction, CVPR, table 2.

    Examples
    --------
    >>> SimilarityMLP().epochs
    15
    """

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (512, 64),
        activation: str = "mish",
        loss: str = "mse",
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        batch_size: int = 32,
        epochs: int = 15,
        decay_every: int = 5,
        decay: float = 0.2,
        start_at_mean: bool = False,
        epoch: str = "last",
        validation_fraction: float = 0.1,
        scale_target: bool = False,
        device: str = "cpu",
        n_threads: int | None = 1,
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.loss = loss
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.decay_every = decay_every
        self.decay = decay
        self.start_at_mean = start_at_mean
        self.epoch = epoch
        self.validation_fraction = validation_fraction
        self.scale_target = scale_target
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state
