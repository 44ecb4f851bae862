"""Devices that are asked for are there, or it is said what is."""

from __future__ import annotations

import pytest

from memfeat.errors import SetupError, UsageError
from memfeat.extraction.deep.device import choose_devices, describe, make_current, memory_in_use

torch = pytest.importorskip("torch", reason="needs the extra deep")


@pytest.fixture
def gpus(monkeypatch):
    def pretend(count: int) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda index: "Great GPU")

    return pretend


def test_gpus_are_used_where_there_are_any(gpus):
    gpus(0)
    assert choose_devices() == ["cpu"]
    gpus(2)
    assert choose_devices() == choose_devices("cuda") == ["cuda:0", "cuda:1"]
    assert choose_devices("cuda:1") == ["cuda:1"]
    assert choose_devices("cpu") == ["cpu"]


def test_a_gpu_that_is_not_there_is_said_with_what_torch_sees(gpus):
    gpus(0)
    with pytest.raises(
        SetupError, match=r"--device cuda: torch .* sees no GPU \(it was built .*--device cpu"
    ):
        choose_devices("cuda")
    gpus(2)
    with pytest.raises(SetupError, match=r"sees 2 GPUs: cuda:0 \(Great GPU\), cuda:1"):
        choose_devices("cuda:2")


@pytest.mark.parametrize("asked", ["gpu", "cuda:", "cuda:x", "CPU", "mps"])
def test_other_words_are_refused(asked):
    with pytest.raises(UsageError, match="use cpu, cuda"):
        choose_devices(asked)


def test_the_hardware_has_a_name_and_uses_memory():
    assert describe("cpu")
    assert memory_in_use("cpu").endswith(" GB")


def test_a_gpu_has_one_name(gpus):
    gpus(2)
    assert choose_devices("cuda:01") == ["cuda:1"]


def test_a_process_makes_its_gpu_the_current_one(monkeypatch):
    made = []
    monkeypatch.setattr(torch.cuda, "set_device", made.append)
    make_current("cpu")
    make_current("cuda:1")
    assert made == ["cuda:1"]

    def fail(device):
        raise RuntimeError("CUDA error: CUDA-capable device(s) is/are busy or unavailable")

    monkeypatch.setattr(torch.cuda, "set_device", fail)
    with pytest.raises(
        SetupError, match=r"cuda:1 cannot be used .*busy or unavailable.* or use --device cpu"
    ):
        make_current("cuda:1")
