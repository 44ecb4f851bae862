"""The head of M3-S: the network that turns the modules' features into a score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memfeat.estimators._torch_head import SigmoidHead

CENTRES = {"memento10k-m3s": 0.80099205}
"""Centres of the tail weights by name: the constant of the published code, mean of Memento10k's training scores."""


class M3SHead(SigmoidHead):
    """Layers of 512 and 64 units with Mish and one sigmoid output: 33,409 + 512 d parameters.

    Parameters
    ----------
    hidden, activation
        Units and activation of the hidden layers.
    loss
        ``mse``, as published for Memento10k's best figure; ``l1``;
        ``mse-tails``, squared errors weighted by ``1 + tail_weight |m - centre|^tail_power``, as the paper
        writes it, or ``mse-tails-code``, divided by the mean weight of the batch, as its code computes it;
        ``mse-to-spearman``, which moves from squared error in the first epoch to the correlation of soft
        ranks in the last one, as published for VideoMem.
    tail_centre
        ``training-mean``; ``memento10k-m3s``, the published code's .80099205; or a number in the scores'
        unit.
    tail_weight, tail_power
        The published 2 and 4.
    rank_strength
        Regularisation of the soft ranks. The published code's 1.0 makes the correlation Pearson's: ranks
        are linear in scores from about .06 on, for batches of 32 scores in [0, 1].
    learning_rate, weight_decay, batch_size, epochs, decay_every, decay
        Adam as published: 1e-3, divided by 5 every 5 epochs, 20 epochs.
    start_at_mean, epoch, validation_fraction, scale_target, device, n_threads, random_state
        As for `memfeat.estimators.raw_mlp.RawMLP`. The paper gives the length of training, and its code keeps
        the epoch that is best on the validation rows, which are also those reported; ``best-validation``
        chooses on an inner part of the training rows instead.

    References
    ----------
    Dumont, T., Hevia, J. S. and Fosco, C. L. (2023), Modular Memorability: Tiered Representations for Video
    Memorability Prediction, CVPR, sections 5 and 6.

    Examples
    --------
    >>> M3SHead(loss="mse-to-spearman", epochs=30).hidden
    (512, 64)
    """

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (512, 64),
        activation: str = "mish",
        loss: str = "mse",
        tail_centre: str | float = "training-mean",
        tail_weight: float = 2.0,
        tail_power: float = 4.0,
        rank_strength: float = 1e-3,
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        batch_size: int = 32,
        epochs: int = 20,
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
        self.tail_centre = tail_centre
        self.tail_weight = tail_weight
        self.tail_power = tail_power
        self.rank_strength = rank_strength
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

    def _make_loss(self, mean: float) -> Any:
        from memfeat.networks.losses import make_loss

        return make_loss(
            self.loss,
            epochs=self.epochs,
            centre=self._centre(mean),
            weight=self.tail_weight,
            power=self.tail_power,
            strength=self.rank_strength,
        )

    def _centre(self, mean: float) -> float:
        """Return the centre of the tail weights on the sigmoid's scale, on which `mean` is given."""
        if self.tail_centre == "training-mean":
            return mean
        centre = CENTRES.get(self.tail_centre) if isinstance(self.tail_centre, str) else self.tail_centre
        if centre is None:
            raise ValueError(
                f"Unknown tail_centre {self.tail_centre!r}; give training-mean, {', '.join(CENTRES)} or a "
                "number."
            )
        span = self.target_high_ - self.target_low_
        return (float(centre) - self.target_low_) / span if span else mean
