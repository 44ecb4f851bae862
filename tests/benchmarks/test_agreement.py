"""The benchmark's plain code and memfeat give the same numbers, and its report says what was measured. No timing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyperf
import pytest

from benchmarks import __main__ as benchmark
from benchmarks import clips, compare, flow, frames, naive, page
from benchmarks.report import Check, Limit, Report, Row, number, plot, seconds
from memfeat import extractors
from memfeat.demo import make_demo
from memfeat.kernels.hog import hog
from memfeat.measure import measure_video
from memfeat.video import open_video

ROOT = Path(__file__).resolve().parents[2]
TOLERANCE = {"contrast": 1e-12, "brightness": 1e-12, "sharpness-fft": 1e-10, "blur-lps": 1e-9, "hog": 1e-6}


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> list[clips.Clip]:
    folder = tmp_path_factory.mktemp("clips")
    paths = sorted((make_demo(folder, clips=2) / "clips").glob("*.mp4"))
    return clips.prepare(paths, folder / "short", frames=3)


def test_cut_clips_have_frames_of_the_whole_at_its_rate(short: list[clips.Clip]) -> None:
    for clip in short:
        with open_video(clip.whole) as whole, open_video(clip.path) as cut:
            assert cut.header.rate == pytest.approx(whole.header.rate, rel=0.5)
            before = [frame.rgb for frame in whole]
            after = [frame.rgb for frame in cut]
        assert clip.frames == len(after) == 3
        assert np.array_equal(after[0], before[0])
        assert all(any(np.array_equal(frame, other) for other in before) for frame in after)


def test_a_cut_clip_has_frames_even_where_the_first_packets_give_none(
    shared_data: Path, tmp_path: Path
) -> None:
    # This one begins with packets before its edit list's start, which decode to nothing.
    made = clips.prepare([shared_data / "clips" / "vid1.mp4"], tmp_path, frames=2)
    assert made[0].frames > 0


def test_a_stage_that_fails_costs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(bench: object) -> list[Row]:
        raise RuntimeError("no such thing")

    monkeypatch.setattr(benchmark, "HERE", tmp_path)
    stages = {"first": broken, "second": lambda bench: [Row.of(comparison(), "a stage")]}
    monkeypatch.setattr(benchmark, "STAGES", stages)
    folder = make_demo(tmp_path / "demo", clips=2) / "clips"
    assert benchmark.main(["--quick", "--clips", str(folder), "--name", "trial"]) == 1
    assert [row.stage for row in Report.read(tmp_path / "results" / "trial" / "report.json").rows] == [
        "stage"
    ]
    shown = capsys.readouterr().err
    assert "RuntimeError: no such thing" in shown and shown.endswith("Failed, see above: first\n")


def test_plain_decoding_is_that_of_memfeat(short: list[clips.Clip]) -> None:
    assert [frames.differing(clip) for clip in short] == [0, 0]


def test_plain_descriptors_are_those_of_memfeat(short: list[clips.Clip]) -> None:
    wanted = [extractors.get(name) for name in (*naive.DESCRIPTORS, "flow")]
    plain = naive.measure(short[0].path, with_flow=True)
    features = measure_video(short[0].path, wanted).features
    assert plain.keys() == features.keys()
    assert plain["h264-size"] == features["h264-size"].arrays["values"]
    for name, tolerance in TOLERANCE.items():
        ours = features[name].arrays["mean" if name == "hog" else "values"]
        assert np.abs(plain[name] - ours).max() <= tolerance, name
    assert plain["flow"] == pytest.approx(features["flow"].arrays["values"], rel=0.01, abs=0.01)


def test_constructed_ties() -> None:
    image = frames.ties()
    if not image.any():
        pytest.skip("np.hypot is correctly rounded here: there are no ties")
    assert np.abs(hog(image) - naive.hog(image)).max() <= 1e-6


def test_pairs_are_ordinary_cuts_and_frozen_frames(short: list[clips.Clip]) -> None:
    found = clips.pairs(short, per_clip=2, cuts=1, stills=1, say=lambda text: None)
    assert [pair.kind for pair in found] == ["moving"] * 4 + ["cut", "still"]
    assert np.array_equal(found[-1].first, found[-1].second)
    assert not np.array_equal(found[-2].first, found[-2].second)


def test_noise_is_invisible(short: list[clips.Clip]) -> None:
    gray = clips.pairs(short[:1], per_clip=1, cuts=0, stills=0, say=lambda text: None)[0].first
    noisy = flow.disturbed(gray, np.random.default_rng(0))
    change = np.abs(noisy.astype(float) * 255 - gray)
    assert noisy.dtype == np.float32
    assert 0.5e-4 < change.mean() < 1.5e-4


def comparison() -> compare.Comparison:
    """A comparison with known times: ratios 2, 4 and 8, and a sum in which the second input weighs most."""
    made = compare.Comparison("stage", "frame", {"a": 1, "b": 10})
    for implementation, of_a, of_b in (("naive", [2.0, 4.0], [16.0]), ("memfeat", [1.0, 1.0], [2.0])):
        for name, times in (("a", of_a), ("b", of_b)):
            for each in times:
                made.add(implementation, name, compare.Time(each, 2 * each))
    return made


def test_ratios_are_of_pairs_and_of_sums() -> None:
    ratio = comparison().ratio()
    assert (ratio.first_quartile, ratio.median, ratio.third_quartile) == (3, 4, 6)
    assert ratio.summed == pytest.approx((2 + 4 + 160) / (1 + 1 + 20))
    assert comparison().mean("naive").cpu == pytest.approx((3 * 1 + 16 * 10) / 11)


def test_times_are_kept_for_pyperf(tmp_path: Path) -> None:
    file = tmp_path / "naive.json"
    compare.suite(comparison().benchmarks("naive"), {"machine": "some"}).dump(str(file))
    read = pyperf.BenchmarkSuite.load(str(file))
    assert read.get_benchmark_names() == ["stage", "stage (wall)"]
    assert sorted(read.get_benchmark("stage").get_values()) == [2, 4, 16]
    assert read.get_benchmark("stage (wall)").get_values() == (4, 8, 32)


def test_both_see_the_same_inputs_in_turn() -> None:
    calls: list[tuple[str, int]] = []

    def note(who: str) -> object:
        return lambda data: calls.append((who, data)) or sum(range(10_000))

    inputs = [compare.Input("one", 1), compare.Input("two", 2)]
    made = compare.interleave("stage", "call", inputs, note("naive"), note("memfeat"), rounds=2)
    timed = [("naive", 1), ("memfeat", 1), ("memfeat", 2), ("naive", 2), ("memfeat", 1), ("naive", 1)]
    assert calls[2:] == [*timed, ("naive", 2), ("memfeat", 2)]
    assert made.results == [(49_995_000, 49_995_000)] * 2


def test_a_report_survives_the_file_and_counts_what_it_missed(tmp_path: Path) -> None:
    row = (
        Row.of(comparison(), "a stage", limit=Limit(0.1, "why"))
        .at_least(5)
        .check("difference", 1e-9, "<=", 1e-6)
    )
    about = {"full": True, "machine": "m", "date": "d", "load": 0.0, "clips": "c", "versions": {"numpy": "2"}}
    Report(about, [row]).write(tmp_path / "report.json")
    read = Report.read(tmp_path / "report.json")
    assert read.rows == [row]
    assert read.missed() == ["stage: median ratio"]
    assert "1 of 2 targets met" in read.text()
    assert "| stage | frame |" in read.markdown()
    plot(read, tmp_path / "plot.svg")
    first = (tmp_path / "plot.svg").read_bytes()
    plot(read, tmp_path / "plot.svg")
    assert (tmp_path / "plot.svg").read_bytes() == first


def test_a_run_of_some_stages_keeps_the_others_of_an_earlier_one() -> None:
    about = {"full": True, "machine": "m", "clips": "c", "versions": {"numpy": "2"}}

    def report(*stages: str, **changed: object) -> Report:
        return Report({**about, **changed}, [Row(stage, "title", "frame") for stage in stages])

    def merged(now: Report, earlier: Report) -> tuple[list[str], object]:
        now.keep_others(earlier)
        return [row.stage for row in now.rows], now.about.get("apart")

    assert merged(report("b", "new"), report("a", "b")) == (["a", "b", "new"], ["b", "new"])
    assert merged(report("b", "new", "a"), report("a", "b")) == (["b", "new", "a"], None), "all of one run"
    assert merged(report("b"), report("a", "b", machine="other")) == (["b"], None)


@pytest.mark.parametrize(
    ("sign", "bound", "passed"),
    [(">=", 2, True), (">=", 3, False), ("<=", 1, False), ("==", 2, True), ("", None, None)],
)
def test_bounds(sign: str, bound: float | None, passed: bool | None) -> None:
    assert Check("what", 2.0, sign, bound).passed is passed
    assert not Check("what", float("nan"), sign or ">=", 0.0).passed


def test_numbers_are_short() -> None:
    assert [number(value) for value in (0, 12.345, 1234.5, 1e-6, 0.0025)] == [
        "0",
        "12.3",
        "1,234",
        "1e-6",
        "0.0025",
    ]
    assert [seconds(value) for value in (2.5, 0.0123, 45e-6, 3e-9)] == ["2.5 s", "12.3 ms", "45 µs", "3 ns"]


@pytest.mark.parametrize("name", page.SHOWN)
def test_the_manual_shows_the_committed_results(name: str) -> None:
    report = Report.read(page.RESULTS / name / "report.json")
    assert (page.PAGES / f"{name}.inc").read_text(encoding="utf-8") == report.markdown()
    assert (page.PAGES / f"{name}.svg").is_file()
