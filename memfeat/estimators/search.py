"""Hyper-parameters found by Optuna on inner folds of the training rows."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, _fit_context, clone
from sklearn.model_selection import GroupKFold, KFold
from sklearn.utils import Tags, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from memfeat.metrics import spearman

Array = npt.NDArray[Any]
Rows = npt.NDArray[np.intp]
Space = Mapping[str, Any]


class OptunaSearch(MetaEstimatorMixin, RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """A regressor with the hyper-parameters whose mean Spearman correlation over inner folds is highest.

    Only the rows it is fitted on are looked at: they are split into folds at random, every trial is fitted on
    all folds but one and judged on that one, and the best trial's settings are fitted once more on all rows.
    Settings are proposed by Optuna's tree-structured Parzen estimator, the regressor's own settings first.
    The score of the best trial is optimistic, having been chosen for it; judge on rows outside.

    Parameters
    ----------
    estimator
        The regressor.
    space
        What is searched, by parameter: a list of choices, or a range ``{"low": ..., "high": ..., "log": True}``
        (of whole numbers where both ends are; ``log`` may be left out).
    n_trials
        How many settings are tried.
    folds
        Inner folds, of two rows at least: fewer are made of few rows.
    random_state
        Seed of folds and proposals: equal seeds find equal settings.

    Attributes
    ----------
    best_params_ : dict
        Settings of the best trial.
    best_score_ : float
        Its mean correlation over inner folds.
    best_estimator_ : estimator
        The regressor with these settings, fitted on all rows.
    trials_ : list of dict
        Of each trial ``params`` and ``score``, in order; None for settings that could not be fitted. A fold
        whose correlation is undefined, as that of a constant prediction is, counts as 0.
    n_features_in_ : int

    References
    ----------
    Bergstra, J., Bardenet, R., Bengio, Y. and Kégl, B. (2011), Algorithms for hyper-parameter optimization,
    NeurIPS 24. Akiba, T. and others (2019), Optuna: a next-generation hyperparameter optimization framework, KDD.

    Examples
    --------
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> X = np.random.default_rng(0).normal(size=(60, 2))
    >>> y = X[:, 0] + np.random.default_rng(1).normal(size=60)
    >>> space = {"n_neighbors": {"low": 1, "high": 20}, "weights": ["uniform", "distance"]}
    >>> search = OptunaSearch(KNeighborsRegressor(), space, n_trials=8).fit(X, y)
    >>> sorted(search.best_params_), len(search.trials_)
    (['n_neighbors', 'weights'], 8)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "space": [dict],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "folds": [Interval(Integral, 2, None, closed="left")],
        "random_state": [Interval(Integral, 0, None, closed="left"), None],
    }

    def __init__(
        self,
        estimator: Any,
        space: Space,
        *,
        n_trials: int = 30,
        folds: int = 5,
        random_state: int | None = 0,
    ) -> None:
        self.estimator = estimator
        self.space = space
        self.n_trials = n_trials
        self.folds = folds
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)  # type: ignore[untyped-decorator]
    def fit(self, X: Any, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Search, then fit the best settings on all rows of X, shape (n, p), and y, shape (n,).

        Rows of equal `groups`, shape (n,), as frames of one video are, stay in one inner fold: settings would
        otherwise be judged on rows like those they were fitted on.

        Raises
        ------
        ValueError
            Fewer than four rows, a single group, values that are not finite, a space that is empty or names a
            parameter which the regressor does not have, or no settings that could be fitted.
        """
        _check(self.space, self.estimator)
        checked, targets = validate_data(
            self,
            X,
            y,
            accept_sparse=["csr"],
            dtype=[np.float64, np.float32],
            y_numeric=True,
            ensure_min_samples=4,
        )
        parts = self._parts(len(targets), groups)
        self.trials_ = self._tried(self._prepared(checked), targets, parts)
        judged = [trial for trial in self.trials_ if trial["score"] is not None]
        best = max(judged, key=lambda trial: trial["score"])  # the first of equals
        self.best_params_, self.best_score_ = dict(best["params"]), best["score"]
        self.best_estimator_ = clone(self.estimator).set_params(**self.best_params_).fit(checked, targets)
        return self

    def _parts(self, n: int, groups: npt.ArrayLike | None) -> list[tuple[Rows, Rows]]:
        if groups is None:
            return list(
                KFold(min(self.folds, n // 2), shuffle=True, random_state=self.random_state).split(range(n))
            )
        of = np.asarray(groups)
        if of.shape != (n,) or np.unique(of).size < 2:
            raise ValueError(
                f"Groups of {n} rows, two groups at least, are needed; got {np.unique(of).size}."
            )
        folds = GroupKFold(min(self.folds, np.unique(of).size), shuffle=True, random_state=self.random_state)
        return list(folds.split(of, groups=of))

    def _prepared(self, X: Any) -> Any:
        """Return what `_predicted` needs of the rows, made once for all trials."""
        return X

    def _predicted(self, settings: dict[str, Any], X: Any, y: Array, inside: Rows, outside: Rows) -> Array:
        """Return predictions for the rows outside by a fit with these settings on those inside."""
        model = clone(self.estimator).set_params(**settings).fit(X[inside], y[inside])
        return np.asarray(model.predict(X[outside]))

    def _tried(self, X: Any, y: Array, parts: Sequence[tuple[Rows, Rows]]) -> list[dict[str, Any]]:
        import optuna

        spoken = optuna.logging.get_verbosity()
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        refused: ValueError | None = None
        trials: list[dict[str, Any]] = []

        def objective(trial: optuna.Trial) -> float:
            nonlocal refused
            settings = {name: _proposed(trial, name, given) for name, given in self.space.items()}
            trials.append({"params": settings, "score": None})
            try:
                found = [
                    spearman(y[outside], self._predicted(settings, X, y, inside, outside))
                    for inside, outside in parts
                ]
            except ValueError as error:
                refused = error
                raise optuna.TrialPruned from error
            trials[-1]["score"] = float(np.mean([each or 0.0 for each in found]))
            return float(trials[-1]["score"])

        try:
            study = optuna.create_study(
                direction="maximize", sampler=optuna.samplers.TPESampler(seed=self.random_state)
            )
            own = _own_settings(self.estimator, self.space)
            if own is not None:
                study.enqueue_trial(own)
            with warnings.catch_warnings():
                # Settings that are tried and dropped need not be heard of.
                warnings.simplefilter("ignore")
                study.optimize(objective, n_trials=self.n_trials)
        finally:
            optuna.logging.set_verbosity(spoken)
        if all(trial["score"] is None for trial in trials):
            raise ValueError(
                f"None of {len(trials)} settings of {type(self.estimator).__name__} could be fitted on inner "
                f"folds; the last was refused: {refused}"
            ) from refused
        return trials

    def predict(self, X: Any) -> Array:
        """Return the predictions of the best regressor, shape (n,).

        Raises
        ------
        ValueError
            Another number of columns than in `fit`, or values that are not finite.
        """
        check_is_fitted(self)
        checked = validate_data(self, X, accept_sparse=["csr"], dtype=[np.float64, np.float32], reset=False)
        return np.asarray(self.best_estimator_.predict(checked))

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = get_tags(self.estimator).input_tags.sparse
        return tags


def _check(space: Space, estimator: Any) -> None:
    if not space:
        raise ValueError("The space is empty: name at least one parameter to search.")
    known = estimator.get_params()
    for name, given in space.items():
        if name not in known:
            raise ValueError(
                f"{type(estimator).__name__} has no parameter {name!r} to search; it has {', '.join(known)}."
            )
        if isinstance(given, Mapping):
            low, high = given.get("low"), given.get("high")
            numbers = all(isinstance(end, Real) and not isinstance(end, bool) for end in (low, high))
            if not numbers or not set(given) <= {"low", "high", "log"} or not low <= high:  # type: ignore[operator]
                raise ValueError(
                    f"The range of {name!r} must be like {{'low': 0.1, 'high': 10, 'log': True}}; got {dict(given)}."
                )
            if given.get("log") and not low > 0:  # type: ignore[operator]
                raise ValueError(
                    f"The range of {name!r} is logarithmic: it must begin above 0, not at {low}."
                )
        elif isinstance(given, str) or not isinstance(given, Sequence) or not given:
            raise ValueError(f"{name!r} must be a range or a list of choices; got {given!r}.")


def _proposed(trial: Any, name: str, given: Any) -> Any:
    if not isinstance(given, Mapping):
        # By position: Optuna takes no lists for choices.
        return given[trial.suggest_categorical(name, list(range(len(given))))]
    low, high, log = given["low"], given["high"], bool(given.get("log", False))
    if isinstance(low, Integral) and isinstance(high, Integral):
        return int(trial.suggest_int(name, int(low), int(high), log=log))
    return float(trial.suggest_float(name, float(low), float(high), log=log))


def _own_settings(estimator: Any, space: Space) -> dict[str, Any] | None:
    """Return the regressor's own settings as Optuna takes them, or None where they are not in the space."""
    own: dict[str, Any] = {}
    for name, given in space.items():
        value = estimator.get_params()[name]
        if not isinstance(given, Mapping):
            if value not in given:
                return None
            own[name] = list(given).index(value)
        elif isinstance(value, Real) and given["low"] <= value <= given["high"]:
            own[name] = value
        else:
            return None
    return own
