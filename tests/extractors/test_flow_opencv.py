import itertools

import cv2
import numpy as np
import pytest
from clips import write_clip

from memfeat import extractors
from memfeat.measure import measure_video
from memfeat.video import open_video

pytest.importorskip("cv2.optflow")


def test_equals_direct_calls_of_opencv(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=3, size=(96, 96))
    with open_video(clip) as video:
        grays = [frame.gray.copy() for frame in video]
    solver = cv2.optflow.DualTVL1OpticalFlow_create()
    wanted = [np.linalg.norm(solver.calc(a, b, None), axis=2).mean() for a, b in itertools.pairwise(grays)]
    record = measure_video(clip, [extractors.get("flow-opencv")]).features["flow-opencv"]
    np.testing.assert_allclose(record.arrays["values"], wanted, rtol=1e-6)
    assert len(record.arrays["dt"]) == 2


def test_it_is_extracted_only_when_named():
    assert "flow-opencv" not in {extractor.name for extractor in extractors.select()[0]}
