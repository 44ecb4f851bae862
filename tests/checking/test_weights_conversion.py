"""A converted file holds the same tensors under the network's own names, and nothing else."""

from __future__ import annotations

import pytest
from tiny_weights import Published, only_tiny, released

from memfeat.checking.weights_conversion import convert
from memfeat.errors import UsageError, WeightsError

torch = pytest.importorskip("torch", reason="needs the extra deep")


@pytest.fixture(autouse=True)
def _tiny(tmp_path, monkeypatch):
    only_tiny(monkeypatch, tmp_path)


def test_tensors_are_kept_bit_by_bit(tmp_path):
    from safetensors import safe_open

    from memfeat.weights.lookup import sha256
    from memfeat.weights.states import load_strictly, random_network, read_state

    file = released(tmp_path / "w.pth", seed=3)
    done = convert(file, Published(), tmp_path / "w.safetensors")
    expected = random_network(Published().build, 3).state_dict()
    state = read_state(done.file)
    assert set(state) == {name for name in expected if "num_batches" not in name}
    assert done.tensors == len(state)
    assert done.bytes == done.file.stat().st_size
    assert all(torch.equal(state[name], expected[name]) for name in state)
    module = Published().build()
    load_strictly(module, Published().own_names(state), origin="test")
    with safe_open(done.file, "pt") as opened:
        assert opened.metadata()["from_sha256"] == sha256(file)
        assert opened.metadata()["network"] == "tiny-images"
    again = convert(done.file, Published(), tmp_path / "again.safetensors")
    assert {n: t.tolist() for n, t in read_state(again.file).items()} == {
        n: t.tolist() for n, t in state.items()
    }


def test_half_precision_becomes_float32(tmp_path):
    state = torch.load(released(tmp_path / "w.pth"), weights_only=True)["state_dict"]
    half = {name: t.half() if t.is_floating_point() else t for name, t in state.items()}
    torch.save(half, tmp_path / "half.pth")
    from memfeat.weights.states import read_state

    written = read_state(convert(tmp_path / "half.pth", Published(), tmp_path / "w.safetensors").file)
    for name, tensor in written.items():
        assert tensor.dtype == torch.float32
        assert torch.equal(tensor, half[f"module.{name}"].float())


def test_weights_of_another_network_leave_nothing(tmp_path):
    file = released(tmp_path / "w.pth", **{"module.extra": torch.zeros(2)})
    with pytest.raises(WeightsError, match="1 unexpected: extra"):
        convert(file, Published(), tmp_path / "w.safetensors")
    assert {path.name for path in tmp_path.iterdir()} == {"w.pth"}


@pytest.mark.parametrize(
    ("out", "says"),
    [
        ("w.pth", "must end in .safetensors"),
        ("no/w.safetensors", "no folder"),
        ("there.safetensors", "exists"),
    ],
)
def test_places_to_which_nothing_can_be_written(tmp_path, out, says):
    file = released(tmp_path / "w.pth")
    (tmp_path / "there.safetensors").write_bytes(b"mine")
    with pytest.raises(UsageError, match=says):
        convert(file, Published(), tmp_path / out)
    assert (tmp_path / "there.safetensors").read_bytes() == b"mine"


def test_no_file_to_convert(tmp_path):
    with pytest.raises(UsageError, match="no file"):
        convert(tmp_path / "w.pth", Published(), tmp_path / "w.safetensors")
