"""Training of the small networks on arrays: seeded, by batches, the same bit for bit when repeated."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from memfeat.errors import SetupError
from memfeat.networks.losses import Loss

Array = npt.NDArray[Any]
State = dict[str, npt.NDArray[np.float32]]
OptimizerName = Literal["adam", "rmsprop", "sgd"]

# Fused: one kernel for a whole step, several times faster than torch's own loop over weights.
_OPTIMIZERS: dict[str, Any] = {
    "adam": partial(torch.optim.Adam, fused=True),
    "rmsprop": torch.optim.RMSprop,
    "sgd": partial(torch.optim.SGD, fused=True),
}
_ROWS_AT_A_TIME = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """How a network is trained by gradient steps."""

    learning_rate: float
    weight_decay: float
    """Added to the gradient as that many times the weight, as torch's Adam does."""
    batch_size: int
    epochs: int
    decay_every: int = 0
    """Epochs after which the learning rate is multiplied by `decay`; 0 for never."""
    decay: float = 1.0
    optimizer: str = "adam"

    def check(self) -> None:
        """Raise ValueError, naming the parameter, unless all values make sense."""
        for name in ("batch_size", "epochs"):
            if not (value := getattr(self, name)) >= 1 or int(value) != value:
                raise ValueError(f"{name} must be an integer from 1 on; got {value!r}.")
        if not self.decay_every >= 0 or int(self.decay_every) != self.decay_every:
            raise ValueError(f"decay_every must be an integer, 0 for no decay; got {self.decay_every!r}.")
        if not self.learning_rate > 0 or not self.decay > 0:
            raise ValueError(
                f"learning_rate and decay must be positive; got {self.learning_rate!r} and {self.decay!r}."
            )
        if not self.weight_decay >= 0:
            raise ValueError(f"weight_decay must not be negative; got {self.weight_decay!r}.")
        if self.optimizer not in _OPTIMIZERS:
            raise ValueError(
                f"Unknown optimizer {self.optimizer!r}; there are {', '.join(get_args(OptimizerName))}."
            )


@dataclass(slots=True)
class Trained:
    """What a training left: the weights that were kept, and how it went."""

    state: State
    epoch: int
    """The epoch whose weights these are, counted from 1."""
    losses: list[float] = field(default_factory=list)
    """Mean loss over the rows of each epoch, as they were met."""
    judgements: list[float] = field(default_factory=list)
    """What `judge` said after each epoch."""


@contextmanager
def quiet(device: str, n_threads: int | None) -> Iterator[torch.device]:
    """Give a device for a computation that repeats bit for bit; put everything global back afterwards.

    Parameters
    ----------
    device
        ``cpu``, ``cuda`` or ``cuda:<number>``.
    n_threads
        torch's threads inside one operation; None leaves the process's own number.

    Raises
    ------
    ValueError
        A device of another kind, or a number of threads below 1.
    SetupError
        The CUDA device is not there.
    """
    where = _device(device)
    if n_threads is not None and not n_threads >= 1:
        raise ValueError(f"n_threads must be 1 or more, or None; got {n_threads!r}.")
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    if where.type == "cuda":
        # cuBLAS reads this when its first handle is made; without it torch refuses to promise repeatability.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    forked = [where.index or 0] if where.type == "cuda" else []
    try:
        if n_threads is not None:
            torch.set_num_threads(n_threads)
        torch.use_deterministic_algorithms(True)
        with torch.random.fork_rng(devices=forked):
            yield where
    finally:
        torch.set_num_threads(threads)
        torch.use_deterministic_algorithms(strict, warn_only=warn_only)


def _device(name: str) -> torch.device:
    try:
        where = torch.device(name)
    except (RuntimeError, TypeError):
        where = None
    if where is None or where.type not in ("cpu", "cuda"):
        raise ValueError(f"Unknown device {name!r}; give cpu, cuda or cuda:<number>.")
    if where.type == "cuda" and (where.index or 0) >= torch.cuda.device_count():
        raise SetupError(
            f"The device {name!r} is not there: torch {torch.__version__} sees {torch.cuda.device_count()} CUDA "
            "devices. Give device='cpu', or install a torch built for this machine's driver."
        )
    return where


def train(
    network: nn.Module,
    X: Array,
    target: Array,
    loss: Loss,
    schedule: Schedule,
    *,
    seed: int,
    device: torch.device,
    judge: Callable[[nn.Module], float] | None = None,
) -> Trained:
    """Train a network in place by gradient steps on shuffled batches. Call it within `quiet`.

    Parameters
    ----------
    network
        Takes rows of X.
    X
        Shape (n, d), float32.
    target
        Shape (n,): float32 scores, or int64 classes, as the loss takes them.
    loss
        Called with the batch's outputs and targets, and the epoch counted from 0.
    schedule
        Rates, batch size and length; the last batch of an epoch may be smaller.
    seed
        Of the order of rows and of dropout.
    device
        Where to compute.
    judge
        Called with the network in evaluation mode after each epoch; the weights with its highest value, the
        earliest of equals, are kept. None keeps those of the last epoch. NaN is the lowest value.

    Raises
    ------
    ValueError
        The schedule makes no sense, or the loss became NaN or infinite.
    """
    schedule.check()
    torch.manual_seed(seed)
    order = np.random.default_rng(seed)
    network.to(device).train()
    rows, scores = torch.as_tensor(X).to(device), torch.as_tensor(target).to(device)
    optimizer = _OPTIMIZERS[schedule.optimizer](
        network.parameters(),
        lr=schedule.learning_rate,
        weight_decay=schedule.weight_decay,
    )
    kept = Trained(state={}, epoch=0)
    best = -np.inf
    for epoch in range(schedule.epochs):
        if schedule.decay_every:
            for group in optimizer.param_groups:
                group["lr"] = schedule.learning_rate * schedule.decay ** (epoch // schedule.decay_every)
        shuffled = torch.as_tensor(order.permutation(len(X))).to(device)
        total = torch.zeros((), dtype=torch.float64, device=device)
        for start in range(0, len(X), schedule.batch_size):
            chosen = shuffled[start : start + schedule.batch_size]
            optimizer.zero_grad()
            value = loss(network(rows[chosen]), scores[chosen], epoch)
            value.backward()
            optimizer.step()
            total += value.detach() * len(chosen)
        kept.losses.append(float(total) / len(X))
        if not np.isfinite(kept.losses[-1]):
            raise ValueError(_diverged(f"in epoch {epoch + 1} of {schedule.epochs}", schedule.learning_rate))
        if judge is not None:
            network.eval()
            value_now = judge(network)
            network.train()
            kept.judgements.append(float(value_now))
            if kept.epoch and not value_now > best:
                continue
            best = value_now if np.isfinite(value_now) else -np.inf
            kept.state, kept.epoch = state_of(network), epoch + 1
    if judge is None:
        kept.state, kept.epoch = state_of(network), schedule.epochs
    return kept


def train_lbfgs(
    network: nn.Module,
    X: Array,
    target: Array,
    *,
    penalty: float,
    max_iter: int,
    tolerance: float,
    device: torch.device,
) -> Trained:
    r"""Train a network in place by L-BFGS on all rows at once, with a strong Wolfe line search.

    Minimises the mean squared error plus :math:`\frac{\lambda}{n} \sum W^2` over all weights W but the biases, where
    :math:`\lambda` is `penalty` and n the number of rows; stops after `max_iter` iterations, or when neither
    the gradient reaches `tolerance` nor the last step a thousandth of it. Call it within `quiet`.

    Raises
    ------
    ValueError
        Settings that make no sense, or the loss became NaN or infinite.
    """
    if not max_iter >= 1 or not tolerance >= 0 or not penalty >= 0:
        raise ValueError(
            f"max_iter must be 1 or more, tolerance and penalty not negative; got {max_iter!r}, {tolerance!r} "
            f"and {penalty!r}."
        )
    network.to(device).train()
    rows, scores = torch.as_tensor(X).to(device), torch.as_tensor(target).to(device)
    weights = [p for name, p in network.named_parameters() if not name.endswith("bias")]
    optimizer = torch.optim.LBFGS(
        network.parameters(),
        max_iter=max_iter,
        tolerance_grad=tolerance,
        tolerance_change=tolerance * 1e-3,
        line_search_fn="strong_wolfe",
    )

    def objective() -> Tensor:
        optimizer.zero_grad()
        squares = torch.stack([w.square().sum() for w in weights]).sum()
        value = functional.mse_loss(network(rows), scores) + penalty / len(rows) * squares
        value.backward()
        return value

    first = float(optimizer.step(objective).detach())
    with torch.no_grad():
        last = float(functional.mse_loss(network(rows), scores))
    if not np.isfinite(last):
        raise ValueError(_diverged("in L-BFGS", 1.0))
    iterations = int(optimizer.state[optimizer._params[0]]["n_iter"])
    return Trained(state=state_of(network), epoch=iterations, losses=[first, last])


def cross_entropy(logits: Tensor, classes: Tensor, epoch: int) -> Tensor:
    """Return the mean cross-entropy of logits, shape (n, K), and classes, shape (n,); a `Loss`."""
    return functional.cross_entropy(logits, classes)


def _diverged(where: str, rate: float) -> str:
    return (
        f"The loss became NaN or infinite {where}. Bring the features to a common scale (@zscore), or lower the "
        f"learning rate (it is {rate:g})."
    )


def state_of(network: nn.Module) -> State:
    """Return a copy of a network's weights as float32 arrays."""
    return {
        name: np.array(value.detach().cpu().numpy(), np.float32)
        for name, value in network.state_dict().items()
    }


def output_of(network: nn.Module, X: Array) -> Array:
    """Return what a network in evaluation mode gives for the rows of X, a few thousand at a time.

    Computed in the precision and on the device of the network's weights.
    """
    weight = next(network.parameters())
    parts = []
    with torch.inference_mode():
        for start in range(0, len(X), _ROWS_AT_A_TIME):
            rows = torch.as_tensor(X[start : start + _ROWS_AT_A_TIME]).to(weight)
            parts.append(network(rows).cpu().numpy())
    return np.concatenate(parts)


def restored(network: nn.Module, state: Mapping[str, Array]) -> nn.Module:
    """Return the network with the weights of `state`, in float64, on the CPU, ready to predict.

    In float64 a row's prediction depends on the rows beside it by less than 1e-12, whatever the batch.

    Raises
    ------
    ValueError
        A weight is missing, unknown or of another shape.
    """
    try:
        network.load_state_dict({name: torch.as_tensor(np.asarray(value)) for name, value in state.items()})
    except RuntimeError as error:
        raise ValueError(
            f"The saved weights do not fit the network: {' '.join(str(error).split())}"
        ) from None
    return network.double().cpu().eval()
