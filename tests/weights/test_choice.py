"""Random weights are had by name and seed alone."""

from __future__ import annotations

import pytest

from memfeat.errors import UsageError
from memfeat.weights.choice import PUBLISHED, parse


def test_nothing_means_the_published_weights():
    assert parse(None) == parse("published") == PUBLISHED
    assert not PUBLISHED.random
    assert PUBLISHED.note == ""


def test_random_weights_say_so():
    choice = parse("random:12")
    assert choice.random
    assert choice.seed == 12
    assert "RANDOM weights (seed 12)" in choice.note


def test_a_file_is_taken_as_it_is(tmp_path):
    file = tmp_path / "random.pt"
    file.write_bytes(b"x")
    assert parse(str(file)).file == file


@pytest.mark.parametrize("text", ["random", "random:", "random:x", "random:-1"])
def test_random_needs_a_seed(text):
    with pytest.raises(UsageError, match="need a seed"):
        parse(text)


def test_what_is_no_file_is_refused():
    with pytest.raises(UsageError, match="'nowhere.pt' is no file"):
        parse("nowhere.pt")
