"""Weights are listed where they lie, and each kind of wrong file is told apart."""

from __future__ import annotations

import json
import sys

import pytest
from tiny_weights import Published, only_tiny, released

from memfeat import extractors
from memfeat.checking import weights
from memfeat.errors import UsageError
from memfeat.weights.lookup import sha256


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    place = tmp_path / "weights"
    place.mkdir()
    only_tiny(monkeypatch, place)
    return place


def test_networks_are_named_by_feature_or_by_the_weights_they_share():
    assert [network.name for network in weights.networks()] == ["tiny-a", "tiny-b"]
    assert [network.name for network in weights.networks(["tiny-b", "tiny-b"])] == ["tiny-b"]
    assert [network.name for network in weights.networks(["tiny-images"])] == ["tiny-a", "tiny-b"]
    with pytest.raises(UsageError, match="Did you mean 'tiny-a'"):
        weights.networks(["tiny-aa"])


def test_an_algorithm_has_none_and_is_not_listed(monkeypatch):
    monkeypatch.undo()
    assert "flow-torch" not in [network.name for network in weights.networks()]
    with pytest.raises(UsageError, match="'flow-torch' has no weights"):
        weights.networks(["flow-torch"])


def test_what_is_absent_is_listed_with_its_origin():
    for entry in weights.inventory():
        assert (entry.found, entry.size, entry.weights) == (None, None, "tiny-images")
        assert entry.to_json()["files"] == ["tiny-images.safetensors"]
        assert entry.source == entry.where == "tests"
        assert entry.input == {
            "network": "tiny", "size": 24, "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3],
        }  # fmt: skip


def test_a_network_whose_table_is_not_here_says_why(monkeypatch):
    from memfeat.errors import SetupError

    def needs(self):
        raise SetupError("needs timm")

    monkeypatch.setattr(Published, "published", property(needs))
    assert [entry.problem for entry in weights.inventory()] == ["needs timm", "needs timm"]
    assert weights.check(Published()).state == "unchecked"


def test_every_real_network_has_an_entry(monkeypatch):
    monkeypatch.undo()
    entries = weights.inventory()
    assert [entry.network for entry in entries] == [
        name for name in extractors.network_names() if extractors.get_network(name).weighted
    ]
    json.dumps([entry.to_json() for entry in entries])
    for entry in entries:
        assert entry.problem or (entry.files and entry.where and entry.licence and entry.source)


class TestCheck:
    @pytest.fixture(autouse=True)
    def _torch(self):
        pytest.importorskip("torch", reason="needs the extra deep")

    def test_a_file_that_fits(self, folder):
        file = released(folder / "tiny-images.safetensors")
        file = file.rename(file.with_suffix(".pth"))
        verdict = weights.check(Published(), file)
        assert verdict.state == "ok", verdict.text
        assert verdict.sha256 == sha256(file)
        assert "9 tensors" in verdict.text
        assert "a file of your own" in verdict.text
        assert json.dumps(verdict.to_json())

    def test_a_file_that_is_found(self, folder):
        from memfeat.checking.weights_conversion import convert

        convert(released(folder / "w.pth"), Published(), folder / "tiny-images.safetensors")
        verdict = weights.check(Published())
        assert (verdict.state, verdict.file) == ("ok", folder / "tiny-images.safetensors")
        assert "none is published" in verdict.text
        entry = weights.inventory(["tiny-a"])[0]
        assert (entry.found, entry.size) == (verdict.file, verdict.file.stat().st_size)

    def test_an_absent_one_says_where_it_is_had(self):
        verdict = weights.check(Published())
        assert (verdict.state, verdict.file) == ("absent", None)
        for word in ("tiny-images.safetensors", "MEMFEAT_WEIGHTS", "tests"):
            assert word in verdict.text

    @pytest.mark.parametrize(
        ("content", "says"),
        [
            (b"<!DOCTYPE html><html>Please sign in</html>", "cannot be read as weights"),
            (b"", "cannot be read as weights"),
            (b"\x10\x00\x00\x00\x00\x00\x00\x00{", "cannot be read as weights"),
        ],
    )
    def test_what_holds_no_tensors(self, folder, content, says):
        for name in ("w.pth", "w.safetensors"):
            (folder / name).write_bytes(content)
            verdict = weights.check(Published(), folder / name)
            assert verdict.state == "wrong"
            assert says in verdict.text

    def test_a_part_of_a_file(self, folder):
        whole = released(folder / "w.pth").read_bytes()
        for share in (0.2, 0.6, 0.95):
            (folder / "part.pth").write_bytes(whole[: int(len(whole) * share)])
            verdict = weights.check(Published(), folder / "part.pth")
            assert verdict.state == "wrong"
            assert "damaged, incomplete" in verdict.text

    def test_weights_of_another_network(self, folder):
        import torch

        odd = {"module.conv.weight": torch.zeros(1), "module.3.weight": torch.zeros(6, 8, 1, 1)}
        verdict = weights.check(Published(), released(folder / "w.pth", **odd))
        assert verdict.state == "wrong"
        assert "1 unexpected: conv.weight" in verdict.text
        assert "1 of another shape: 3.weight (6, 8, 1, 1) instead of (6, 8, 3, 3)" in verdict.text

    def test_values_that_are_not_finite(self, folder):
        import torch

        file = released(folder / "w.pth", **{"module.3.bias": torch.full((6,), torch.nan)})
        assert "not finite, in 3.bias" in weights.check(Published(), file).text

    def test_another_digest_than_published(self, folder, monkeypatch):
        import dataclasses

        file = released(folder / "tiny-images.safetensors")
        published = dataclasses.replace(Published.published, sha256="0123abcd")
        monkeypatch.setattr(Published, "published", published)
        verdict = weights.check(Published())
        assert verdict.state == "wrong"
        assert sha256(file)[:16] in verdict.text
        assert "0123abcd" in verdict.text
        other = file.rename(file.with_suffix(".pth"))
        assert weights.check(Published(), other).state == "ok"  # on purpose

    def test_a_missing_library_is_named(self, folder, monkeypatch):
        file = released(folder / "w.pth")
        monkeypatch.setitem(sys.modules, "torch", None)
        assert "pip install 'memfeat[deep]'" in weights.check(Published(), file).text
