from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
if str(HERE) not in sys.path:
    sys.path.insert(0, str(HERE))

from stores import make  # noqa: E402

from memfeat.evaluation.fit import fit  # noqa: E402
from memfeat.evaluation.run import Run  # noqa: E402
from memfeat.store.feature_store import FeatureStore  # noqa: E402


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    """Sixty labelled videos with three features and one score. Not to be written to."""
    return make(tmp_path_factory.mktemp("stores") / "made")


@pytest.fixture(scope="session")
def run(store: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`brr` on all features of `store`, by five folds. Not to be written to."""
    return fit(store, out=tmp_path_factory.mktemp("runs") / "base", resamples=200)
