from __future__ import annotations

import pytest

from memfeat import models
from memfeat.errors import UsageError
from memfeat.estimators.ic_mlp import CaptionFeatureMLP


def test_it_takes_three_frames_of_clip_where_there_are_any() -> None:
    columns = models.get("ic-mlp").columns
    assert columns is not None
    names = [
        "densenet121-fml",
        "clip-vit-l-14-336-quickgelu-openai-fml",
        "clip-vit-b-32-quickgelu-openai-fml",
    ]
    assert columns(names) == ["clip-vit-b-32-quickgelu-openai-fml:stack"]
    assert columns(["densenet121-fml", "hog"]) == ["densenet121-fml:stack"]
    with pytest.raises(UsageError, match="ends in -fml; the store has clip-vit-b-32, hog"):
        columns(["hog", "clip-vit-b-32"])


def test_it_has_the_published_width() -> None:
    built = models.get("ic-mlp").build(2)
    assert isinstance(built, CaptionFeatureMLP)
    assert built.get_params() == CaptionFeatureMLP(hidden=1500, random_state=2).get_params()
