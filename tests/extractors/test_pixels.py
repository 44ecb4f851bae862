"""Resizing equals torchvision's and OpenCV's own."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from memfeat.extractors._pixels import exact_size, shortest_side, squashed


def image(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * 1000 + width).integers(0, 256, (height, width, 3), dtype=np.uint8)


@settings(max_examples=25, deadline=None)
@given(st.integers(20, 300), st.integers(20, 300), st.sampled_from(["bilinear", "bicubic"]))
def test_the_shortest_side_as_torchvision_resizes_images(height, width, interpolation):
    transforms = pytest.importorskip("torchvision.transforms", reason="needs the extra deep")
    from PIL import Image

    mode = transforms.InterpolationMode(interpolation)
    reference = transforms.Compose(
        [transforms.Resize(64, mode), transforms.CenterCrop(57), transforms.PILToTensor()]
    )
    pixels = image(height, width)
    expected = reference(Image.fromarray(pixels)).numpy()
    found = shortest_side(pixels, resize=64, crop=57, interpolation=interpolation)
    assert found.flags.c_contiguous
    assert np.array_equal(found, expected)


def test_the_canvas_is_opencvs():
    pixels = image(90, 160)
    expected = cv2.resize(pixels, (64, 64), interpolation=cv2.INTER_AREA)
    assert np.array_equal(squashed(pixels, size=64).transpose(1, 2, 0), expected)
    same = image(64, 64)
    assert np.array_equal(squashed(same, size=64).transpose(1, 2, 0), same)


@pytest.mark.parametrize("name", ["R3D_18", "S3D", "MViT_V2_S"])
def test_video_presets_are_torchvisions(name):
    torch = pytest.importorskip("torch", reason="needs the extra deep")
    video = pytest.importorskip("torchvision.models.video", reason="needs the extra deep")
    preset = getattr(video, f"{name}_Weights").KINETICS400_V1.transforms()
    frames = np.stack([image(240, 426), image(240, 426) // 2])
    expected = preset(torch.from_numpy(frames).permute(0, 3, 1, 2))  # (3, T, h, w), normalised
    resize = tuple(preset.resize_size) if len(preset.resize_size) == 2 else preset.resize_size[0]
    found = np.stack([exact_size(frame, resize=resize, crop=preset.crop_size[0]) for frame in frames], axis=1)
    mean, std = (np.array(v, np.float32)[:, None, None, None] for v in (preset.mean, preset.std))
    assert np.abs((found / np.float32(255) - mean) / std - expected.numpy()).max() < 1e-5
