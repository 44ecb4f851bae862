"""What a video's features are does not depend on the videos beside it, the batch size, the order or the threads."""

from __future__ import annotations

import numpy as np
import pytest
from clips import truncated, write_audio_only, write_clip, write_empty, write_image
from tiny_networks import TinyClips, TinyImages

from memfeat.errors import SetupError

torch = pytest.importorskip("torch", reason="needs the extra deep")

NETWORKS = (TinyImages(), TinyImages("fml"), TinyClips(), TinyClips("windows3"))


def assert_close(one, other):
    assert one.keys() == other.keys()
    for name in one:
        assert one[name].keys() == other[name].keys()
        for feature, record in one[name].items():
            twin = other[name][feature]
            np.testing.assert_allclose(record.values, twin.values, rtol=1e-5, atol=1e-6)
            np.testing.assert_array_equal(record.times, twin.times)


def test_features_equal_those_of_each_video_alone_one_row_at_a_time(features_of, clip_files):
    alone = {}
    for file in clip_files:
        alone |= features_of([file], *NETWORKS, batch_size=1, threads=1)[0]
    assert_close(features_of(clip_files, *NETWORKS, batch_size=4)[0], alone)
    assert_close(features_of(clip_files[::-1], *NETWORKS, batch_size=5, threads=3)[0], alone)
    # 56 rows of the first network: with 11 the last batch has one.
    assert_close(features_of(clip_files, *NETWORKS, batch_size=11)[0], alone)
    assert_close(features_of(clip_files, *NETWORKS, batch_size=1000)[0], alone)


def test_the_same_run_gives_the_same_bits_whatever_the_threads(features_of, clip_files):
    one, two = (features_of(clip_files, *NETWORKS, threads=threads)[0] for threads in (1, 4))
    for name in one:
        for feature in one[name]:
            assert one[name][feature].values.tobytes() == two[name][feature].values.tobytes()


def test_one_row_per_frame_and_clip(features_of, clip_files):
    features, done = features_of(clip_files, *NETWORKS)
    assert {name: item.frames for name, item in done.items()} == {f"v{n}.mp4": 5 + n for n in range(7)}
    for n in range(7):
        shapes = {name: record.values.shape for name, record in features[f"v{n}.mp4"].items()}
        assert shapes == {
            "tiny-images": (5 + n, 6),
            "tiny-images-fml": (3, 6),
            "tiny-clips": (1, 5),
            "tiny-clips-windows3": ((5 + n) // 3, 5),
        }


def test_three_of_many_are_the_rows_of_those_frames(features_of, clip_files):
    features, _ = features_of(clip_files, TinyImages(), TinyImages("fml"))
    for name, of in features.items():
        count = len(of["tiny-images"].values)
        picked = of["tiny-images"].values[[0, count // 2, count - 1]]
        np.testing.assert_allclose(of["tiny-images-fml"].values, picked, rtol=1e-5, atol=1e-6, err_msg=name)


def test_bad_files_are_problems_of_their_own(features_of, clip_files, tmp_path):
    bad = [
        write_empty(tmp_path / "empty.mp4"),
        write_audio_only(tmp_path / "sound.mp4"),
        truncated(clip_files[3], to=tmp_path / "cut.mp4", fraction=0.3),
    ]
    one = write_image(tmp_path / "one.png")
    mixed = [bad[0], *clip_files[:3], bad[1], one, *clip_files[3:], bad[2]]
    features, done = features_of(mixed, *NETWORKS)
    good, _ = features_of(clip_files, *NETWORKS)
    assert_close({name: of for name, of in features.items() if name in good}, good)
    assert done["empty.mp4"].problem.kind == "EmptyFile"
    assert done["sound.mp4"].problem.kind == "NoVideoStream"
    assert done["cut.mp4"].problem is not None
    assert features["one.png"]["tiny-clips"].status == "not_applicable"
    assert features["one.png"]["tiny-images-fml"].values.shape == (3, 6)
    assert (np.diff(features["one.png"]["tiny-images-fml"].times) > 0).all()


def limited(runner, most: int, monkeypatch, error=None):
    """Give a runner memory for `most` rows at a time."""
    rows = runner._rows

    def tight(pixels):
        if len(pixels) > most:
            raise error or torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return rows(pixels)

    monkeypatch.setattr(runner, "_rows", tight)


def test_batches_that_do_not_fit_are_halved(features_of, runners_of, clip_files, monkeypatch):
    plain, _ = features_of(clip_files, *NETWORKS, batch_size=8)
    runners = runners_of(*NETWORKS, batch_size=8)
    limited(runners[0], 3, monkeypatch)
    limited(
        runners[2], 1, monkeypatch, RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory")
    )
    features, done = features_of(clip_files, runners=runners)
    assert_close(features, plain)
    assert not any(item.problems for item in done.values())


def test_a_clip_that_does_not_fit_is_a_problem_of_its_video(features_of, runners_of, clip_files, monkeypatch):
    runners = runners_of(TinyImages(), TinyClips(), batch_size=4)
    rows = runners[1]._rows

    def tight(pixels):
        if len(pixels) * pixels[0].shape[1] > 9:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        return rows(pixels)

    monkeypatch.setattr(runners[1], "_rows", tight)
    features, done = features_of(clip_files, runners=runners)
    assert {name for name, item in done.items() if item.problems} == {"v5.mp4", "v6.mp4"}
    problem = done["v6.mp4"].problems[1]
    assert problem.kind == "OutOfMemory"
    assert "One clip of 11 frames" in problem.message
    assert "tiny-clips with -windows32" in problem.message
    assert set(features["v6.mp4"]) == {"tiny-images"}
    assert set(features["v4.mp4"]) == {"tiny-images", "tiny-clips"}


def test_a_device_without_room_for_a_frame_ends_the_run(features_of, runners_of, clip_files, monkeypatch):
    runners = runners_of(TinyImages(), TinyClips())
    limited(runners[0], 0, monkeypatch)
    with pytest.raises(
        SetupError, match="no memory for a single frame of tiny-images-random3 beside the other"
    ):
        features_of(clip_files, runners=runners)


def test_what_a_network_cannot_do_with_a_shape_is_a_problem_of_those_videos(features_of, clip_files):
    class Deep(TinyClips):
        def build(self):
            return torch.nn.Sequential(torch.nn.AvgPool3d((8, 1, 1), stride=1), super().build())

    _, done = features_of(clip_files, Deep(), TinyImages())
    assert {name for name, item in done.items() if item.problems} == {"v0.mp4", "v1.mp4", "v2.mp4", "v3.mp4"}
    problem = done["v0.mp4"].problems[0]
    assert problem.kind == "Unexpected"
    assert "Traceback" in problem.details
    assert all(len(item.records) == 2 - len(item.problems) for item in done.values())


def test_stopping_finishes_what_is_decoded_and_lets_go_of_the_rest(features_of, tmp_path):
    files = [write_clip(tmp_path / f"w{n:02}.mp4", frames=4, seed=n) for n in range(40)]
    whole, _ = features_of(files, TinyImages())
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    features, done = features_of(files, TinyImages(), stop=stop, batch_size=64)
    assert len(done) == 5
    assert_close(features, {name: whole[name] for name in features})


def test_frames_looked_at_are_counted(features_of, clip_files):
    seen = []
    features_of(clip_files, TinyImages("fml"), TinyClips("windows3"), on_frames=seen.append)
    assert sum(seen) == 7 * 3 + 3 * sum((5 + n) // 3 for n in range(7))


def test_jobs_with_nothing_to_do_are_finished_without_records(runners_of):
    from memfeat.extraction.deep.engine import process

    class Present:
        def begin(self):
            return None

    jobs = [Present(), Present()]
    done = list(process(jobs, runners_of(TinyImages()), threads=1))
    assert [item.job for item in done] == jobs
    assert all((item.reading, item.records, item.problem) == (None, [], None) for item in done)
