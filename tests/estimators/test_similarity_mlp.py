from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from memfeat.estimators.similarity_mlp import SimilarityMLP

torch = pytest.importorskip("torch")

from memfeat.networks.heads import build, parameter_count

pytestmark = pytest.mark.filterwarnings("ignore:fewer than 500 gradient steps")


def test_it_trains_for_15_epochs_and_has_the_published_size_of_the_similarity_module():
    X = np.eye(12)
    model = SimilarityMLP().fit(X, np.linspace(0.5, 1, 12))
    assert len(model.loss_history_) == 15
    assert parameter_count(build(model.architecture_ | {"n_in": 852})) == 469_633


def test_clusters_of_different_memorability_are_told_apart():
    generator = np.random.default_rng(0)
    cluster = generator.integers(0, 6, 400)
    mean = np.linspace(0.6, 0.95, 6)[generator.permutation(6)]
    y = (mean[cluster] + generator.normal(0, 0.03, 400)).clip(0, 1)
    X = np.eye(6)[cluster]
    predicted = SimilarityMLP(hidden=(32, 8), learning_rate=0.01).fit(X[:300], y[:300]).predict(X[300:])
    assert spearmanr(predicted, y[300:])[0] > 0.85
