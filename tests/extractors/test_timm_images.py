"""Networks of timm by timm's own names, transforms and sizes."""

from __future__ import annotations

import families
import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.extractors.timm_images import FAMILY


def test_the_family():
    families.listed(FAMILY)
    assert FAMILY.make("timm-resnet50.a1_in1k-fml").selection.suffix == "fml"
    assert FAMILY.make("timm-resnet50") is None
    assert FAMILY.make("timm-resnet50.a1_in1k-windows4") is None


@pytest.mark.parametrize(
    ("model", "width"),
    [("resnet50.a1_in1k", 2048), ("mobilenetv3_large_100.ra_in1k", 1280), ("densenet121.ra_in1k", 1024)],
)
def test_the_network_and_its_file(model, width):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    timm = pytest.importorskip("timm", reason="needs the extra deep")
    network = FAMILY.make(f"timm-{model}")
    assert network.width == width
    families.built(network, (1, 3, 224, 224))
    with torch.device("meta"):
        whole = timm.create_model(model, pretrained=False).state_dict()
        assert network.own_names(whole).keys() == network.build().state_dict().keys()
    assert len(whole) - len(network.own_names(whole)) == 2
    assert network.published.hub == (f"timm/{model}", "model.safetensors")


@pytest.mark.parametrize(
    "model", ["resnet50.a1_in1k", "efficientnet_b3.ra2_in1k", "vit_base_patch16_clip_224.openai"]
)
def test_frames_are_prepared_by_timms_transform(model):
    timm = pytest.importorskip("timm", reason="needs the extra deep")
    from PIL import Image

    network = FAMILY.make(f"timm-{model}")
    image = np.random.default_rng(0).integers(0, 256, (240, 330, 3), dtype=np.uint8)
    settings = timm.data.resolve_data_config({}, pretrained_cfg=timm.get_pretrained_cfg(model).to_dict())
    expected = timm.data.create_transform(**settings)(Image.fromarray(image)).numpy()
    mean, std = (np.array(v, np.float32)[:, None, None] for v in (network.mean, network.std))
    assert np.abs((network.prepare(image) / np.float32(255) - mean) / std - expected).max() < 1e-5


def test_an_unknown_name_is_told_with_the_nearest():
    pytest.importorskip("timm", reason="needs the extra deep")
    with pytest.raises(UsageError, match=r"no weights 'resnet50\.a1_in1x'.*Did you mean 'resnet50\.a1_in1k'"):
        _ = FAMILY.make("timm-resnet50.a1_in1x").mean
