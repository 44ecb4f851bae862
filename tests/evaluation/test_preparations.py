from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import Normalizer, StandardScaler

from memfeat.errors import UsageError
from memfeat.estimators.principal_components import PrincipalComponents
from memfeat.estimators.tfidf import CaptionTfidf
from memfeat.evaluation.preparations import PASS, find, listed


def test_plain_names_give_the_transformers_they_stand_for() -> None:
    assert find("none").make(3) == PASS
    assert isinstance(find("zscore").make(3), StandardScaler)
    assert isinstance(find("l2").make(3), Normalizer)
    assert isinstance(find("tfidf").make(3), CaptionTfidf)


def test_a_number_at_the_end_is_handed_on() -> None:
    assert find("pca").make(3).get_params() == find("pca10").make(5).get_params()
    assert find("pca50").make(0).n_components == 50
    assert find("tfidf-svd").make(0).n_components == 300
    assert find("tfidf-svd20").make(0).n_components == 20


def test_components_do_not_change_with_the_seed() -> None:
    assert find("pca").make(1).random_state == find("pca").make(2).random_state
    assert find("tfidf-svd").make(1).random_state == find("tfidf-svd").make(2).random_state


def test_the_published_components_are_fitted_on_first_frames() -> None:
    found = find("pca-m3s")
    assert found.also_reduction == "first"
    assert isinstance(found.make(0).transformer, PrincipalComponents)


@pytest.mark.parametrize("name", ["pca0", "pca2.5", "tfidf-svd0", "dbscan-eps0"])
def test_impossible_numbers_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match="number from"):
        find(name)


@pytest.mark.parametrize("name", ["", "pcas", "zscore3", "none1", "dbscan-eps", "dbscan1.25", "50", "pca-50"])
def test_what_is_no_name_is_refused_with_the_list(name: str) -> None:
    with pytest.raises(UsageError, match="There is no preparation .*pcaN.*class-prototypes"):
        find(name)


def test_texts_and_numbers_are_told_apart() -> None:
    assert [name for name in ("zscore", "tfidf", "tfidf-svd8") if find(name).text] == ["tfidf", "tfidf-svd8"]
    assert (find("tfidf").sparse, find("tfidf-svd8").sparse) == (True, False)


def test_class_prototypes_name_the_texts_that_hold_classes() -> None:
    assert find("class-prototypes").also_texts == ("actions", "categories", "classes")
    assert find("class-prototypes-titles").also_texts == ("titles",)


@pytest.mark.parametrize("name", [n.replace("N", "4").replace("E", "0.5") for n in listed()])
def test_everything_listed_can_be_made_and_cloned(name: str) -> None:
    made = find(name).make(7)
    assert made == PASS or clone(made).get_params().keys() == made.get_params().keys()


def test_the_list_needs_no_heavy_library() -> None:
    code = "import sys; from memfeat.evaluation.preparations import listed; listed(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"sklearn", "pandas", "torch"} & set(done.stdout.split())


def test_l2_leaves_rows_of_zeros() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 0.0]])
    assert find("l2").make(0).fit_transform(rows).tolist() == [[0.6, 0.8], [0.0, 0.0]]
