"""Tensors come out of every kind of file, nothing else does, and each has to fit."""

from __future__ import annotations

import pickle

import pytest

torch = pytest.importorskip("torch", reason="needs the extra deep")
safetensors = pytest.importorskip("safetensors.torch", reason="needs the extra deep")

from memfeat.errors import WeightsError
from memfeat.weights.states import load_strictly, random_network, read_state


def network() -> torch.nn.Module:
    return torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4))


@pytest.fixture()
def state() -> dict[str, torch.Tensor]:
    return random_network(network, 5).state_dict()


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


@pytest.mark.parametrize(
    "wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}]
)
@pytest.mark.parametrize("old", [False, True])
def test_torch_files_old_and_new_wrapped_or_not(tmp_path, state, wrap, old):
    torch.save(wrap(state), tmp_path / "w.pth", _use_new_zipfile_serialization=not old)
    assert same(read_state(tmp_path / "w.pth"), state)


def test_safetensors(tmp_path, state):
    safetensors.save_file(state, tmp_path / "w.safetensors")
    assert same(read_state(tmp_path / "w.safetensors"), state)


def test_a_program_gives_its_tensors(tmp_path, state):
    module = network().eval()
    module.load_state_dict(state)
    torch.jit.save(torch.jit.trace(module, torch.zeros(2, 3)), tmp_path / "w.pt")
    assert same(read_state(tmp_path / "w.pt"), state)


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('code from a file was run')",)


@pytest.mark.parametrize("name", ["w.pth", "w.pt"])
def test_code_in_a_file_is_not_run(tmp_path, state, name):
    torch.save({"state_dict": state, "hook": Evil()}, tmp_path / name)
    with pytest.raises(WeightsError, match="does not run"):
        read_state(tmp_path / name)
    (tmp_path / name).write_bytes(pickle.dumps(Evil()))
    with pytest.raises(WeightsError, match="does not run"):
        read_state(tmp_path / name)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_damaged_files_are_refused(tmp_path, state, name):
    file = tmp_path / name
    if name.endswith("pth"):
        torch.save(state, file)
    else:
        safetensors.save_file(state, file)
    whole = file.read_bytes()
    for content in (b"", b"<html>Quota exceeded</html>", whole[: len(whole) // 2]):
        file.write_bytes(content)
        with pytest.raises(WeightsError, match=r"w\.(pth|safetensors) cannot be read as weights"):
            read_state(file)


@pytest.mark.parametrize("name", ["w.pth", "w.safetensors"])
def test_what_was_downloaded_in_place_of_weights_is_named(tmp_path, name):
    file = tmp_path / name
    for content, says in (
        ("\n<!DOCTYPE html><html><title>Sign in</title></html>", "web page"),
        ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n", "git lfs pull"),
    ):
        file.write_text(content)
        with pytest.raises(WeightsError, match=says) as caught:
            read_state(file)
        assert "weights_only" not in str(caught.value)


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], torch.zeros(3)])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "w.pth")
    with pytest.raises(WeightsError, match="tensors"):
        read_state(tmp_path / "w.pth")


def test_everything_fits_and_is_loaded(state):
    module = network()
    load_strictly(module, state, origin="w.pth")
    assert same(module.state_dict(), state)


def test_counters_may_be_missing(state):
    module = network()
    del state["1.num_batches_tracked"]
    load_strictly(module, state, origin="w.pth")


def test_every_missing_unknown_and_misshapen_tensor_is_named(state):
    del state["1.weight"]
    state["head.bias"] = torch.zeros(2)
    state["0.weight"] = torch.zeros(4, 5)
    module = network()
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with pytest.raises(WeightsError) as caught:
        load_strictly(module, state, origin="w.pth")
    for word in (
        "w.pth",
        "1 missing: 1.weight",
        "1 unexpected: head.bias",
        "0.weight (4, 5) instead of (4, 3)",
    ):
        assert word in str(caught.value)
    assert same(module.state_dict(), before)


def test_values_that_are_not_finite_are_refused(state):
    state["0.bias"][1] = float("nan")
    with pytest.raises(WeightsError, match=r"not finite, in 0\.bias"):
        load_strictly(network(), state, origin="w.pth")


def test_random_weights_depend_on_the_seed_alone():
    torch.manual_seed(1)
    one = random_network(network, 3).state_dict()
    expected = torch.rand(1)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), expected)  # the generator was left as it was
    assert same(one, random_network(network, 3).state_dict())
    assert not same(one, random_network(network, 4).state_dict())
    assert one["1.running_var"].std() > 0
