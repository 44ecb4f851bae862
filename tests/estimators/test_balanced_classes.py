from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memfeat.estimators.balanced_classes import make


@pytest.mark.parametrize("k", range(2, 9))
def test_different_scores_make_balanced_classes(k):
    scores = np.random.default_rng(k).uniform(size=1000)
    classes = make(scores, k)
    assert classes.n_classes == k
    assert max(classes.members) - min(classes.members) <= 1
    assert classes.members == tuple(np.bincount(classes.assign(scores)))


def test_the_published_form_of_four_classes():
    scores = np.linspace(0.4, 0.98, 4000)
    classes = make(scores, 4)
    np.testing.assert_allclose(classes.upper_edges, [0.545, 0.69, 0.835, 1.0], atol=1e-3)
    np.testing.assert_allclose(classes.class_means, [0.4725, 0.6175, 0.7625, 0.9075], atol=1e-3)


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.integers(1, 8))
def test_ties_stay_together_and_no_class_is_empty(integers, k):
    scores = np.array(integers) / 6
    classes = make(scores, min(k, len(scores)))
    assigned = classes.assign(scores)
    assert min(classes.members) > 0 and sum(classes.members) == len(scores)
    assert 1 <= classes.n_classes <= min(k, np.unique(scores).size)
    for value in np.unique(scores):
        assert np.unique(assigned[scores == value]).size == 1
    for number in range(classes.n_classes):
        inside = scores[assigned == number]
        assert classes.class_means[number] == pytest.approx(inside.mean())
        assert inside.max() <= classes.upper_edges[number]
        if number:
            assert inside.min() > classes.upper_edges[number - 1]


def test_new_scores_fall_where_the_cuts_say_and_a_cut_belongs_below():
    classes = make([0.1, 0.2, 0.3, 0.4], 2)
    assert classes.cuts.tolist() == [0.2]
    assert classes.assign([-5, 0.2, np.nextafter(0.2, 1), 7]).tolist() == [0, 0, 1, 1]


def test_a_constant_is_one_class():
    classes = make([0.7] * 5, 4)
    assert (classes.n_classes, classes.members) == (1, (5,))
    assert classes.class_means == pytest.approx([0.7]) and classes.upper_edges.tolist() == [1.0]


def test_the_scale_ends_at_one_or_at_the_highest_score_or_where_it_is_told():
    assert make([0.1, 0.5], 2).upper_edges[-1] == 1
    assert make([10.0, 50.0], 2).upper_edges[-1] == 50
    assert make([-0.1, 0.5], 2).upper_edges[-1] == 0.5
    assert make([10.0, 50.0], 2, scale_maximum=100).upper_edges[-1] == 100


@pytest.mark.parametrize(
    ("k", "settings", "message"),
    [
        (3, {}, "3 classes cannot be made of 2 scores"),
        (0, {}, "0 classes cannot be made"),
        (1.5, {}, "1.5 classes cannot be made"),
        (2, {"scale_maximum": 0.4}, "scale_maximum is 0.4, and a score is 0.5"),
    ],
)
def test_what_cannot_be_made_is_said(k, settings, message):
    with pytest.raises(ValueError, match=message):
        make([0.1, 0.5], k, **settings)
