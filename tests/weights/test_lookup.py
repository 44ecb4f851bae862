"""Weights are looked for in the user's folder, then in caches; absent ones are told with file, origin and place."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest

from memfeat.errors import SetupError, WeightsError
from memfeat.weights import lookup
from memfeat.weights.published import Published

CONTENT = b"tensors"
DIGEST = hashlib.sha256(CONTENT).hexdigest()
WEIGHTS = Published(
    name="tiny-net",
    files=("tiny-1234.pth", "tiny.safetensors"),
    url="https://example.invalid/models/tiny-1234.pth",
    sha256=DIGEST[:8],
    licence="MIT",
    source="tests",
)


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.delenv(lookup.FOLDER_VARIABLE, raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("MEMFEAT_OFFLINE", "1")


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_the_users_folder_comes_first_under_either_name(tmp_path, monkeypatch):
    put(tmp_path / "torch" / "hub" / "checkpoints" / "tiny-1234.pth")
    own = put(tmp_path / "mine" / "tiny.safetensors")
    monkeypatch.setenv(lookup.FOLDER_VARIABLE, str(tmp_path / "mine"))
    assert lookup.find(WEIGHTS) == own
    usual = put(tmp_path / "mine" / "tiny-1234.pth")
    assert lookup.find(WEIGHTS) == usual


def test_one_folder_below_the_users_is_searched_too(tmp_path, monkeypatch):
    monkeypatch.setenv(lookup.FOLDER_VARIABLE, str(tmp_path / "mine"))
    below = put(tmp_path / "mine" / "tiny-net" / "tiny-1234.pth")
    assert lookup.find(WEIGHTS) == below


def test_torchs_cache_is_searched(tmp_path):
    cached = put(tmp_path / "torch" / "hub" / "checkpoints" / "tiny-1234.pth")
    assert lookup.find(WEIGHTS) == cached


def test_absent_weights_are_told_with_file_origin_and_place(tmp_path, monkeypatch):
    with pytest.raises(WeightsError) as caught:
        lookup.find(WEIGHTS)
    for word in (
        "tiny-net",
        "tiny-1234.pth",
        WEIGHTS.url,
        lookup.FOLDER_VARIABLE,
        "switched off",
        "random:0",
    ):
        assert word in str(caught.value)
    assert isinstance(caught.value, SetupError)
    monkeypatch.setenv(lookup.FOLDER_VARIABLE, str(tmp_path / "mine"))
    with pytest.raises(WeightsError, match="into .*mine"):
        lookup.find(WEIGHTS)


def test_a_file_with_another_digest_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv(lookup.FOLDER_VARIABLE, str(tmp_path))
    put(tmp_path / "tiny-1234.pth", b"something else")
    with pytest.raises(WeightsError, match=f"not tiny-net as published.*{DIGEST[:8]}"):
        lookup.find(WEIGHTS)


def test_the_digest_follows_the_file(tmp_path):
    file = put(tmp_path / "a")
    assert lookup.sha256(file) == DIGEST
    put(file, b"another one")
    assert lookup.sha256(file) == hashlib.sha256(b"another one").hexdigest()
    with pytest.raises(WeightsError, match="cannot be read"):
        lookup.sha256(tmp_path / "missing")


def test_a_failed_download_says_why_and_leaves_nothing(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    monkeypatch.delenv("MEMFEAT_OFFLINE")

    def broken(url, target, progress):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", broken)
    with pytest.raises(WeightsError, match="the download failed: no route to host"):
        lookup.find(WEIGHTS)
    assert not list((tmp_path / "torch").rglob("*.pth"))


def test_a_download_lands_in_torchs_cache_and_is_checked(tmp_path, monkeypatch):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    monkeypatch.delenv("MEMFEAT_OFFLINE")
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda url, target, progress: put(Path(target)))
    found = lookup.find(WEIGHTS)
    assert found == tmp_path / "torch" / "hub" / "checkpoints" / "tiny-1234.pth"


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.delenv("MEMFEAT_OFFLINE")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(WeightsError, match=r"pip install 'memfeat\[deep\]'"):
        lookup.find(WEIGHTS)


def test_weights_without_an_address_have_to_be_fetched_by_hand(monkeypatch):
    monkeypatch.delenv("MEMFEAT_OFFLINE")
    by_hand = Published(name="h", files=("h.pt",), source="the authors, on request", licence="research")
    with pytest.raises(WeightsError, match="h.pt from the authors, on request"):
        lookup.find(by_hand)
