"""Features are found by name: descriptors, networks, short names, frame selections, and the closest for a slip."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
from tiny_networks import register

from memfeat import extractors
from memfeat.errors import SetupError, UsageError


@pytest.fixture
def tiny(monkeypatch):
    register(monkeypatch)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("tiny-images", "tiny-images"),
        ("tiny-images-fml", "tiny-images-fml"),
        ("tiny-clips-windows8", "tiny-clips-windows8"),
        ("tiny", "tiny-images"),
        ("tiny-every5", "tiny-images-every5"),
        ("tiny-images-fml-random7", "tiny-images-fml"),
    ],
)
def test_a_name_is_a_network_s(tiny, name, found):
    assert extractors.is_network(name)
    assert extractors.get_network(name).name == found


@pytest.mark.parametrize("name", ["tiny-imagesfml", "tiny-images-every", "tinyfml", "hgo", ""])
def test_other_words_are_no_network(tiny, name):
    assert not extractors.is_network(name)
    with pytest.raises(UsageError, match="There is no feature"):
        extractors.get_network(name)


def test_the_closest_name_is_proposed_among_all(tiny):
    for slip, meant in (("tiny-imges", "tiny-images"), ("hgo", "hog"), ("tny", "tiny")):
        with pytest.raises(UsageError, match=f"Did you mean '{meant}'.*and those of .* networks"):
            extractors.split(["contrast", slip])


def test_descriptors_and_networks_are_told_apart(tiny):
    descriptors, networks = extractors.split(
        ["hog", "tiny-fml", "contrast", "tiny-clips", "hog", "tiny-images-fml"]
    )
    assert [extractor.name for extractor in descriptors] == ["hog", "contrast"]
    assert [network.name for network in networks] == ["tiny-images-fml", "tiny-clips"]
    assert extractors.split(["tiny"])[0] == []
    assert extractors.split([]) == ([], [])
    with pytest.raises(UsageError, match="'hog' is a descriptor"):
        extractors.get_network("hog")
    with pytest.raises(UsageError, match="'tiny' is the feature of a network"):
        extractors.get("tiny")


def test_every_listed_network_can_be_made_by_its_name():
    for name in extractors.network_names():
        network = extractors.get_network(name)
        assert network.name == name
        if find_spec("timm") is not None:
            assert network.width > 0
        elif name.startswith("timm-"):  # its table is timm's
            with pytest.raises(SetupError, match="need the extra deep"):
                _ = network.width
        assert network.summary.endswith(".")
    for family in extractors.families().values():
        assert family.summary.endswith(".")
        for short, full in family.aliases().items():
            assert extractors.get_network(short).name == full


def test_networks_are_listed_without_torch():
    code = (
        "import sys; sys.modules['torch'] = sys.modules['timm'] = sys.modules['open_clip'] = None\n"
        "from memfeat import extractors\n"
        "networks = [extractors.get_network(name) for name in extractors.network_names()]\n"
        "print(len({(n.name, n.summary, n.selection.suffix) for n in networks}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(extractors.network_names())
