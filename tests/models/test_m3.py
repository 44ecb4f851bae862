from __future__ import annotations

from memfeat import models
from memfeat.estimators.m3s_head import M3SHead


def test_it_takes_no_similarity_and_the_same_parameters() -> None:
    spec = models.get("m3")
    assert spec.columns is not None
    assert spec.columns(["hrnet-w48-ade20k", "flow"]) == ["flow", "hrnet-w48-ade20k"]
    built = spec.build(1, loss="mse-to-spearman")
    assert isinstance(built, M3SHead) and built.get_params()["loss"] == "mse-to-spearman"
