"""Bayesian ridge regression, as scikit-learn defines it and as the field uses it: on features as they are.

Weights have a spherical Gaussian prior; its precision and that of the noise are found by maximising the
marginal likelihood, so there is nothing to tune and no inner validation (MacKay, D. (1992), Bayesian
Interpolation, Neural Computation 4(3); Tipping, M. (2001), JMLR 1, for the updates of both precisions).
"""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `GramBayesianRidge`, by default with the settings of scikit-learn's ``BayesianRidge``.

    Nothing in it is random: `seed` changes nothing. It neither scales nor reduces its columns.

    >>> build(0).get_params()["fit_intercept"]
    True
    """
    from memfeat.estimators.bayesian_ridge import GramBayesianRidge

    return GramBayesianRidge(**parameters)


SPEC = ModelSpec(
    name="brr",
    summary="Bayesian ridge regression; regularises itself and gives a predictive deviation.",
    build=build,
    gives_deviation=True,
)
