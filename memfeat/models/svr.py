"""Support vector regression with a Gaussian kernel, on the standardised target.

The classifier by regression study of image memorability uses it on CNN and caption features, tuned and with
values that it does not give (`svr-search` does that); the defaults here are scikit-learn's.
"""

from __future__ import annotations

from typing import Any

from memfeat.models import ModelSpec


def build(seed: int, **parameters: Any) -> Any:
    """Return an unfitted `ScaledSVR`, by default with scikit-learn's C=1, epsilon=0.1 and gamma="scale".

    Epsilon is in standard deviations of the training targets. Nothing in it is random: `seed` changes nothing.

    >>> build(0, C=0.1).get_params()["C"]
    0.1
    """
    from memfeat.estimators.svr import ScaledSVR

    return ScaledSVR(**parameters)


SPEC = ModelSpec(
    name="svr",
    summary="Support vector regression with a Gaussian kernel; the target is standardised.",
    build=build,
)
