from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils import estimator_checks

from memfeat.estimators.tfidf import CaptionTfidf

WORDS = st.sampled_from(["dog", "cat", "runs", "sleeps", "a", "the", "Grass", "été"])
CAPTION = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
VIDEOS = st.lists(st.lists(CAPTION, max_size=4).map(tuple), min_size=1, max_size=8).filter(
    lambda videos: any("dog" in text.split() for texts in videos for text in texts)
)
MADE = [
    ("a dog runs", "the dog on the grass"),
    ("a cat sleeps",),
    ("two dogs play", "dogs play in the sun", "play"),
]


def column(videos: list[tuple[str, ...]]) -> np.ndarray:
    found = np.empty((len(videos), 1), dtype=object)
    found[:, 0] = videos
    return found


@given(VIDEOS)
def test_single_captions_are_weighed_as_scikit_learn_does(videos: list[tuple[str, ...]]) -> None:
    one_each = [" ".join(texts) for texts in videos]
    theirs = TfidfVectorizer(ngram_range=(1, 2)).fit(one_each)
    ours = CaptionTfidf().fit(one_each)
    assert ours.terms_.tolist() == theirs.get_feature_names_out().tolist()
    np.testing.assert_allclose(
        ours.transform(one_each).toarray(), theirs.transform(one_each).toarray(), atol=1e-12
    )


@given(VIDEOS)
def test_single_words_do_not_care_how_texts_are_cut(videos: list[tuple[str, ...]]) -> None:
    ours = CaptionTfidf(ngrams=1).fit_transform(videos).toarray()
    theirs = TfidfVectorizer().fit_transform([" ".join(texts) for texts in videos]).toarray()
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


def test_pairs_do_not_cross_from_one_caption_into_the_next() -> None:
    terms = CaptionTfidf().fit([("a dog runs", "cat sleeps")]).terms_.tolist()
    assert terms == ["cat", "cat sleeps", "dog", "dog runs", "runs", "sleeps"]


@pytest.mark.parametrize("components", [None, 2])
def test_fitted_rows_are_transformed_as_new_ones_bit_for_bit(components: int | None) -> None:
    model = CaptionTfidf(n_components=components)
    fitted = model.fit_transform(column(MADE))
    again = clone(model).fit(MADE).transform(MADE)
    assert issparse(fitted) == issparse(again) == (components is None)
    if components is None:
        fitted, again = fitted.toarray(), again.toarray()
    assert fitted.dtype == np.float64
    np.testing.assert_array_equal(fitted, again)


def test_components_keep_the_angles_of_the_whole_space() -> None:
    # As many components as there are videos lose nothing of the fitted rows' scalar products.
    weights = CaptionTfidf().fit_transform(MADE)
    projected = CaptionTfidf(n_components=50).fit_transform(MADE)
    assert projected.shape == (3, 3)
    np.testing.assert_allclose(projected @ projected.T, (weights @ weights.T).toarray(), atol=1e-10)


def test_unknown_words_and_empty_texts_are_rows_of_zeros() -> None:
    fitted = CaptionTfidf().fit(MADE)
    assert fitted.transform([(), ("xylophone",)]).nnz == 0


def test_rare_terms_can_be_left_out() -> None:
    assert CaptionTfidf(min_count=2).fit(MADE).terms_.tolist() == ["the"]


def test_names_of_columns() -> None:
    assert CaptionTfidf().fit(MADE).get_feature_names_out()[:2].tolist() == ["cat", "cat sleeps"]
    assert CaptionTfidf(n_components=2).fit(MADE).get_feature_names_out().tolist() == ["lsa0", "lsa1"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "at least one video"),
        ("a dog", "one entry per video"),
        ([("a", 3)], "string or several"),
        ([None], "string or several"),
        (np.ones((3, 1)), "string or several"),
        (np.ones((3, 2)), "string or several"),
        ([(), ("?",)], "have no term to fit"),
    ],
)
def test_what_is_no_text_is_refused(given: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CaptionTfidf().fit(given)


@pytest.mark.parametrize("parameters", [{"ngrams": 0}, {"min_count": 0}, {"n_components": 0}])
def test_impossible_parameters_are_refused(parameters: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        CaptionTfidf(**parameters).fit(MADE)


@pytest.mark.parametrize(
    "check",
    [
        estimator_checks.check_estimator_cloneable,
        estimator_checks.check_estimator_repr,
        estimator_checks.check_get_params_invariance,
        estimator_checks.check_no_attributes_set_in_init,
        estimator_checks.check_parameters_default_constructible,
        estimator_checks.check_set_params,
        estimator_checks.check_valid_tag_types,
    ],
)
def test_it_keeps_scikit_learns_contract_for_texts(check: Callable[[str, CaptionTfidf], None]) -> None:
    # check_estimator leaves estimators of texts out, so the checks that draw no matrix are called here.
    check("CaptionTfidf", CaptionTfidf())


def test_it_says_when_it_is_not_fitted() -> None:
    with pytest.raises(NotFittedError):
        CaptionTfidf().transform(MADE)
