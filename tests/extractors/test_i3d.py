"""I3D features: -1 to 1, at least nine frames, and released files without their classifier."""

from __future__ import annotations

import families
import pytest

from memfeat.extractors.i3d import FAMILY


def test_the_family():
    families.listed(FAMILY)
    network = FAMILY.make("i3d-charades")
    assert families.prepared_alike(network) == (3, 224, 224)
    assert network.min_frames == 9
    assert ((1 - network.mean[0]) / network.std[0], (0 - network.mean[0]) / network.std[0]) == (1, -1)


def test_the_network_and_its_file():
    pytest.importorskip("torch", reason="needs the extra deep")
    network = FAMILY.make("i3d-kinetics")
    families.built(network, (1, 3, 16, 224, 224))
    families.loses_alone(network, {"logits.conv3d.weight": 0, "logits.conv3d.bias": 0})
