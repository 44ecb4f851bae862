"""The embedded default: real H.264 clips from photographs that ship with scikit-image, with a made-up score.

Every clip shows one photograph that is panned, zoomed, dimmed, flattened in contrast, blurred and made noisy. The
amounts come from a Latin hypercube, so motion, contrast, brightness and sharpness vary independently of one another.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

PHOTOGRAPHS = ("astronaut", "brick", "camera", "chelsea", "coffee", "coins", "hubble_deep_field", "rocket")
SECONDS = 2
TARGET = "memorability_synthetic"
FORMULA = (
    "score = .78 + .05 z(contrast) - .05 z(blur) + .03 z(brightness) - .04 z(speed) + .03 e, clipped to [0, 1]; "
    "z: the amount scaled to mean 0 and deviation 1 over the set; e: standard normal noise"
)
_RATES = (12, 15, 20)
# At other sizes x264 reads beyond the picture: its bytes then change from run to run.
_SIZES = ((256, 256), (384, 256), (256, 384))
_RANGES = {
    "speed": (0.0, 60.0),
    "zoom": (-0.1, 0.1),
    "contrast": (0.35, 1.0),
    "brightness": (-50.0, 50.0),
    "blur": (0.0, 4.0),
    "noise": (0.0, 10.0),
}
_MARKER = "made-by-memfeat.json"
_OWN_NAME = re.compile(rf"clip_\d{{3,}}_({'|'.join(PHOTOGRAPHS)})\.mp4")

Image = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class ClipPlan:
    """How one clip is made."""

    name: str
    photograph: str
    rate: int
    width: int
    height: int
    angle: float
    """Direction of the pan, radians."""
    speed: float
    """Pixels per second."""
    zoom: float
    """Relative growth per second."""
    contrast: float
    """Factor on the distance from mid-grey."""
    brightness: float
    """Grey levels added."""
    blur: float
    """Standard deviation of the Gaussian, pixels."""
    noise: float
    """Standard deviation of the added noise, grey levels."""
    score: float
    """Made up by `FORMULA`."""


def plan(*, clips: int = 60, seed: int = 0) -> list[ClipPlan]:
    """Draw how each clip is made and what its synthetic score is.

    Examples
    --------
    >>> drawn = plan(clips=4, seed=0)
    >>> [clip.name for clip in drawn][:2]
    ['clip_000_astronaut.mp4', 'clip_001_brick.mp4']
    >>> drawn == plan(clips=4, seed=0)
    True
    """
    from scipy.stats import qmc

    generator = np.random.default_rng(seed)
    unit = qmc.LatinHypercube(d=len(_RANGES), rng=np.random.default_rng(seed)).random(clips)
    amounts = {
        name: low + (high - low) * unit[:, column]
        for column, (name, (low, high)) in enumerate(_RANGES.items())
    }
    z = {name: (values - values.mean()) / (values.std() or 1.0) for name, values in amounts.items()}
    noise = generator.standard_normal(clips)
    score = (
        0.78
        + 0.05 * z["contrast"]
        - 0.05 * z["blur"]
        + 0.03 * z["brightness"]
        - 0.04 * z["speed"]
        + 0.03 * noise
    )
    score = np.clip(score, 0.0, 1.0)
    angles = generator.uniform(0, 2 * np.pi, clips)
    plans = []
    for number in range(clips):
        photograph = PHOTOGRAPHS[number % len(PHOTOGRAPHS)]
        width, height = _SIZES[int(generator.integers(len(_SIZES)))]
        plans.append(
            ClipPlan(
                name=f"clip_{number:03}_{photograph}.mp4",
                photograph=photograph,
                rate=int(generator.choice(_RATES)),
                width=width,
                height=height,
                angle=float(angles[number]),
                score=round(float(score[number]), 6),
                **{name: float(values[number]) for name, values in amounts.items()},
            )
        )
    return plans


def render(clip: ClipPlan, *, seed: int = 0) -> list[Image]:
    """Return the frames of a clip, uint8 RGB (height, width, 3)."""
    import cv2

    generator = np.random.default_rng([seed, *clip.name.encode()])
    photograph = _photograph(clip.photograph)
    height, width = photograph.shape[:2]
    fit = 1.25 * max(clip.width / width, clip.height / height)
    frames = []
    for number in range(SECONDS * clip.rate):
        elapsed = number / clip.rate
        scale = fit * (1 + clip.zoom * elapsed)
        x = clip.speed * elapsed * np.cos(clip.angle)
        y = clip.speed * elapsed * np.sin(clip.angle)
        matrix = np.array(
            [
                [scale, 0, clip.width / 2 - scale * width / 2 - x],
                [0, scale, clip.height / 2 - scale * height / 2 - y],
            ]
        )
        view = cv2.warpAffine(
            photograph,
            matrix,
            (clip.width, clip.height),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REFLECT,
        )
        if clip.blur > 0.05:
            view = cv2.GaussianBlur(view, (0, 0), clip.blur)
        light = (view.astype(np.float32) - 127.5) * clip.contrast + 127.5 + clip.brightness
        light += generator.normal(0.0, clip.noise, light.shape).astype(np.float32)
        frames.append(np.clip(np.rint(light), 0, 255).astype(np.uint8))
    return frames


def make_demo(
    root: str | Path, *, clips: int = 60, seed: int = 0, on_clip: Callable[[], None] | None = None
) -> Path:
    """Write the clips and the table of synthetic scores below `root`.

    What is there already, made with the same seed and number, is kept.

    Parameters
    ----------
    root
        Folder that gets ``clips/*.mp4``, ``scores.csv`` and a note on how they were made.
    clips
        Number of clips, each of two seconds.
    seed
        Seed of everything drawn at random.
    on_clip
        Called after each clip.

    Returns
    -------
    Path
        The folder `root`.
    """
    root = Path(root)
    folder = root / "clips"
    folder.mkdir(parents=True, exist_ok=True)
    plans = plan(clips=clips, seed=seed)
    made = {
        "seed": seed,
        "seconds": SECONDS,
        "score": f"SYNTHETIC: {FORMULA}",
        "clips": [asdict(clip) for clip in plans],
    }
    marker = root / _MARKER
    same = marker.is_file() and _read(marker) == json.loads(json.dumps(made))
    for clip in plans:
        file = folder / clip.name
        if not (same and file.is_file()):
            _encode(render(clip, seed=seed), clip.rate, file)
        if on_clip is not None:
            on_clip()
    for other in folder.glob("clip_*.mp4"):
        # Only what an earlier call made: the folder may hold clips of somebody else's.
        if _OWN_NAME.fullmatch(other.name) and other.name not in {clip.name for clip in plans}:
            other.unlink()
    with (root / "scores.csv").open("w", newline="", encoding="utf-8") as lines:
        writer = csv.writer(lines)
        writer.writerow(["video", TARGET])
        writer.writerows([clip.name, clip.score] for clip in plans)
    marker.write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    return root


def _read(marker: Path) -> Any:
    try:
        return json.loads(marker.read_text(encoding="utf-8"))
    except json.JSONDecodeError:
        return None


def _photograph(name: str) -> Image:
    import skimage.data

    image = np.asarray(getattr(skimage.data, name)())
    return np.dstack([image] * 3) if image.ndim == 2 else image[..., :3]


def _encode(frames: list[Image], rate: int, file: Path) -> None:
    import av

    temporary = file.with_name(f".{file.name}.tmp")
    with av.open(str(temporary), "w", format="mp4") as container:
        stream: Any = container.add_stream("libx264", rate=rate, options={"crf": "23", "preset": "medium"})
        stream.width, stream.height, stream.pix_fmt = frames[0].shape[1], frames[0].shape[0], "yuv420p"
        stream.codec_context.thread_count = 1
        for number, image in enumerate(frames):
            picture = av.VideoFrame.from_ndarray(image, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    temporary.replace(file)
