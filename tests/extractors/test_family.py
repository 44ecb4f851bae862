"""A table of releases as a family."""

from __future__ import annotations

from memfeat.extractors import csn, hrnet
from memfeat.extractors._family import Releases
from memfeat.frame_selection import ALL


def test_the_longest_base_wins():
    made = []
    family = Releases(
        "x",
        ["net", "net-large"],
        ALL,
        lambda base, selection: made.append((base, selection.suffix)) or csn.FAMILY.make("csn-ip-152-ig65m"),
    )
    assert family.names() == ["net", "net-large"]
    family.make("net-large-fml")
    family.make("net-fml")
    assert made == [("net-large", "fml"), ("net", "fml")]
    assert family.make("nets") is None


def test_windows_are_for_networks_that_look_at_clips():
    assert csn.FAMILY.make("csn-ip-152-ig65m-kinetics-windows32").selection.n == 32
    assert hrnet.FAMILY.make("hrnetv2-w48-ade20k-windows32") is None


def test_aliases_are_as_given():
    family = Releases("x", [], ALL, lambda base, selection: None, aliases={"a": "b"})
    assert family.aliases() == {"a": "b"}
