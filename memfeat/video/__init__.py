"""Videos and images as frames with times: one file, one pass."""

from memfeat.video.frame import Frame
from memfeat.video.header import IMAGE_SUFFIXES, MAX_PIXELS, VIDEO_SUFFIXES, DecodeCounts, VideoHeader
from memfeat.video.reader import Video, open_video

__all__ = [
    "IMAGE_SUFFIXES",
    "MAX_PIXELS",
    "VIDEO_SUFFIXES",
    "DecodeCounts",
    "Frame",
    "Video",
    "VideoHeader",
    "open_video",
]
