"""The frame selection at the end of a name."""

from __future__ import annotations

import pytest

from memfeat.extractors._names import named, selection_of
from memfeat.frame_selection import ALL, FIRST, parse_selection


@pytest.mark.parametrize("suffix", ["first", "fml", "every9", "2ps", "spread5", "windows16"])
def test_names_and_selections_belong_together(suffix):
    selection = parse_selection(suffix)
    assert selection_of(f"net-{suffix}", "net", ALL) == selection
    assert named("net", selection, ALL) == f"net-{suffix}"


def test_the_usual_selection_is_not_in_the_name():
    assert named("net", FIRST, FIRST) == "net"
    assert selection_of("net", "net", FIRST) == FIRST
    assert selection_of("net-all", "net", FIRST) == ALL


@pytest.mark.parametrize("name", ["nets", "net-", "net-wide", "other", "net-fml-fml"])
def test_other_names_are_nobodys(name):
    assert selection_of(name, "net", ALL) is None
