from __future__ import annotations

import json

import pytest
from tiny_weights import only_tiny, released


@pytest.fixture
def folder(tmp_path, monkeypatch):
    place = tmp_path / "weights"
    place.mkdir()
    only_tiny(monkeypatch, place)
    return place


def test_absent_weights_are_listed_and_are_no_error_unless_named(memfeat, folder):
    ran = memfeat("weights", "list")
    assert ran.code == 0
    assert "tiny-a, tiny-b" in ran.out
    assert "absent: tiny-images.safetensors · tests · MIT" in ran.out
    assert "0 of 2 networks" in ran.err
    named = memfeat("weights", "list", "tiny-a").out
    assert "from tests" in named
    assert "network tiny; size 24; RGB in 0 to 1 less 0.4, 0.5, 0.6, divided by 0.2, 0.25, 0.3" in named
    ran = memfeat("weights", "verify")
    assert (ran.code, ran.out) == (0, "")
    assert "2 absent" in ran.err
    ran = memfeat("weights", "verify", "tiny-b")
    assert ran.code == 4
    assert ran.out.startswith("absent tiny-b: tiny-images.safetensors is neither in")
    assert memfeat("weights", "list", "tiny-x").code == 2


def test_from_a_release_to_verified_weights(memfeat, folder, tmp_path):
    pytest.importorskip("torch", reason="needs the extra deep")
    file = released(tmp_path / "w.pth")
    assert memfeat("weights", "verify", "tiny-a", "--weights", file).code == 0
    out = folder / "tiny-images.safetensors"
    ran = memfeat("weights", "convert", file, "--network", "tiny-a", "--out", out)
    assert ran.code == 0, ran.err
    assert f"use it with --weights {out}, or as tiny-images.safetensors in" in ran.err
    ran = memfeat("weights", "verify")
    assert ran.code == 0
    assert [line.split(":")[0] for line in ran.out.splitlines()] == ["ok tiny-a", "ok tiny-b"]
    listed = json.loads(memfeat("weights", "list", "--json").out)
    assert [entry["found"] for entry in listed] == [str(out)] * 2
    assert memfeat("weights", "convert", file, "--network", "tiny-a", "--out", out).code == 2


def test_wrong_weights_are_told_and_end_with_4(memfeat, folder):
    pytest.importorskip("torch", reason="needs the extra deep")
    (folder / "tiny-images.safetensors").write_text("<html>404</html>")
    ran = memfeat("weights", "verify")
    assert ran.code == 4
    assert ran.out.startswith("WRONG tiny-a: ")
    assert "cannot be read as weights" in ran.out
    verdicts = json.loads(memfeat("weights", "verify", "--json", "tiny-a").out)
    assert [verdict["state"] for verdict in verdicts] == ["wrong"]


def test_one_file_is_that_of_one_network(memfeat, folder, tmp_path):
    for names in ([], ["tiny-a", "tiny-b"], ["tiny-images"]):
        ran = memfeat("weights", "verify", *names, "--weights", tmp_path / "w.pth")
        assert ran.code == 2
        assert "the file of one network" in ran.err
