from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from memfeat.estimators.similarity.class_prototypes import ClassPrototypes

CLASSES = [("run",)] * 30 + [("run", "jump")] * 20 + [("cook", "cook")] * 30 + [()] * 5 + [("sing",)] * 5


def test_it_is_the_distance_from_each_class_mean(videos: np.ndarray) -> None:
    context = ClassPrototypes(scale=False).fit(videos[:90], classes=CLASSES)
    pca = PCA(10, whiten=True, svd_solver="randomized", random_state=0).fit(videos[:90])
    scores = pca.transform(videos[:90])
    means = np.array([scores[50:80].mean(axis=0), scores[30:50].mean(axis=0), scores[:50].mean(axis=0)])
    np.testing.assert_allclose(context.transform(videos), cdist(pca.transform(videos), means), atol=1e-6)
    assert context.get_feature_names_out().tolist() == ["cook", "jump", "run"] == context.classes_


def test_which_classes_are_used_is_told(videos: np.ndarray) -> None:
    context = ClassPrototypes(21).fit(videos[:90], classes=CLASSES)
    assert dict(zip(context.classes_, context.counts_, strict=True)) == {"cook": 30, "run": 50}
    assert context.left_out_ == {"jump": 20, "sing": 5}
    assert len(ClassPrototypes(1).fit(videos[:90], classes=CLASSES).classes_) == 4


def test_a_column_of_texts_and_bare_labels_say_the_same(videos: np.ndarray) -> None:
    expected = ClassPrototypes(5).fit_transform(videos[:90], classes=CLASSES)
    column = np.empty((90, 1), dtype=object)
    column[:, 0] = CLASSES
    np.testing.assert_array_equal(ClassPrototypes(5).fit_transform(videos[:90], classes=column), expected)
    np.testing.assert_array_equal(
        ClassPrototypes(5).fit(videos[:90], classes=column[:, 0]).transform(videos[:90]), expected
    )
    halves = ["a"] * 45 + ["b"] * 45
    np.testing.assert_array_equal(
        ClassPrototypes().fit_transform(videos[:90], classes=halves),
        ClassPrototypes().fit_transform(videos[:90], classes=[(label,) for label in halves]),
    )


def test_scores_are_no_classes(videos: np.ndarray) -> None:
    with pytest.raises(ValueError, match="needs classes"):
        ClassPrototypes().fit(videos, np.linspace(0, 1, 120))
    expected = ClassPrototypes().fit_transform(videos[:90], classes=CLASSES)
    with_scores = ClassPrototypes().fit_transform(videos[:90], np.linspace(0, 1, 90), classes=CLASSES)
    np.testing.assert_array_equal(with_scores, expected)


def test_one_entry_per_row(videos: np.ndarray) -> None:
    with pytest.raises(ValueError, match="90 entries for 120 rows"):
        ClassPrototypes().fit(videos, classes=CLASSES)


def test_without_a_large_enough_class_there_is_nothing_to_be_near_to(videos: np.ndarray) -> None:
    with pytest.raises(ValueError, match="4 classes among 90 rows, the largest with 50"):
        ClassPrototypes(51).fit(videos[:90], classes=CLASSES)
    with pytest.raises(ValueError, match="0 classes among 90 rows, the largest with 0"):
        ClassPrototypes().fit(videos[:90], classes=[()] * 90)


def test_densities_of_classes(videos: np.ndarray) -> None:
    context = ClassPrototypes(distance="kde").fit(videos[:90], classes=CLASSES)
    assert [len(members) for members in context.members_] == context.counts_ == [30, 20, 50]
    assert np.isfinite(context.transform(videos)).all()
