from __future__ import annotations

import numpy as np
import pytest


@pytest.fixture(scope="session")
def videos() -> np.ndarray:
    """120 rows of 30 columns, unevenly spread and away from zero."""
    generator = np.random.default_rng(0)
    structure = generator.standard_t(4, size=(120, 12)) @ generator.normal(size=(12, 30))
    return structure + 0.3 * generator.normal(size=(120, 30)) + 2.0


@pytest.fixture(scope="session")
def blobs() -> tuple[np.ndarray, np.ndarray]:
    """Eight well separated groups of 20 rows, and each row's group."""
    groups = np.repeat(np.arange(8), 20)
    return np.eye(8)[groups] * 20 + np.random.default_rng(1).normal(size=(160, 8)), groups
