"""Scores by classification: balanced classes, a softmax network, and the sum of their probabilities."""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `memfeat.estimators.kclass.KClassRegressor`, with four classes unless told otherwise.

    >>> build(0, n_classes=2, branches=[4096, 1024]).get_params()["branches"]
    [4096, 1024]
    """
    from memfeat.estimators.kclass import KClassRegressor

    return KClassRegressor(random_state=seed, **parameters)


SPEC = ModelSpec(
    name="kclass",
    summary="Softmax network over balanced classes of scores, whose probabilities are averaged (LaMem, 2018).",
    build=build,
    needs_deep=True,
    readings={"upper-edge": {"edge": "upper-edge"}},
)
