"""The regressor of VideoMem's caption-feature model: one wide layer, trained on all rows at once."""

from __future__ import annotations

from numbers import Integral
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from memfeat.estimators._torch_head import TorchEstimator

Float64 = npt.NDArray[np.float64]


class CaptionFeatureMLP(TorchEstimator):
    """One hidden layer of 1,500 tanh units, a linear output and squared error, minimised by L-BFGS.

    Its input is the embedding of a video's first, middle and last frame, side by side. Published: the layer,
    its activation, the loss, the optimiser and "learning rate 1e-3". A line search needs no learning
    rate, and the words are those of scikit-learn's ``MLPRegressor(solver="lbfgs")``, where it has no effect
    either; so scikit-learn's penalty and limits are taken for what is not given.

    Parameters
    ----------
    hidden
        Units of the hidden layer.
    activation
        ``tanh``, ``relu`` or ``mish``.
    penalty
        The squared error has penalty / n times the squared weights added, biases left out: scikit-learn's
        ``alpha``.
    max_iter
        Largest number of L-BFGS iterations.
    tolerance
        Training ends when no element of the gradient exceeds it, or a step changes weights or loss by
        less than a thousandth of it.
    device, n_threads, random_state
        As for `memfeat.estimators.raw_mlp.RawMLP`.

    Attributes
    ----------
    n_iter_ : int
        Iterations that were used; `epoch_` is the same number.
    loss_history_ : list of two floats
        Penalised loss before training; mean squared error after it.
    state_, architecture_
        The trained network; see `memfeat.estimators._torch_head.TorchEstimator`.

    References
    ----------
    Cohendet, R., Demarty, C.-H., Duong, N. Q. K. and Engilberge, M. (2019), VideoMem: Constructing, Analyzing,
    Predicting Short-Term and Long-Term Video Memorability, ICCV, section 5.2.

    Examples
    --------
    >>> CaptionFeatureMLP().get_params()["hidden"]
    1500
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **TorchEstimator._parameter_constraints,
        "hidden": [Integral],
    }

    def __init__(
        self,
        *,
        hidden: int = 1500,
        activation: str = "tanh",
        penalty: float = 1e-4,
        max_iter: int = 200,
        tolerance: float = 1e-4,
        device: str = "cpu",
        n_threads: int | None = 1,
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.penalty = penalty
        self.max_iter = max_iter
        self.tolerance = tolerance
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Train the network on X, shape (n, d), and scores y, shape (n,).

        Raises
        ------
        ValueError
            Values that are NaN or infinite, too few rows, or a parameter that makes no sense.
        SetupError
            torch or the CUDA device is missing.
        """
        X, y = self._checked(X, y)
        from memfeat.networks import heads, training

        architecture = {
            "kind": "score",
            "n_in": int(X.shape[1]),
            "hidden": [int(self.hidden)],
            "activation": self.activation,
            "output": "linear",
        }
        network = heads.build(architecture, seed=self._draw_seed())
        with training.quiet(self.device, self.n_threads) as device:
            trained = training.train_lbfgs(
                network,
                X,
                y.astype(np.float32),
                penalty=self.penalty,
                max_iter=self.max_iter,
                tolerance=self.tolerance,
                device=device,
            )
        self._keep(architecture, trained)
        self.n_iter_ = trained.epoch
        return self

    def predict(self, X: npt.ArrayLike) -> Float64:
        """Return the scores of X, shape (n,), computed in float64 on the CPU.

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        return self._outputs(X)
