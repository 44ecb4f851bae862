"""What the torch networks share as scikit-learn estimators. Importing this needs no torch; fitting does."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from memfeat import metrics
from memfeat.errors import SetupError

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
Epoch = Literal["last", "best-validation"]

FEW_STEPS = 500
"""Below this many gradient steps a fit warns: published lengths are for thousands of rows."""


def require_torch() -> None:
    """Raise SetupError, saying how to install it, unless torch can be imported."""
    try:
        import torch  # noqa: F401
    except ImportError as error:
        raise SetupError(
            f"This model needs torch, which cannot be imported ({error}). Install it with: pip install "
            "'memfeat[deep]'"
        ) from None


class TorchEstimator(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Base of the estimators that hold a network: as arrays, so that nothing of torch is in a saved one.

    Attributes
    ----------
    state_ : dict of str to float32 arrays
        The network's weights, by the names that torch gives them.
    architecture_ : dict
        The description from which `memfeat.networks.heads.build` makes the network.
    loss_history_ : list of float
        Mean loss of each epoch.
    validation_history_ : list of float
        Spearman's correlation on the inner validation rows after each epoch, where they were asked for.
    epoch_ : int
        The epoch, counted from 1, whose weights are kept.
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **{name: [str] for name in ("activation", "loss", "epoch", "device", "optimizer", "edge")},
        **{name: ["boolean"] for name in ("scale_target", "start_at_mean")},
        **{name: [Integral] for name in ("batch_size", "epochs", "decay_every", "max_iter")},
        **{name: [Integral] for name in ("n_classes", "branch_units")},
        **{name: [Real] for name in ("learning_rate", "weight_decay", "decay", "penalty", "tolerance")},
        **{name: [Real] for name in ("validation_fraction", "dropout")},
        **{name: [Real] for name in ("tail_weight", "tail_power", "rank_strength")},
        "hidden": [list, tuple],
        "branches": [list, tuple, str, None],
        "n_threads": [Integral, None],
        "scale_maximum": [Real, None],
        "tail_centre": [str, Real],
        "random_state": ["random_state"],
    }
    """Kinds of the parameters of all networks, as scikit-learn checks its own; ranges are checked where they matter.
    A switch that is no boolean would pass for true."""

    random_state: Any
    state_: dict[str, Array]
    architecture_: dict[str, Any]

    def _checked(self, X: npt.ArrayLike, y: npt.ArrayLike) -> tuple[Array, Float64]:
        self._validate_params()
        require_torch()
        X, y = validate_data(self, X, y, dtype=np.float32, y_numeric=True, ensure_min_samples=2)
        # torch shares memory only with arrays that may be written.
        return np.require(X, requirements=["C", "W"]), np.asarray(y, dtype=np.float64)

    def _draw_seed(self) -> int:
        return int(check_random_state(self.random_state).randint(2**31 - 1))

    def _keep(self, architecture: dict[str, Any], trained: Any) -> None:
        self.architecture_ = architecture
        self.state_ = trained.state
        self.epoch_ = trained.epoch
        self.loss_history_ = trained.losses
        self.validation_history_ = trained.judgements

    def _outputs(self, X: npt.ArrayLike) -> Float64:
        check_is_fitted(self)
        require_torch()
        from memfeat.networks import heads, training

        checked = validate_data(self, X, dtype=np.float32, reset=False)
        network = training.restored(heads.build(self.architecture_), self.state_)
        return training.output_of(network, np.require(checked, requirements=["C", "W"]))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Published lengths and rates are for thousands of rows and scores in [0, 1]; scikit-learn's checks
        # judge a regressor on 200 rows.
        tags.regressor_tags.poor_score = True
        return tags


class SigmoidHead(TorchEstimator):
    """Base of the networks with one sigmoid output. Parameters are described where a subclass names them."""

    hidden: Sequence[int]
    activation: str
    loss: str
    learning_rate: float
    weight_decay: float
    batch_size: int
    epochs: int
    decay_every: int
    decay: float
    start_at_mean: bool
    epoch: str
    validation_fraction: float
    scale_target: bool
    device: str
    n_threads: int | None

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Train the network on X, shape (n, d), and scores y, shape (n,).

        Where rows are held out for the choice of an epoch, those of equal `groups`, shape (n,), stay together.

        Raises
        ------
        ValueError
            Scores outside [0, 1] without `scale_target`, values that are NaN or infinite, too few rows, or a
            parameter that makes no sense.
        SetupError
            torch or the CUDA device is missing.
        """
        X, y = self._checked(X, y)
        from memfeat.networks import heads, training

        seed = self._draw_seed()
        target = self._scaled(y)
        fitted, judged = self._inner_split(len(y), seed, groups)
        schedule = training.Schedule(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            epochs=self.epochs,
            decay_every=self.decay_every,
            decay=self.decay,
        )
        schedule.check()
        warn_of_few_steps(self.epochs, fitted.size, self.batch_size)
        mean = float(target[fitted].mean())
        loss = self._make_loss(mean)
        architecture = {
            "kind": "score",
            "n_in": int(X.shape[1]),
            "hidden": [int(units) for units in self.hidden],
            "activation": self.activation,
            "output": "sigmoid",
        }
        network: Any = heads.build(architecture, seed=seed)
        if self.start_at_mean:
            network.start_at(mean)

        def judge(current: Any) -> float:
            found = metrics.spearman(target[judged], training.output_of(current, X[judged]))
            return math.nan if found is None else found

        with training.quiet(self.device, self.n_threads) as device:
            trained = training.train(
                network,
                X[fitted] if judged.size else X,
                np.asarray(target[fitted], dtype=np.float32),
                loss,
                schedule,
                seed=seed,
                device=device,
                judge=judge if judged.size else None,
            )
        self._keep(architecture, trained)
        return self

    def predict(self, X: npt.ArrayLike) -> Float64:
        """Return the scores of X, shape (n,), computed in float64 on the CPU.

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        share = self._outputs(X)
        return self.target_low_ + share * (self.target_high_ - self.target_low_)

    def _make_loss(self, mean: float) -> Any:
        from memfeat.networks.losses import make_loss

        return make_loss(self.loss, epochs=self.epochs, centre=mean)

    def _scaled(self, y: Float64) -> Float64:
        """Return y on the sigmoid's scale, and remember how to come back."""
        low, high = float(y.min()), float(y.max())
        if not self.scale_target:
            if low < 0 or high > 1:
                raise ValueError(
                    f"The scores go from {low:g} to {high:g}, and a sigmoid gives values in [0, 1]. Give "
                    "scale_target=True to map the range of the training scores to [0, 1] and predictions "
                    "back, or take a model with a linear output such as brr."
                )
            low, high = 0.0, 1.0
        self.target_low_, self.target_high_ = low, high
        return (y - low) / (high - low) if high > low else np.full_like(y, 0.5)

    def _inner_split(
        self, n: int, seed: int, groups: npt.ArrayLike | None = None
    ) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
        """Return the rows to train on and those that choose the epoch; none of these for the last epoch."""
        if self.epoch == "last":
            return np.arange(n), np.arange(0)
        if self.epoch != "best-validation":
            raise ValueError(f"epoch must be 'last' or 'best-validation'; got {self.epoch!r}.")
        if not 0 < self.validation_fraction < 1:
            raise ValueError(
                f"validation_fraction must lie between 0 and 1; got {self.validation_fraction!r}."
            )
        of = np.arange(n) if groups is None else np.unique(np.asarray(groups), return_inverse=True)[1]
        units = int(of.max()) + 1
        held = max(2, round(self.validation_fraction * units))
        if of.shape != (n,) or units - held < 2:
            raise ValueError(
                f"{units} {'rows' if groups is None else 'groups'} are too few to hold {held} out for the choice of an "
                "epoch. Give epoch='last'."
            )
        judged = np.isin(of, np.random.default_rng([seed, 1]).permutation(units)[:held])
        return np.flatnonzero(~judged), np.flatnonzero(judged)


def warn_of_few_steps(epochs: int, rows: int, batch_size: int) -> None:
    """Warn when a training is over before it can have learned much."""
    steps = epochs * math.ceil(rows / batch_size)
    if steps < FEW_STEPS:
        warnings.warn(
            # Nothing that differs between folds of almost one size: the same sentence is then said once.
            f"fewer than {FEW_STEPS} gradient steps ({epochs} epochs in batches of {batch_size}): the published "
            "settings are for thousands of rows. Raise epochs, or lower batch_size.",
            UserWarning,
            stacklevel=3,
        )
