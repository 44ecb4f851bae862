"""HRNet features: the first frame by default, and each release with its kind of upsampling."""

from __future__ import annotations

import families
import pytest

from memfeat.extractors.hrnet import FAMILY


def test_the_family():
    families.listed(FAMILY)
    network = FAMILY.make("hrnetv2-w48-ade20k")
    assert families.prepared_alike(network) == (3, 256, 256)
    assert network.selection.suffix == "first"
    assert FAMILY.make("hrnetv2-w48-ade20k-spread5").selection.positions(45) == [0, 9, 18, 27, 36]
    assert FAMILY.make("hrnetv2-w48-ade20k-windows32") is None


@pytest.mark.parametrize(("release", "upsampling"), [("ade20k", "bilinear"), ("timm", "nearest")])
def test_the_network_and_its_file(release, upsampling):
    pytest.importorskip("timm", reason="needs the extra deep")
    network = FAMILY.make(f"hrnetv2-w48-{release}")
    assert network.parameters()["upsampling"] == upsampling
    assert families.built(network, (2, 3, 64, 64)) == 65_325_120
    families.loses_alone(
        network, {"classifier.weight": 0, "incre_modules.0.0.conv1.weight": 0}, strip="trunk."
    )
