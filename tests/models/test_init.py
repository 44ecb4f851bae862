from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from memfeat import models
from memfeat.errors import UsageError


def test_there_is_one_model_per_file() -> None:
    files = {path.stem for path in Path(models.__file__).parent.glob("[!_]*.py")}
    assert {name.replace("-", "_") for name in models.names()} == files
    assert [spec.name for spec in models.all_models()] == models.names()


def test_an_unknown_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"Unknown model 'bbr'.*Did you mean 'brr'"):
        models.get("bbr")


@pytest.mark.parametrize("name", models.names())
def test_each_builds_a_scikit_learn_regressor_without_preprocessing(name: str) -> None:
    from sklearn.base import clone, is_regressor

    spec = models.get(name)
    assert spec.summary.endswith(".")
    assert is_regressor(clone(spec.build(0)))


def test_listing_models_loads_no_heavy_library() -> None:
    heavy = ("sklearn", "pandas", "numpy")
    code = "import sys; from memfeat import models; models.all_models(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "memfeat.models.brr" in done.stdout.split()
    assert not set(heavy) & set(done.stdout.split())


@pytest.mark.parametrize("name", [spec.name for spec in models.all_models() if spec.takes_sparse])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_words_are_fitted_without_making_them_dense(name: str) -> None:
    import numpy as np
    from scipy import sparse

    generator = np.random.default_rng(0)
    X, y = np.maximum(generator.normal(size=(60, 9)), 0), generator.normal(size=60)
    # Left to itself, ridge leaves out other rows of dense columns to find its penalty.
    searched = {"n_trials": 2, "folds": 2} if name.endswith("-search") else {}
    settings = {"alpha": 3.0} if name == "ridge" else searched
    dense = models.get(name).build(0, **settings).fit(X, y).predict(X)
    words = sparse.csr_array(X)
    found = models.get(name).build(0, **settings).fit(words, y).predict(words)
    # scikit-learn solves ridge on sparse columns by iterations, up to 1e-4.
    np.testing.assert_allclose(found, dense, rtol=1e-5, atol=1e-3 if name == "ridge" else 0)
