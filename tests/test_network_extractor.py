"""The contract of networks: everything that changes values is in the key, and random weights are in the name."""

from __future__ import annotations

import numpy as np
import pytest

from memfeat.frame_selection import parse_selection
from memfeat.network_extractor import NetworkExtractor, Settings
from memfeat.weights.choice import Choice
from memfeat.weights.published import Published


class Tiny(NetworkExtractor):
    summary = "A network that does nothing."
    width = 4
    published = Published(name="tiny", files=("tiny.pth",), source="tests", licence="MIT")
    mean, std = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)

    def __init__(self, selection: str = "all", size: int = 8) -> None:
        self.selection = parse_selection(selection)
        self.name = "tiny" if selection == "all" else f"tiny-{selection}"
        self.size = size

    def prepare(self, rgb):
        return np.zeros((3, self.size, self.size), np.uint8)

    def build(self):
        raise NotImplementedError

    def own_names(self, state):
        return state

    def parameters(self):
        return {"size": self.size}


def keys() -> dict[str, str]:
    usual, digest = Settings(), "ab" * 32
    return {
        "usual": Tiny().key(usual, digest),
        "other frames": Tiny("fml").key(usual, digest),
        "other parameters": Tiny(size=16).key(usual, digest),
        "other weights": Tiny().key(usual, "cd" * 32),
        "random weights": Tiny().key(Settings(choice=Choice(seed=0)), ""),
        "other random weights": Tiny().key(Settings(choice=Choice(seed=1)), ""),
        "other precision": Tiny().key(Settings(precision="bf16"), digest),
        "other decoder": Tiny().key(Settings(decoder="torchcodec"), digest),
    }


def test_whatever_changes_values_changes_the_key():
    assert len(set(keys().values())) == len(keys())
    assert keys() == keys()
    assert all(len(key) == 16 for key in keys().values())


def test_the_version_is_in_the_key(monkeypatch):
    before = keys()["usual"]
    monkeypatch.setattr(Tiny, "version", 2)
    assert keys()["usual"] != before


def test_a_file_given_by_hand_counts_by_its_content_alone(tmp_path):
    digest = "ab" * 32
    assert Tiny().key(Settings(choice=Choice(file=tmp_path / "a.pth")), digest) == keys()["usual"]


@pytest.mark.parametrize(("choice", "name"), [(Choice(), "tiny-fml"), (Choice(seed=7), "tiny-fml-random7")])
def test_random_weights_are_in_the_name(choice, name):
    assert Tiny("fml").stored_name(Settings(choice=choice)) == name
