"""Ridge regression, its penalty found on the training rows; the plain baseline on embeddings and on words."""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `TunedRidge`: scikit-learn's ``Ridge`` with the penalty of least error on rows left out.

    ``alpha`` fixes the penalty, ``alphas`` gives those to choose from. `seed` decides which rows are left out
    together where columns are sparse.

    >>> build(0, alpha=3.0).get_params()["alpha"]
    3.0
    """
    from memfeat.estimators.ridge import TunedRidge

    return TunedRidge(**{"random_state": seed, **parameters})


SPEC = ModelSpec(
    name="ridge",
    summary="Ridge regression with the penalty of least leave-one-out error, or a given alpha.",
    build=build,
    takes_sparse=True,
)
