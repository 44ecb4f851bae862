"""CSN features: both kinds, published sizes, and released files without their classifier."""

from __future__ import annotations

import families
import pytest

from memfeat.extractors.csn import FAMILY


def test_the_family():
    families.listed(FAMILY)
    assert families.prepared_alike(FAMILY.make("csn-ip-152-ig65m-kinetics")) == (3, 256, 256)
    assert FAMILY.make("csn-ip-152-ig65m-kinetics").selection.suffix == "all"
    assert FAMILY.make("csn-ip-152-ig65m-kinetics-windows32").selection.n == 32


@pytest.mark.parametrize(("kind", "parameters"), [("ip", 33_016_592), ("ir", 29_703_568)])
def test_the_network_has_the_published_size_less_its_classifier(kind, parameters):
    pytest.importorskip("torch", reason="needs the extra deep")
    network = FAMILY.make(f"csn-{kind}-152-ig65m-kinetics")
    assert families.built(network, (2, 3, 4, 64, 64)) == parameters - 400 * 2049
    families.loses_alone(network, {"fc.weight": 0, "fc.bias": 0})


def test_mmaction2s_file_is_translated():
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    from memfeat.networks.csn import CSN, mmaction_key

    with torch.device("meta"):
        state = {mmaction_key(name, "ip"): tensor for name, tensor in CSN("ip").state_dict().items()}
        own = FAMILY.make("csn-ip-152-ig65m-kinetics").build().state_dict()
    assert FAMILY.make("csn-ip-152-ig65m-kinetics").own_names(state).keys() == own.keys()
