"""Video networks of torchvision: windows as they were trained, and released files without their classifier."""

from __future__ import annotations

import families
import pytest

from memfeat.extractors.torchvision_videos import FAMILY


def test_the_family():
    families.listed(FAMILY)
    assert FAMILY.make("mvit-v2-s-kinetics400").selection.n == 16
    assert FAMILY.make("mvit-v2-s-kinetics400-spread16") is not None
    assert FAMILY.make("mvit-v2-s-kinetics400-windows32") is None
    assert FAMILY.make("r3d-18-kinetics400-windows32").selection.n == 32


@pytest.mark.parametrize(
    ("name", "reference", "shape"),
    [
        ("r3d-18-kinetics400", "r3d_18", (2, 3, 16, 112, 112)),
        ("r2plus1d-18-kinetics400", "r2plus1d_18", (1, 3, 16, 112, 112)),
        ("s3d-kinetics400", "s3d", (1, 3, 32, 224, 224)),
        ("mvit-v2-s-kinetics400", "mvit_v2_s", (1, 3, 16, 224, 224)),
        ("swin3d-t-kinetics400", "swin3d_t", (1, 3, 8, 224, 224)),
    ],
)
def test_the_network_and_its_file(name, reference, shape):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    video = pytest.importorskip("torchvision.models.video", reason="needs the extra deep")
    network = FAMILY.make(name)
    assert families.prepared_alike(network)[1:] == shape[3:]
    families.built(network, shape)
    with torch.device("meta"):
        whole = getattr(video, reference)(weights=None).state_dict()
        assert network.own_names(whole).keys() == network.build().state_dict().keys()
    assert len(whole) - len(network.own_names(whole)) == 2


def test_r3ds_features_are_what_its_classifier_sees():
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    video = pytest.importorskip("torchvision.models.video", reason="needs the extra deep")
    from memfeat.weights.states import load_strictly, random_network

    whole = random_network(lambda: video.r3d_18(weights=None), 0).eval()
    network = FAMILY.make("r3d-18-kinetics400")
    ours = network.build().eval()
    load_strictly(ours, network.own_names(whole.state_dict()), origin="test")
    x = torch.rand(1, 3, 4, 32, 32)
    with torch.inference_mode():
        assert torch.allclose(whole.fc(ours(x)), whole(x), atol=1e-5)
