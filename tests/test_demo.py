"""The embedded default: repeatable, varied independently, and labelled synthetic wherever it goes."""

from __future__ import annotations

import csv
import json

import numpy as np

from memfeat import demo, recipe


def test_the_amounts_vary_independently_of_one_another():
    drawn = demo.plan()
    assert len(drawn) == 60
    amounts = np.array(
        [[clip.speed, clip.zoom, clip.contrast, clip.brightness, clip.blur, clip.noise] for clip in drawn]
    )
    correlation = np.corrcoef(amounts.T) - np.eye(amounts.shape[1])
    assert np.abs(correlation).max() < 0.3


def test_the_score_follows_the_printed_formula():
    drawn = demo.plan(clips=400, seed=3)
    z = {
        name: (values - values.mean()) / values.std()
        for name in ("contrast", "blur", "brightness", "speed")
        for values in [np.array([getattr(clip, name) for clip in drawn])]
    }
    clean = 0.78 + 0.05 * z["contrast"] - 0.05 * z["blur"] + 0.03 * z["brightness"] - 0.04 * z["speed"]
    rest = np.array([clip.score for clip in drawn]) - clean
    assert abs(rest.mean()) < 0.01
    assert 0.025 < rest.std() < 0.035


def test_clips_are_made_once_and_repeatably(tmp_path):
    made = demo.make_demo(tmp_path / "one", clips=3)
    again = demo.make_demo(tmp_path / "two", clips=3)
    files = sorted((made / "clips").iterdir())
    assert len(files) == 3
    for file in files:
        assert file.read_bytes() == (again / "clips" / file.name).read_bytes()
    before = [file.stat().st_mtime_ns for file in files]
    demo.make_demo(tmp_path / "one", clips=3)
    assert [file.stat().st_mtime_ns for file in files] == before
    demo.make_demo(tmp_path / "one", clips=2)
    assert len(list((made / "clips").iterdir())) == 2


def test_clips_are_two_seconds_of_h264(tmp_path):
    import av

    root = demo.make_demo(tmp_path, clips=2, seed=5)
    for clip in demo.plan(clips=2, seed=5):
        with av.open(str(root / "clips" / clip.name)) as container:
            stream = container.streams.video[0]
            assert stream.codec_context.name == "h264"
            assert (stream.width, stream.height) == (clip.width, clip.height)
            assert sum(1 for _ in container.decode(stream)) == demo.SECONDS * clip.rate


def test_synthetic_is_said_everywhere(tmp_path):
    root = demo.make_demo(tmp_path, clips=1)
    with (root / "scores.csv").open() as lines:
        assert "synthetic" in next(csv.reader(lines))[1]
    assert "SYNTHETIC" in json.loads((root / "made-by-memfeat.json").read_text())["score"]
    shipped = recipe.load("demo")
    assert "SYNTHETIC" in shipped.note
    assert shipped.dataset.options()["synthetic"] is True
    assert shipped.fit.target == demo.TARGET


def test_clips_of_somebody_else_are_left_alone(tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "clip_of_my_own.mp4").write_bytes(b"x")
    demo.make_demo(tmp_path, clips=1)
    assert (tmp_path / "clips" / "clip_of_my_own.mp4").is_file()
