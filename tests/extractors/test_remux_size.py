import av
import numpy as np
from clips import write_clip, write_image

from memfeat import extractors
from memfeat.measure import measure_video


def size(path):
    return measure_video(path, [extractors.get("remux-size")]).features["remux-size"].arrays["values"]


def test_equals_the_sum_of_packets_without_the_sound(tmp_path):
    clip = write_clip(tmp_path / "clip.mp4", frames=12, audio=True)
    with av.open(str(clip)) as container:
        packets = sum(packet.size for packet in container.demux(video=0))
    assert size(clip) == packets
    assert size(clip) < clip.stat().st_size
    assert size(clip).dtype == np.float64


def test_an_image_weighs_its_file(tmp_path):
    image = write_image(tmp_path / "still.png")
    assert size(image) == image.stat().st_size
