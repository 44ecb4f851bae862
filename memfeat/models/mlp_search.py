"""scikit-learn's multilayer perceptron with settings found on inner folds.

Widths, activations and optimisers are those of the search in the study of image memorability by classification
(32 to 1,024 units, ReLU or tanh, Adam or SGD; scikit-learn has neither its dropout nor RMSprop, an L2 penalty
stands in). A tenth of the rows given decides when to stop. The target is standardised, as for `mlp`.
"""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec

SPACE = {
    "regressor__hidden_layer_sizes": [[32], [64], [128], [256], [512], [1024]],
    "regressor__activation": ["relu", "tanh"],
    "regressor__solver": ["adam", "sgd"],
    "regressor__alpha": {"low": 1e-5, "high": 1.0, "log": True},
    "regressor__learning_rate_init": {"low": 1e-4, "high": 1e-2, "log": True},
}


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `OptunaSearch` of multilayer perceptrons.

    Parameters are those of the search: ``n_trials`` (30), inner ``folds`` (5), and ``space``, which by default is
    ``SPACE``. `seed` decides the inner folds, what is tried and what the regressor draws.

    >>> build(0, n_trials=50).get_params()["n_trials"]
    50
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    from memfeat.estimators.search import OptunaSearch

    return OptunaSearch(
        **{
            "estimator": TransformedTargetRegressor(
                MLPRegressor(early_stopping=True, random_state=seed), transformer=StandardScaler()
            ),
            "space": SPACE,
            "random_state": seed,
            **parameters,
        }
    )


SPEC = ModelSpec(
    name="mlp-search",
    summary="Multilayer perceptron, its width, activation, optimiser and penalty found on inner folds.",
    build=build,
    takes_sparse=True,
)
