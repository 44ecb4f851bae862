"""ImageNet networks of torchvision: published sizes, the layer before the classifier by torchvision's own way."""

from __future__ import annotations

import families
import pytest

from memfeat.extractors.torchvision_images import FAMILY


def test_the_family():
    families.listed(FAMILY)
    for name in FAMILY.names():
        assert families.prepared_alike(FAMILY.make(name)) == (3, 224, 224)


@pytest.mark.parametrize(
    ("name", "reference", "parameters"),
    [
        ("densenet121-imagenet1k-v1", "densenet121", 7_978_856 - 1000 * 1025),
        ("vgg16-fc7-imagenet1k-v1", "vgg16", 138_357_544 - 1000 * 4097),
        ("resnet101-imagenet1k-v2", "resnet101", 44_549_160 - 1000 * 2049),
    ],
)
def test_torchvisions_files_lose_their_classifier_alone(name, reference, parameters):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    models = pytest.importorskip("torchvision.models", reason="needs the extra deep")
    network = FAMILY.make(name)
    assert families.built(network, (2, 3, 224, 224)) == parameters
    with torch.device("meta"):
        whole = getattr(models, reference)(weights=None).state_dict()
        assert network.own_names(whole).keys() == network.build().state_dict().keys()
    assert len(whole) - len(network.own_names(whole)) == 2


def test_densenets_features_are_its_maps_after_relu_averaged():
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    pytest.importorskip("torchvision", reason="needs the extra deep")
    torch.manual_seed(0)
    network = FAMILY.make("densenet121-imagenet1k-v1").build().eval()
    x = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        assert torch.allclose(network(x), torch.relu(network.features(x)).mean(dim=(2, 3)), atol=1e-6)


def test_densenets_file_has_the_names_of_its_time():
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    network = FAMILY.make("densenet121-imagenet1k-v1")
    old = {
        "features.denseblock1.denselayer1.norm.1.weight": torch.zeros(1),
        "classifier.bias": torch.zeros(1),
    }
    assert list(network.own_names(old)) == ["features.denseblock1.denselayer1.norm1.weight"]
