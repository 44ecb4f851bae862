"""Models of images used on videos: frames are scored one by one, and their scores averaged."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, RegressorMixin, clone
from sklearn.linear_model import Ridge
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array, check_is_fitted, has_fit_parameter, validate_data

Array = npt.NDArray[Any]
Float64 = npt.NDArray[np.float64]
_CHECKS: dict[str, Any] = {"dtype": [np.float64, np.float32], "ensure_all_finite": "allow-nan"}


class MeanOfFrames(RegressorMixin, BaseEstimator):  # type: ignore[misc]
    """Fits a regressor on frames that each carry their video's score, and predicts the mean over frames.

    This is how VideoMem's authors use image models: seven frames per video, one per second.

    Parameters
    ----------
    regressor
        Any scikit-learn regressor or pipeline; it sees one frame per row, so a scaler in it scales frames.
        None is scikit-learn's ``Ridge``.
    width
        Numbers per frame, D. A row of X is a video's frames side by side, F x D, where videos with fewer
        frames are filled up with NaN: a frame of NaN alone does not exist. None takes a row as one frame.

    Attributes
    ----------
    regressor_ : estimator
        The fitted copy.
    n_frames_ : int
        Frames it was fitted on, of all videos together.

    References
    ----------
    Cohendet, R., Demarty, C.-H., Duong, N. Q. K. and Engilberge, M. (2019), VideoMem, ICCV, section 5.

    Examples
    --------
    >>> X = np.array([[0.0, 1.0, 2.0], [4.0, np.nan, np.nan]])  # three frames of one number, and one
    >>> model = MeanOfFrames(Ridge(alpha=1e-9), width=1).fit(X, [0.3, 0.7])
    >>> model.n_frames_, np.round(model.predict(X), 3).tolist()
    (4, [0.323, 0.631])
    """

    def __init__(self, regressor: Any = None, *, width: int | None = None) -> None:
        self.regressor = regressor
        self.width = width

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, groups: npt.ArrayLike | None = None) -> Self:
        """Fit the regressor on the frames of X, shape (n, F D), with the scores y, shape (n,), repeated.

        A regressor that makes folds of its own, and takes ``groups`` for it, is told which frames belong together:
        those of one video, or of videos of equal `groups`, shape (n,).

        Raises
        ------
        ValueError
            Columns that are no multiple of `width`, a video without a frame, a frame of which only a part is
            NaN, or infinite values.
        """
        rows, scores = validate_data(self, X, y, y_numeric=True, **_CHECKS)
        frames, videos = self._frames(rows)
        regressor = Ridge() if self.regressor is None else clone(self.regressor)
        together = videos if groups is None else np.asarray(groups)[videos]
        self.regressor_ = regressor.fit(frames, np.asarray(scores)[videos], **fit_groups(regressor, together))
        self.n_frames_ = len(frames)
        return self

    def predict(self, X: npt.ArrayLike, **keywords: Any) -> Float64:
        """Return the mean prediction over each video's frames, shape (n,).

        With a `width`, rows may hold more or fewer frames than those it was fitted on. `keywords` are handed to
        the regressor's ``predict``, which must still give one number per frame.

        Raises
        ------
        ValueError
            As in `fit`, frames of another width, or a deviation is asked for: what the errors of a video's frames
            have in common is not known.
        """
        check_is_fitted(self)
        if keywords.get("return_std") or keywords.get("return_cov"):
            raise ValueError("A mean over frames has no predictive deviation.")
        # Only frames have a width that must stay; how many of them a row holds may change.
        if self.width is None:
            rows = validate_data(self, X, reset=False, **_CHECKS)
        else:
            rows = check_array(X, estimator=self, **_CHECKS)
        frames, videos = self._frames(rows)
        scores = np.asarray(self.regressor_.predict(frames, **keywords), np.float64)
        return np.asarray(np.bincount(videos, weights=scores) / np.bincount(videos))

    def _frames(self, X: Array) -> tuple[Array, npt.NDArray[np.intp]]:
        """Return the frames that exist, shape (frames, D), and the row of X that each one is of."""
        width = X.shape[1] if self.width is None else self.width
        if int(width) != width or width < 1 or X.shape[1] % width:
            raise ValueError(f"{X.shape[1]} columns are no whole number of frames of width {self.width!r}.")
        frames = X.reshape(len(X), -1, int(width))
        absent = np.isnan(frames)
        exists = np.asarray(~absent.all(axis=2))
        partial = np.asarray((absent.any(axis=2) & exists).any(axis=1))
        if partial.any():
            row = int(np.flatnonzero(partial)[0])
            raise ValueError(
                f"Input X contains NaN in a part of a frame (row {row}); only a frame of NaN alone is absent."
            )
        if not exists.any(axis=1).all():
            row = int(np.flatnonzero(~exists.any(axis=1))[0])
            raise ValueError(f"Input X contains NaN alone in row {row}: a video without a frame.")
        return frames[exists], np.nonzero(exists)[0]

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.width is not None
        # What one number of many tells of a score is little, and that is how scikit-learn's checks look at it.
        tags.regressor_tags.poor_score = self.width is not None
        return tags


def fit_groups(regressor: Any, groups: Array) -> dict[str, Any]:
    """Return the keywords of ``fit`` that tell a regressor, or the last step of a pipeline, which rows belong together.

    >>> fit_groups(Ridge(), np.array([0, 0, 1]))
    {}
    """
    name, final = regressor.steps[-1] if isinstance(regressor, Pipeline) else ("", regressor)
    if not has_fit_parameter(final, "groups"):
        return {}
    return {f"{name}__groups" if name else "groups": groups}
