from __future__ import annotations

import pytest

from memfeat import extractors, models
from memfeat.errors import UsageError
from memfeat.evaluation.columns import parse_columns
from memfeat.models._modules import PARTS, columns, modules

RAW = ["hog", "brightness", "contrast", "sharpness-fft", "h264-size", "flow"]
ALL = [*RAW, "hrnet-w48-ade20k", "csn-ip-152-ig65m-kinetics", "clip-vit-b-32-quickgelu-openai"]


def test_all_modules_in_their_published_order():
    assert modules(sorted(ALL)) == {
        "raw": ["hog@pca-m3s", *RAW[1:]],
        "scene": ["hrnet-w48-ade20k"],
        "event": ["csn-ip-152-ig65m-kinetics"],
        "similarity": ["hrnet-w48-ade20k@dbscan", "csn-ip-152-ig65m-kinetics@dbscan"],
    }
    assert columns(ALL) == [name for names in modules(ALL).values() for name in names]


@pytest.mark.parametrize("left_out", ALL)
def test_any_subset_of_features_will_do(left_out):
    found = columns([name for name in ALL if name != left_out])
    assert found and not any(name.split("@")[0] == left_out for name in found)
    parse_columns(found)


@pytest.mark.parametrize("part", PARTS)
def test_one_module_alone(part):
    assert modules(ALL, parts=[part]) == {part: modules(ALL)[part]}


def test_of_variants_one_is_taken_and_the_default_first():
    assert modules(["brightness-hue", "brightness", "brightness-m3s"])["raw"] == ["brightness"]
    assert modules(["blur-lps", "sharpness-fft", "flow-opencv", "flow"])["raw"] == ["sharpness-fft", "flow"]
    assert modules(["blur-lps", "remux-size", "contrast-v"])["raw"] == [
        "contrast-v",
        "blur-lps",
        "remux-size",
    ]


def test_of_networks_the_published_weights_come_first_then_what_may_stand_in():
    assert modules(["hrnet-w48-imagenet", "hrnet-w48-ade20k-every9"])["scene"] == ["hrnet-w48-ade20k-every9"]
    assert modules(["csn-ir-152-ig65m-kinetics", "csn-ip-152-ig65m-kinetics", "i3d-kinetics"])["event"] == [
        "csn-ip-152-ig65m-kinetics"
    ]
    assert modules(["r3d-18-kinetics", "swin3d-b-kinetics"])["event"] == ["swin3d-b-kinetics"]


def test_a_name_is_no_match_by_its_letters_alone():
    assert modules(["contrastive", "flowers", "hogwarts"]) == {}


def test_every_descriptor_of_the_raw_module_exists():
    assert set(RAW) <= set(extractors.names())
    assert modules(extractors.names(), parts=["raw"])["raw"] == ["hog@pca-m3s", *RAW[1:]]


@pytest.mark.parametrize("name", ["m3s", "m3", "raw-mlp", "similarity-mlp"])
def test_a_store_without_any_of_them_says_what_is_wanted(name):
    with pytest.raises(UsageError, match=r"no feature that this model takes.*it has clip-x.*--features"):
        models.get(name).columns(["clip-x"])


def test_m3_is_m3s_without_similarity():
    m3, m3s = models.get("m3"), models.get("m3s")
    assert m3.columns(ALL) + m3s.modules(ALL)["similarity"] == m3s.columns(ALL)
    assert m3.modules(ALL) == {
        part: names for part, names in m3s.modules(ALL).items() if part != "similarity"
    }
    assert m3.build(3).get_params() == m3s.build(3).get_params()
