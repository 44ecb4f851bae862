"""MemNet's features: both layers, both orders of channels."""

from __future__ import annotations

import families
import numpy as np
import pytest

from memfeat.extractors.memnet import FAMILY


def test_the_family():
    families.listed(FAMILY)
    assert families.prepared_alike(FAMILY.make("memnet-lamem-fc6")) == (3, 227, 227)


@pytest.mark.parametrize("name", ["memnet-lamem-fc7", "hybridcnn-places-imagenet-fc6"])
def test_the_network_and_its_file(name):
    pytest.importorskip("torch", reason="needs the extra deep")
    network = FAMILY.make(name)
    families.built(network, (2, 3, 227, 227))
    families.loses_alone(network, {"fc8.weight": 0, "fc8.bias": 0})


def test_caffes_weights_get_blue_first_and_0_to_255():
    network = FAMILY.make("hybridcnn-places-imagenet-fc7")
    image = np.zeros((256, 256, 3), np.uint8)
    image[..., 2] = 200
    prepared = network.prepare(image)
    assert prepared[0].max() == 200
    assert prepared[2].max() == 0
    given = (prepared[0, 0, 0] / 255 - network.mean[0]) / network.std[0]
    assert given == pytest.approx(200 - 104)
    red, _, _ = FAMILY.make("memnet-lamem-fc7").prepare(image[..., ::-1])
    assert red.max() == 200
