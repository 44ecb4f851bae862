"""scikit-learn's regressors and memfeat's give the same numbers on what the benchmark fits. No timing."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import models


@pytest.mark.parametrize("kind", models.KINDS)
def test_bayesian_ridge_regressions_agree(kind: str) -> None:
    data = models.made(kind, 120, 40)
    for theirs, ours in zip(models.plain_ridge(data), models.our_ridge(data), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)


def test_support_vector_regressions_agree() -> None:
    data = models.made("independent columns", 120, 40)
    np.testing.assert_allclose(models.our_svr(data), models.plain_svr(data), rtol=1e-8)


def test_inputs_are_what_they_are_called() -> None:
    independent, like, scaled = (models.made(kind, 400, 20).X for kind in models.KINDS)
    assert np.linalg.cond(independent) < 3
    assert scaled.std(axis=0).max() / scaled.std(axis=0).min() == pytest.approx(1e6, rel=0.3)
    values = np.linalg.svd(like - like.mean(axis=0), compute_uv=False)
    assert values[0] / values[-1] == pytest.approx(20**0.6, rel=0.5)
    assert like.std(axis=0).max() / like.std(axis=0).min() < 3
