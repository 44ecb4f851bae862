from __future__ import annotations

import pytest
from stores import make

from memfeat.evaluation.fit import fit
from memfeat.evaluation.run import Run
from memfeat.store.feature_store import FeatureStore


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> FeatureStore:
    """Sixty labelled videos with three features and one score. Not to be written to."""
    return make(tmp_path_factory.mktemp("stores") / "made")


@pytest.fixture(scope="session")
def run(store: FeatureStore, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """`brr` on all features of `store`, by five folds. Not to be written to."""
    return fit(store, out=tmp_path_factory.mktemp("runs") / "base", resamples=200)
