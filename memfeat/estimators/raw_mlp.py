"""The network with which M3-S's authors judge each low-level descriptor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from memfeat.estimators._torch_head import SigmoidHead


class RawMLP(SigmoidHead):
    """One hidden layer of 64 units and a sigmoid output, on centred and reduced features.

    Published: the layer, its 64 units, the sigmoid output, and that features are centred and reduced (by
    the pipeline: this estimator leaves its columns as they are). Not published, and chosen here: Mish as the
    hidden activation, the only one the paper names; optimiser, rates and 20 epochs as for the paper's own
    model; the first predictions at the training mean (`start_at_mean`).

    Parameters
    ----------
    hidden
        Units of the hidden layers.
    activation
        ``mish``, ``relu`` or ``tanh``.
    loss
        ``mse`` or ``l1``, ``mse-tails``, ``mse-tails-code``, ``mse-to-spearman`` as for `M3SHead`.
    learning_rate, weight_decay
        Of Adam.
    batch_size, epochs
        Rows per step, and passes over the rows.
    decay_every, decay
        The learning rate is multiplied by `decay` after so many epochs; 0 epochs for never.
    start_at_mean
        Whether the last bias starts where the sigmoid gives the mean of the training scores.
    epoch
        ``last``, or ``best-validation``: the epoch with the highest Spearman correlation on an inner part of
        the rows given to `fit`, which is then not trained on.
    validation_fraction
        Size of that part.
    scale_target
        Map the range of the training scores to [0, 1] and predictions back; otherwise scores outside
        [0, 1] are refused.
    device
        ``cpu``, ``cuda`` or ``cuda:<number>``, for training; prediction is on the CPU.
    n_threads
        Threads of one operation. With 1 results do not depend on the machine's cores; None leaves torch's
        own number.
    random_state
        Seed of the weights, the order of rows and the inner part.

    Attributes
    ----------
    target_low_, target_high_ : float
        What 0 and 1 of the sigmoid stand for.
    state_, architecture_, loss_history_, validation_history_, epoch_
        The trained network and how it came about; see `memfeat.estimators._torch_head.TorchEstimator`.

    References
    ----------
    Dumont, T., Hevia, J. S. and Fosco, C. L. (2023), Modular Memorability: Tiered Representations for Video
    Memorability Prediction, CVPR, section 3.2.

    Examples
    --------
    >>> RawMLP(epochs=50).get_params()["hidden"]
    (64,)
    """

    def __init__(
        self,
        *,
        hidden: Sequence[int] = (64,),
        activation: str = "mish",
        loss: str = "mse",
        learning_rate: float = 1e-3,
        weight_decay: float = 1e-5,
        batch_size: int = 32,
        epochs: int = 20,
        decay_every: int = 5,
        decay: float = 0.2,
        start_at_mean: bool = True,
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
