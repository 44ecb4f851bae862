"""Other people's implementations, called as their manuals say: what tests compare memfeat with."""

from __future__ import annotations

import numpy as np
import skimage.feature


def scikit_image_hog(image: np.ndarray) -> np.ndarray:
    """HOG of an RGB image by scikit-image, with the parameters that memfeat uses."""
    return skimage.feature.hog(
        image,
        orientations=9,
        pixels_per_cell=(8, 8),
        cells_per_block=(2, 2),
        block_norm="L2-Hys",
        channel_axis=-1,
        feature_vector=True,
    )
