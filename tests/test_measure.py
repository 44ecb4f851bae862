"""One open and one decode feed every descriptor."""

from __future__ import annotations

import json

import av
import numpy as np
import pytest
from clips import truncated, write_clip, zeroed

from memfeat import extractors
from memfeat.errors import VideoError
from memfeat.measure import measure_video


def test_a_file_is_opened_once_for_all_descriptors(tmp_path, monkeypatch):
    clip = write_clip(tmp_path / "clip.mp4", frames=4)
    opened = []
    real = av.open

    def counting(file, *args, **kwargs):
        opened.append(file)
        return real(file, *args, **kwargs)

    monkeypatch.setattr(av, "open", counting)
    measure_video(clip, extractors.select()[0])
    assert len(opened) == 1


def test_header_counts_and_provenance_are_json(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=7, size=(64, 48), fps=10)
    measured = measure_video(clip, extractors.select(["contrast", "flow"])[0])
    video = json.loads(json.dumps(measured.video()))
    assert video["counts"]["decoded"] == video["header"]["frames"] == 7
    assert video["counts"]["damaged"] is False
    assert video["header"]["path"] == "clip.mp4"
    assert (video["header"]["width"], video["header"]["height"]) == (64, 48)
    provenance = json.loads(json.dumps(measured.features["contrast"].provenance))
    assert provenance["recipe"]["extractor"] == "contrast"
    assert set(provenance["environment"]["libraries"]) >= {"av", "numpy"}


def test_damage_is_counted_and_the_rest_measured(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=60, options={"movflags": "faststart"}, size=(128, 96))
    measured = measure_video(zeroed(clip), extractors.select(["contrast"])[0])
    assert measured.counts.damaged
    values = measured.features["contrast"].arrays["values"]
    assert len(values) == measured.counts.decoded > 0
    assert np.isfinite(values).all()


def test_nothing_to_decode_is_an_error(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=10)
    with pytest.raises(VideoError):
        measure_video(truncated(clip, fraction=0.1), extractors.select(["contrast"])[0])
