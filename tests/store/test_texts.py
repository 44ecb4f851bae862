"""Texts are kept as shipped: several per video, in order, none of them empty."""

from __future__ import annotations

import pytest

from memfeat.errors import LabelError
from memfeat.store.texts import Texts


def test_texts_keep_their_order_and_ids_are_sorted():
    texts = Texts({"captions": {"b.mp4": ["two", "one"], "a.mp4": ["x"]}, "actions": {"a.mp4": ["run"]}})
    assert texts.fields == ("captions", "actions")
    assert list(texts["captions"]) == ["a.mp4", "b.mp4"]
    assert texts["captions"]["b.mp4"] == ("two", "one")
    assert "titles" not in texts


@pytest.mark.parametrize("of", [{"a.mp4": []}, {"a.mp4": ["x", " "]}, {"a.mp4": "one string"}])
def test_an_id_without_a_text_is_refused(of):
    with pytest.raises(LabelError, match=r"'a\.mp4'"):
        Texts({"captions": of})


def test_a_field_needs_a_name():
    with pytest.raises(LabelError, match="named ''"):
        Texts({"": {"a.mp4": ["x"]}})
