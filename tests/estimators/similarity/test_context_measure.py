"""What holds for every measure of contextual similarity."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator
from skops.io import dumps, get_untrusted_types, loads

from memfeat.estimators.principal_components import PrincipalComponents
from memfeat.estimators.similarity.class_prototypes import ClassPrototypes
from memfeat.estimators.similarity.context_measure import ContextMeasure, check_input_names
from memfeat.estimators.similarity.cosine_mean import CosineToMean
from memfeat.estimators.similarity.cosine_threshold import CosineThreshold
from memfeat.estimators.similarity.dbscan import ContextClusters
from memfeat.estimators.similarity.euclidean import EuclideanDistance
from memfeat.estimators.similarity.fractional import FractionalDistance
from memfeat.estimators.similarity.kde import KernelDensityScore
from memfeat.estimators.similarity.kmeans_prototypes import KMeansPrototypes

OWN = [
    PrincipalComponents,
    ClassPrototypes,
    ContextClusters,
    CosineThreshold,
    CosineToMean,
    EuclideanDistance,
    FractionalDistance,
    KMeansPrototypes,
    KernelDensityScore,
]


class ClassesBySign(ClassPrototypes):
    """scikit-learn's checks know no classes of rows: here they follow from the rows."""

    def fit(self, X: Any, y: object = None, classes: Any = None) -> ClassesBySign:
        return super().fit(X, y, classes=signs(X) if classes is None else classes)

    def fit_transform(self, X: Any, y: object = None, classes: Any = None) -> np.ndarray:
        return super().fit_transform(X, y, classes=signs(X) if classes is None else classes)


def signs(X: Any) -> list[tuple[str, ...]]:
    try:
        column = np.asarray(X).real.astype(float)[:, 0]
    except (ValueError, TypeError, IndexError):  # refused before classes matter
        return []
    return [("all", "high" if value > np.median(column) else "low") for value in column]


MEASURES = [
    FractionalDistance(),
    EuclideanDistance(),
    CosineToMean(),
    CosineThreshold(),
    KernelDensityScore(),
    KMeansPrototypes(5),
    KMeansPrototypes(3, distance="fractional"),
    KMeansPrototypes(3, distance="kde"),
]
WITH_CLASSES = [*MEASURES, ClassesBySign(1), ClassesBySign(1, distance="kde")]
CLUSTERS = ContextClusters(eps="most-clusters", member_bit=True, tsne_max_iter=250)
EVERYTHING = [*WITH_CLASSES, CLUSTERS]

every_measure = pytest.mark.parametrize("measure", WITH_CLASSES, ids=str)
everything = pytest.mark.parametrize("transformer", EVERYTHING, ids=lambda given: str(given)[:40])
pytestmark = pytest.mark.filterwarnings("ignore:ContextClusters:UserWarning")


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
@everything
def test_scikit_learns_contract_is_kept(transformer: Any) -> None:
    if isinstance(transformer, ContextClusters):  # the other rule clusters 49 times per fit
        transformer = clone(transformer).set_params(eps="k-distance")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        results = check_estimator(transformer, on_fail=None)
    failed = {r["check_name"]: str(r["exception"]) for r in results if r["status"] == "failed"}
    assert failed == {}


@everything
def test_fitted_rows_come_out_as_new_rows_would(transformer: Any, videos: np.ndarray) -> None:
    fitted = clone(transformer).fit(videos)
    np.testing.assert_array_equal(clone(transformer).fit_transform(videos), fitted.transform(videos))
    assert fitted.transform(videos).dtype == np.float64


@everything
def test_a_seed_repeats_every_digit(transformer: Any, videos: np.ndarray) -> None:
    first, second = (clone(transformer).fit(videos[:90]) for _ in range(2))
    np.testing.assert_array_equal(first.transform(videos), second.transform(videos))


@everything
def test_held_out_rows_are_not_seen_and_do_not_see_each_other(transformer: Any, videos: np.ndarray) -> None:
    """Garbage in place of the held-out rows leaves the fit and every other row as they were."""
    train, held_out = videos[:90], videos[90:]
    garbage = np.full_like(held_out, 1e6)
    clean = clone(transformer).fit(train)
    columns = clean.transform(np.vstack([train, held_out]))
    mixed = held_out.copy()
    mixed[10:] = garbage[10:]
    np.testing.assert_array_equal(clean.transform(np.vstack([train, mixed]))[:100], columns[:100])
    state = dumps(clean)
    clean.transform(garbage)
    np.testing.assert_array_equal(clean.transform(np.vstack([train, held_out])), columns)
    again = loads(state, trusted=get_untrusted_types(data=state))
    np.testing.assert_array_equal(again.transform(np.vstack([train, held_out])), columns)


@everything
def test_a_saved_state_is_restored_to_the_last_digit(transformer: Any, videos: np.ndarray) -> None:
    if isinstance(transformer, ClassesBySign):  # of this file; what is saved is its base
        transformer = ClassPrototypes(**transformer.get_params())
        fitted = transformer.fit(videos[:90], classes=signs(videos[:90]))
    else:
        fitted = clone(transformer).fit(videos[:90])
    saved = dumps(fitted)
    asked = get_untrusted_types(data=saved)
    assert set(asked) <= {f"{own.__module__}.{own.__qualname__}" for own in OWN}
    restored = loads(saved, trusted=asked)
    np.testing.assert_array_equal(restored.transform(videos), fitted.transform(videos))
    np.testing.assert_array_equal(restored.get_feature_names_out(), fitted.get_feature_names_out())


@every_measure
def test_columns_are_z_scored_over_the_fitted_rows(measure: ContextMeasure, videos: np.ndarray) -> None:
    raw = clone(measure).set_params(scale=False).fit(videos[:90])
    scaled = clone(measure).fit(videos[:90])
    fitted_rows = raw.transform(videos[:90])
    assert (fitted_rows.std(axis=0) > 0).all()
    by_hand = (raw.transform(videos) - fitted_rows.mean(axis=0)) / fitted_rows.std(axis=0)
    np.testing.assert_allclose(scaled.transform(videos), by_hand, atol=1e-10)
    assert raw.scaler_ is None


@every_measure
def test_the_unit_of_a_feature_does_not_matter(measure: ContextMeasure, videos: np.ndarray) -> None:
    expected = clone(measure).fit(videos[:90]).transform(videos)
    np.testing.assert_allclose(
        clone(measure).fit(videos[:90] * 1024.0).transform(videos * 1024.0), expected, atol=1e-6
    )


@pytest.mark.parametrize(
    "measure",
    [FractionalDistance(2.0), EuclideanDistance(), CosineThreshold(), KernelDensityScore()],
    ids=str,
)
def test_nor_do_its_zero_and_its_axes(measure: ContextMeasure, videos: np.ndarray) -> None:
    turned = np.linalg.qr(np.random.default_rng(3).normal(size=(30, 30)))[0]
    measure = clone(measure).set_params(n_components=30)  # all of them: an exact decomposition
    expected = clone(measure).fit(videos[:90]).transform(videos)
    moved = (videos + 7.0) @ turned
    np.testing.assert_allclose(clone(measure).fit(moved[:90]).transform(moved), expected, atol=1e-6)


@everything
@pytest.mark.parametrize("rows", [2, 3, 4, 6])
def test_few_rows_do_not_crash(transformer: Any, videos: np.ndarray, rows: int) -> None:
    found = clone(transformer).fit(videos[:rows]).transform(videos)
    assert found.shape[0] == 120
    assert np.isfinite(found).all()


@everything
def test_rows_without_any_difference_do_not_crash(transformer: Any, videos: np.ndarray) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = clone(transformer).fit(np.ones((20, 30)))
    found = fitted.transform(np.vstack([np.ones((20, 30)), videos]))
    assert np.isfinite(found).all()
    assert len(np.unique(found[:20], axis=0)) == 1


@everything
def test_one_column_is_a_feature_too(transformer: Any, videos: np.ndarray) -> None:
    found = clone(transformer).fit(videos[:90, :1]).transform(videos[:, :1])
    assert np.isfinite(found).all()


@everything
def test_columns_are_named_and_fit_in_pipelines(transformer: Any, videos: np.ndarray) -> None:
    pipeline = make_pipeline(StandardScaler(), clone(transformer)).fit(videos)
    names = pipeline.get_feature_names_out()
    assert len(set(names)) == len(names) == pipeline.transform(videos).shape[1]
    framed = clone(transformer).set_output(transform="pandas").fit(videos)
    assert list(framed.transform(videos).columns) == list(framed.get_feature_names_out())


@everything
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_values_that_are_not_finite_are_refused(transformer: Any, videos: np.ndarray, bad: float) -> None:
    broken = videos.copy()
    broken[3, 4] = bad
    with pytest.raises(ValueError, match="NaN|infinity"):
        clone(transformer).fit(broken)
    with pytest.raises(ValueError, match="NaN|infinity"):
        clone(transformer).fit(videos).transform(broken)


@everything
def test_another_feature_is_refused(transformer: Any, videos: np.ndarray) -> None:
    fitted = clone(transformer).fit(videos)
    with pytest.raises(ValueError, match="29 features.*expecting 30"):
        fitted.transform(videos[:, 1:])


def test_float32_is_measured_as_float64_would_be(videos: np.ndarray) -> None:
    stored = videos.astype(np.float32)
    for measure in MEASURES:
        expected = clone(measure).fit(stored.astype(float)).transform(stored.astype(float))
        np.testing.assert_allclose(clone(measure).fit(stored).transform(stored), expected, atol=1e-9)


def test_a_measure_must_say_its_values_and_names(videos: np.ndarray) -> None:
    class Nothing(ContextMeasure):
        n_components, scale, random_state = 2, False, 0

    with pytest.raises(NotImplementedError):
        Nothing().fit(videos)


def test_names_of_input_columns_are_counted() -> None:
    check_input_names(None, 3)
    check_input_names(["a", "b", "c"], 3)
    with pytest.raises(ValueError, match=r"number of features \(3\), got 1"):
        check_input_names(["a"], 3)
