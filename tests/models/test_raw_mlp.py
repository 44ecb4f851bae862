from __future__ import annotations

from memfeat import models
from memfeat.estimators.raw_mlp import RawMLP


def test_it_takes_the_low_level_descriptors_alone() -> None:
    spec = models.get("raw-mlp")
    assert spec.columns is not None
    assert spec.columns(["hog", "flow", "hrnet-w48-ade20k", "clip-vit-b-32"]) == ["hog@pca-m3s", "flow"]
    built = spec.build(4, epochs=3)
    assert isinstance(built, RawMLP)
    assert built.get_params() == RawMLP(random_state=4, epochs=3).get_params()
