"""What a network returns is what torch computes by hand, whatever the batch."""

from __future__ import annotations

import numpy as np
import pytest
from tiny_networks import TinyClips, TinyImages

from memfeat.errors import SetupError
from memfeat.network_extractor import Settings
from memfeat.weights.choice import Choice

torch = pytest.importorskip("torch", reason="needs the extra deep")

from memfeat.extraction.deep.runner import exact_float32


def pixels(count: int, shape: tuple[int, ...] = (3, 24, 24), seed: int = 0):
    return list(np.random.default_rng(seed).integers(0, 256, (count, *shape), dtype=np.uint8))


def rows(runner, given):
    return runner.collect(runner.launch(given))


def by_hand(runner, given):
    module = runner.wanted.load().eval()
    shape = (-1, *([1] * (given[0].ndim - 1)))
    mean = torch.tensor(runner.wanted.network.mean).reshape(shape)
    std = torch.tensor(runner.wanted.network.std).reshape(shape)
    with torch.no_grad():
        one_by_one = [module(((torch.from_numpy(p) / 255 - mean) / std)[None])[0] for p in given]
    return torch.stack(one_by_one).numpy()


@pytest.mark.parametrize(("network", "shape"), [(TinyImages(), (3, 24, 24)), (TinyClips(), (3, 5, 16, 16))])
def test_rows_equal_those_of_one_frame_at_a_time(runners_of, network, shape):
    (runner,) = runners_of(network)
    given = pixels(9, shape)
    np.testing.assert_allclose(rows(runner, given), by_hand(runner, given), rtol=1e-5, atol=1e-6)
    assert rows(runner, given).dtype == np.float32


def test_a_row_does_not_depend_on_its_batch(runners_of):
    (runner,) = runners_of(TinyImages())
    given = pixels(12)
    whole = rows(runner, given)
    for size in (1, 2, 5, 11):
        parts = np.concatenate([rows(runner, given[k : k + size]) for k in range(0, 12, size)])
        np.testing.assert_allclose(parts, whole, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rows(runner, given[::-1])[::-1], whole, rtol=1e-5, atol=1e-6)


def test_the_same_batch_gives_the_same_bits(runners_of):
    given = pixels(7)
    one, two = (rows(runners_of(TinyImages())[0], given) for _ in range(2))
    assert one.tobytes() == two.tobytes()


def test_nothing_is_learned(runners_of):
    (runner,) = runners_of(TinyImages())
    before = {name: value.clone() for name, value in runner._module.state_dict().items()}
    rows(runner, pixels(6))
    assert all(torch.equal(value, before[name]) for name, value in runner._module.state_dict().items())
    assert not any(parameter.requires_grad for parameter in runner._module.parameters())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_reduced_precision_is_measured_against_float32(runners_of, precision):
    (exact,) = runners_of(TinyImages())
    (reduced,) = runners_of(TinyImages(), settings=Settings(choice=Choice(seed=3), precision=precision))
    assert exact.wanted.key != reduced.wanted.key
    given = pixels(20)
    got = rows(reduced, given)
    assert got.dtype == np.float32
    apart = np.linalg.norm(got - rows(exact, given), axis=1) / np.linalg.norm(rows(exact, given), axis=1)
    assert 0 < apart.max() < 0.05
    assert reduced.deviation["relative"] == pytest.approx(apart[:16].max(), rel=1e-3)
    assert reduced.provenance()["deviation_from_float32"]["rows"] == 16
    first = dict(reduced.deviation)
    rows(reduced, pixels(3, seed=1))
    assert reduced.deviation == first
    assert "deviation_from_float32" not in exact.provenance()


def test_provenance_says_how(runners_of):
    (runner,) = runners_of(TinyImages(), batch_size=5)
    said = runner.provenance()
    assert said["torch"] == torch.__version__
    assert (said["precision"], said["batch_size"], said["compile"]) == ("float32", 5, False)
    assert said["device"]


def test_batches_suit_the_device_unless_told(runners_of):
    (images, clips) = runners_of(TinyImages(), TinyClips())
    assert images.batch_size((3, 24, 24)) == 16
    assert clips.batch_size((3, 16, 16, 16)) == 2
    assert clips.batch_size((3, 900, 16, 16)) == 1
    assert runners_of(TinyClips(), batch_size=7)[0].batch_size((3, 900, 16, 16)) == 7


def test_a_network_that_returns_something_else_is_named(runners_of):
    class Squeezed(TinyImages):
        def build(self):
            return torch.nn.Sequential(super().build(), torch.nn.Flatten(0))

    (runner,) = runners_of(Squeezed())
    with pytest.raises(SetupError, match=r"tiny-images returns \(12,\), and \(2, 6\) was expected"):
        runner.launch(pixels(2))


def test_a_failed_device_is_said_and_memory_is_left_to_the_caller(runners_of, monkeypatch):
    (runner,) = runners_of(TinyImages())

    def fail_with(text):
        def forward(batch):
            raise RuntimeError(text)

        monkeypatch.setattr(runner, "_forward", forward)

    fail_with("CUDA error: an illegal memory access was encountered")
    with pytest.raises(SetupError, match="nvidia-smi"):
        runner.launch(pixels(1))
    fail_with("CUDA out of memory. Tried to allocate 2 GiB")
    with pytest.raises(RuntimeError, match="out of memory"):
        runner.launch(pixels(1))
    fail_with("Current CUDA Device does not support bfloat16. Please switch dtype to float16.")
    with pytest.raises(
        SetupError, match="does not know bf16.*Use --precision fp16 or float32 for tiny-images"
    ):
        runner.launch(pixels(1))


def test_memory_that_runs_out_late_is_a_setup_error(runners_of):
    class Late:
        def result(self):
            raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")

    (runner,) = runners_of(TinyImages())
    with pytest.raises(SetupError, match="smaller --batch-size"):
        runner.collect(Late())


def test_exact_float32_puts_back_what_was_there():
    owner = getattr(torch.backends.cudnn, "conv", None)
    name = "fp32_precision" if owner is not None else "allow_tf32"
    owner = owner or torch.backends.cudnn
    before = getattr(owner, name)
    with exact_float32():
        assert getattr(owner, name) in ("ieee", False)
    assert getattr(owner, name) == before


def test_on_a_gpu_rows_are_those_of_the_cpu(runners_of, wanted_of):
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    from memfeat.extraction.deep.runner import Runner

    for network, shape in ((TinyImages(), (3, 24, 24)), (TinyClips(), (3, 5, 16, 16))):
        (cpu,) = runners_of(network)
        gpu = Runner(wanted_of(network)[0], "cuda:0")
        given = pixels(9, shape)
        with exact_float32():
            np.testing.assert_allclose(rows(gpu, given), rows(cpu, given), rtol=1e-4, atol=1e-5)


def test_compiling_is_torch_s_and_its_failure_has_a_remedy(runners_of, monkeypatch):
    def broken(batch):
        error = type("InductorError", (RuntimeError,), {"__module__": "torch._inductor.exc"})
        raise error("no working C++ compiler found")

    given = pixels(3)
    plain = rows(runners_of(TinyImages())[0], given)
    compiled = []
    monkeypatch.setattr(torch, "compile", lambda module: compiled.append(module) or module)
    (runner,) = runners_of(TinyImages(), compile=True)
    assert compiled == [runner._module]
    np.testing.assert_array_equal(rows(runner, given), plain)
    assert runner.provenance()["compile"]
    monkeypatch.setattr(runner, "_forward", broken)
    with pytest.raises(
        SetupError, match="compiled here .no working C.. compiler found.. Leave --compile out"
    ):
        runner.launch(given)
