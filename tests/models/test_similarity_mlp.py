from __future__ import annotations

from memfeat import models
from memfeat.estimators.similarity_mlp import SimilarityMLP


def test_it_takes_clusters_alone() -> None:
    spec = models.get("similarity-mlp")
    assert spec.columns is not None
    assert spec.columns(["hog", "hrnet-w48-ade20k"]) == ["hrnet-w48-ade20k@dbscan"]
    built = spec.build(4)
    assert isinstance(built, SimilarityMLP)
    assert built.get_params() == SimilarityMLP(random_state=4).get_params()
