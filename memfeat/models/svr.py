"""Support vector regression with a Gaussian kernel, on the standardised target.

Tuned, it is a baseline of the study of image memorability by classification, which gives no values (`svr-search`
finds some); the defaults here are scikit-learn's.
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
