"""Support vector regression whose settings are found on inner folds.

The study of image memorability by classification tunes one on CNN and caption features by tree-structured Parzen
estimators and gives no values. C and epsilon, in standard deviations of the target, span what is usual; gamma is
searched around scikit-learn's ``"scale"``.
"""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec

SPACE = {
    "C": {"low": 0.1, "high": 10.0, "log": True},
    "epsilon": {"low": 0.01, "high": 1.0, "log": True},
    "gamma_factor": {"low": 0.1, "high": 10.0, "log": True},
}


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `SVRSearch` of support vector regressions with a Gaussian kernel.

    Parameters are those of the search: ``n_trials`` (30), inner ``folds`` (5), and ``space``, which by default is
    ``SPACE``. `seed` decides the inner folds, what is tried and what the regressor draws.

    >>> build(0, n_trials=50).get_params()["n_trials"]
    50
    """
    from memfeat.estimators.svr import ScaledSVR
    from memfeat.estimators.svr_search import SVRSearch

    return SVRSearch(**{"estimator": ScaledSVR(), "space": SPACE, "random_state": seed, **parameters})


SPEC = ModelSpec(
    name="svr-search",
    summary="Support vector regression with C, epsilon and gamma found on inner folds.",
    build=build,
)
