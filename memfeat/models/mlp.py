"""scikit-learn's multilayer perceptron, on the standardised target."""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted ``sklearn.neural_network.MLPRegressor`` that is given the standardised target.

    Its defaults are scikit-learn's: one hidden layer of 100 ReLU units, Adam at 0.001, batches of 200, an L2
    penalty of 0.0001, at most 200 epochs. `parameters` are those of ``MLPRegressor``. The target is
    standardised on the training rows (scikit-learn's ``TransformedTargetRegressor``): the default rate and
    penalty are meant for outputs of about unit size, and scores deviate by a tenth of that.

    >>> build(0, hidden_layer_sizes=[64]).regressor.hidden_layer_sizes
    [64]
    """
    from sklearn.compose import TransformedTargetRegressor
    from sklearn.neural_network import MLPRegressor
    from sklearn.preprocessing import StandardScaler

    return TransformedTargetRegressor(
        MLPRegressor(**{"random_state": seed, **parameters}), transformer=StandardScaler()
    )


SPEC = ModelSpec(
    name="mlp",
    summary="scikit-learn's multilayer perceptron (one hidden layer of 100); the target is standardised.",
    build=build,
    takes_sparse=True,
)
