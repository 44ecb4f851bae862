"""Score prediction by classification in balanced classes and aggregation of their probabilities."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from memfeat.estimators import balanced_classes
from memfeat.estimators._torch_head import TorchEstimator, warn_of_few_steps

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
Edge = Literal["class-mean", "upper-edge"]


class KClassRegressor(TorchEstimator):
    r"""A softmax network over K balanced classes of the training scores, whose probabilities are averaged.

    The score is :math:`\sum_k p(k) s_k`, where :math:`s_k` is the mean of the class's training scores or, as
    published, its upper edge. Upper edges are biased upwards by about half a class; since class means are no
    affine map of them, the order of predictions differs a little as well, so both can be had from one fit.

    Parameters
    ----------
    n_classes
        K; the paper tries 2 to 8 and finds 4 best. Classes are cut at quantiles of the scores given to
        `fit`; ties may leave fewer, which is a warning.
    edge
        What `predict` gives when it is not told: ``class-mean`` or ``upper-edge``.
    scale_maximum
        Upper edge of the last class; None takes 1 (published) for scores in [0, 1], else the highest score.
    branches
        Numbers of columns of the branches, in order, such as ``(4096, 1024)``; one of them may be -1, the
        rest. On features of a store, ``by-feature`` is a branch for each (`memfeat.evaluation.pipeline`). Each
        branch has a layer of its own before the concatenation. None is one branch.
    branch_units, hidden
        Units of each branch's layer and of the layers after the concatenation. With the softmax layer the
        defaults make the paper's three layers; it searched units from 32 to 1024 and gives no result.
    activation, dropout, optimizer
        ``relu``, ``tanh`` or ``mish``; a share from 0 on; ``adam``, ``rmsprop`` or ``sgd``. Searched in the
        paper, without a result given.
    learning_rate, weight_decay
        Not published; the common defaults of Adam.
    batch_size, epochs
        The published 16 and 10.
    device, n_threads, random_state
        As for `memfeat.estimators.raw_mlp.RawMLP`.

    Attributes
    ----------
    cuts_, class_means_, upper_edges_ : float64 arrays
        Between the classes, shape (K - 1,); of the classes, shape (K,).
    class_members_ : list of int
        Training rows in each class.
    state_, architecture_, loss_history_, validation_history_, epoch_
        The trained network and how it came about; see `memfeat.estimators._torch_head.TorchEstimator`.

    References
    ----------
    Squalli-Houssaini, H., Duong, N. Q. K., Gwenaelle, M. and Demarty, C.-H. (2018), Deep learning for
    predicting image memorability, ICASSP.

    Examples
    --------
    >>> KClassRegressor(n_classes=8, branches=(4096, 1024)).epochs
    10
    """

    def __init__(
        self,
        n_classes: int = 4,
        *,
        edge: str = "class-mean",
        scale_maximum: float | None = None,
        branches: Sequence[int] | str | None = None,
        branch_units: int = 512,
        hidden: Sequence[int] = (128,),
        activation: str = "relu",
        dropout: float = 0.0,
        optimizer: str = "adam",
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        batch_size: int = 16,
        epochs: int = 10,
        device: str = "cpu",
        n_threads: int | None = 1,
        random_state: Any = 0,
    ) -> None:
        self.n_classes = n_classes
        self.edge = edge
        self.scale_maximum = scale_maximum
        self.branches = branches
        self.branch_units = branch_units
        self.hidden = hidden
        self.activation = activation
        self.dropout = dropout
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.epochs = epochs
        self.device = device
        self.n_threads = n_threads
        self.random_state = random_state

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Cut the scores y, shape (n,), into classes and train the network on X, shape (n, d).

        Raises
        ------
        ValueError
            Fewer rows than classes, branches that do not add up to the columns, values that are NaN or
            infinite, or a parameter that makes no sense.
        SetupError
            torch or the CUDA device is missing.
        """
        X, y = self._checked(X, y)
        from memfeat.networks import heads, training

        _check_edge(self.edge)
        seed = self._draw_seed()
        if int(self.n_classes) != self.n_classes or self.n_classes < 2:
            raise ValueError(f"n_classes must be 2 or more; got {self.n_classes!r}.")
        classes = balanced_classes.make(y, min(int(self.n_classes), len(y)), scale_maximum=self.scale_maximum)
        if classes.n_classes < self.n_classes:
            warnings.warn(
                f"{classes.n_classes} classes instead of {self.n_classes}: {len(y)} scores with "
                f"{np.unique(y).size} different values leave no more.",
                UserWarning,
                stacklevel=2,
            )
        schedule = training.Schedule(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            batch_size=self.batch_size,
            epochs=self.epochs,
            optimizer=self.optimizer,
        )
        schedule.check()
        warn_of_few_steps(self.epochs, len(y), self.batch_size)
        architecture = {
            "kind": "classes",
            "widths": _widths(self.branches, int(X.shape[1])),
            "branch_units": int(self.branch_units),
            "hidden": [int(units) for units in self.hidden],
            "n_classes": classes.n_classes,
            "activation": self.activation,
            "dropout": float(self.dropout),
        }
        with training.quiet(self.device, self.n_threads) as device:
            trained = training.train(
                heads.build(architecture, seed=seed),
                X,
                classes.assign(y),
                training.cross_entropy,
                schedule,
                seed=seed,
                device=device,
            )
        self._keep(architecture, trained)
        self.cuts_, self.class_means_ = classes.cuts, classes.class_means
        self.upper_edges_, self.class_members_ = classes.upper_edges, list(classes.members)
        return self

    def predict(self, X: npt.ArrayLike, *, edge: str | None = None) -> Float64:
        """Return the scores of X, shape (n,).

        Parameters
        ----------
        X
            Shape (n, d).
        edge
            ``class-mean`` or ``upper-edge``; None takes the estimator's own `edge`.

        Raises
        ------
        ValueError
            An unknown edge, another number of columns than in `fit`, or values that are not finite.
        """
        chosen = _check_edge(self.edge if edge is None else edge)
        values = self.probabilities(X) @ (self.class_means_ if chosen == "class-mean" else self.upper_edges_)
        return np.asarray(values, np.float64)

    def probabilities(self, X: npt.ArrayLike) -> Float64:
        """Return the probability of each class, lowest scores first, shape (n, K); rows sum to 1.

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        logits = self._outputs(X)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float64)


def _check_edge(edge: str) -> str:
    if edge not in get_args(Edge):
        raise ValueError(f"Unknown edge {edge!r}; there are {', '.join(get_args(Edge))}.")
    return edge


def _widths(branches: Sequence[int] | str | None, columns: int) -> list[int]:
    """Return the number of columns of each branch, with the rest filled in."""
    if branches is None:
        return [columns]
    if isinstance(branches, str):
        raise ValueError(
            f"branches={branches!r}: give the number of columns of each branch, such as [512, -1]; only a model on the "
            "features of a store takes the word 'by-feature'."
        )
    widths = [int(width) for width in branches]
    rest = columns - sum(width for width in widths if width != -1)
    filled = [rest if width == -1 else width for width in widths]
    if not filled or widths.count(-1) > 1 or min(filled) < 1 or sum(filled) != columns:
        raise ValueError(
            f"branches={widths} do not divide {columns} columns: give the number of columns of each branch, "
            "one of them -1 for the rest."
        )
    return filled
