"""What all networks keep to as scikit-learn estimators."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from memfeat.errors import SetupError
from memfeat.estimators.ic_mlp import CaptionFeatureMLP
from memfeat.estimators.kclass import KClassRegressor
from memfeat.estimators.m3s_head import M3SHead
from memfeat.estimators.raw_mlp import RawMLP
from memfeat.estimators.similarity_mlp import SimilarityMLP

torch = pytest.importorskip("torch")

SIGMOID = [
    RawMLP(hidden=(16,), epochs=5, decay_every=0, learning_rate=0.01),
    M3SHead(hidden=(16, 8), epochs=5, decay_every=0, learning_rate=0.01),
    SimilarityMLP(hidden=(16, 8), epochs=5, decay_every=0, learning_rate=0.01),
]
OTHERS = [
    KClassRegressor(branch_units=16, hidden=(8,), epochs=5, learning_rate=0.01),
    CaptionFeatureMLP(hidden=24),
]
HEADS = [*SIGMOID, *OTHERS]
SHORT = [
    *(clone(head).set_params(epochs=3, scale_target=True) for head in SIGMOID),
    M3SHead(hidden=(8, 4), epochs=3, scale_target=True, loss="mse-to-spearman"),
    KClassRegressor(branch_units=8, hidden=(8,), epochs=3),
    CaptionFeatureMLP(hidden=20, max_iter=20),
]

pytestmark = pytest.mark.filterwarnings(
    "ignore:fewer than 500 gradient steps", "ignore:.* classes instead of"
)


def named(head):
    return type(head).__name__


def data(rows=300, seed=0, low=0.0, high=1.0):
    generator = np.random.default_rng(seed)
    X = generator.normal(size=(rows, 5))
    share = 1 / (1 + np.exp(-(X[:, 0] + X[:, 1] * X[:, 2])))
    return X, low + (high - low) * share


def fitted(head, **changed):
    return clone(head).set_params(**changed).fit(*data())


@parametrize_with_checks(SHORT)
def test_scikit_learns_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_it_learns_a_function_with_an_interaction(head):
    X, y = data(500, seed=1)
    long = {} if isinstance(head, CaptionFeatureMLP) else {"epochs": 40}
    predicted = clone(head).set_params(**long).fit(X[:400], y[:400]).predict(X[400:])
    assert spearmanr(predicted, y[400:])[0] > 0.85
    # No linear model can: the product of two columns has no linear part.
    design = np.column_stack([X, np.ones(500)])
    linear = design[400:] @ np.linalg.lstsq(design[:400], y[:400], rcond=None)[0]
    assert spearmanr(predicted, y[400:])[0] > spearmanr(linear, y[400:])[0] + 0.1


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_two_fits_are_equal_bit_for_bit_and_seeds_differ(head):
    short = {"max_iter": 5} if isinstance(head, CaptionFeatureMLP) else {"epochs": 2}
    first = fitted(head, **short)
    torch.rand(5)
    np.random.default_rng().normal(size=3)
    again, other = fitted(head, **short), fitted(head, **short, random_state=1)
    X, _ = data(20, seed=2)
    assert set(first.state_) == set(again.state_)
    for name, value in first.state_.items():
        np.testing.assert_array_equal(value, again.state_[name])
    np.testing.assert_array_equal(first.predict(X), again.predict(X))
    assert first.loss_history_ == again.loss_history_
    assert not np.array_equal(first.predict(X), other.predict(X))


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_nothing_global_is_left_changed(head):
    threads, state = torch.get_num_threads(), torch.random.get_rng_state()
    fitted(head, n_threads=threads + 1, **({} if isinstance(head, CaptionFeatureMLP) else {"epochs": 1}))
    assert torch.get_num_threads() == threads
    assert torch.equal(state, torch.random.get_rng_state())
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_what_was_fitted_is_arrays_and_json_and_predicts_from_them(head, tmp_path):
    import safetensors.numpy

    model = fitted(head)
    X, _ = data(30, seed=3)
    assert all(value.dtype == np.float32 for value in model.state_.values())
    safetensors.numpy.save_file(model.state_, tmp_path / "weights.safetensors")
    rest = {name: value for name, value in vars(model).items() if name != "state_"}
    arrays = {name: value for name, value in rest.items() if isinstance(value, np.ndarray)}
    plain = json.loads(json.dumps({name: value for name, value in rest.items() if name not in arrays}))
    rebuilt = type(head)()
    vars(rebuilt).update(plain | arrays)
    rebuilt.state_ = safetensors.numpy.load_file(tmp_path / "weights.safetensors")
    np.testing.assert_array_equal(rebuilt.predict(X), model.predict(X))


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_skops_saves_it_without_the_state_and_needs_to_trust_one_class(head):
    import skops.io

    model = fitted(head)
    X, _ = data(30, seed=3)
    expected, state = model.predict(X), model.state_
    del model.state_
    saved = skops.io.dumps(model)
    kind = type(model)
    assert skops.io.get_untrusted_types(data=saved) == [f"{kind.__module__}.{kind.__qualname__}"]
    loaded = skops.io.loads(saved, trusted=[f"{kind.__module__}.{kind.__qualname__}"])
    loaded.state_ = state
    np.testing.assert_array_equal(loaded.predict(X), expected)


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_a_row_is_predicted_alike_in_any_company(head):
    model = fitted(head)
    X, _ = data(40, seed=4)
    single = np.concatenate([model.predict(row[None]) for row in X])
    np.testing.assert_allclose(model.predict(X), single, rtol=1e-12)


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_few_rows_one_column_constants_and_float32_are_taken(head):
    X, y = data(7)
    for rows, scores in ((X[:2], y[:2]), (X[:, :1], y), (np.ones_like(X), y), (X, np.full(7, 0.8))):
        model = clone(head).fit(rows.astype(np.float32), scores)
        predicted = model.predict(rows)
        assert predicted.shape == (len(rows),) and predicted.dtype == np.float64
        assert np.isfinite(predicted).all()


@pytest.mark.parametrize("head", HEADS, ids=named)
def test_values_that_are_not_finite_are_refused(head):
    X, y = data(20)
    for bad in (np.nan, np.inf, 1e300):
        spoilt = X.copy()
        spoilt[3, 1] = bad
        with pytest.raises(ValueError, match="NaN|infinity"), np.errstate(over="ignore"):
            clone(head).fit(spoilt, y)
    with pytest.raises(ValueError, match="NaN"):
        clone(head).fit(X, np.where(np.arange(20) == 4, np.nan, y))
    with pytest.raises(ValueError, match="features"):
        fitted(head).predict(X[:, :4])


@pytest.mark.parametrize("head", SIGMOID, ids=named)
@pytest.mark.parametrize(("low", "high"), [(-0.3, 0.9), (0.2, 1.4), (30.0, 90.0)])
def test_scores_outside_the_sigmoid_are_refused_or_scaled(head, low, high):
    X, y = data(low=low, high=high)
    with pytest.raises(ValueError, match=r"scores go from .* to .*scale_target=True"):
        clone(head).fit(X, y)
    model = clone(head).set_params(scale_target=True).fit(X, y)
    assert (model.target_low_, model.target_high_) == (y.min(), y.max())
    # The network is trained on shares of the range, so it is the same for every range.
    shares = clone(head).set_params(scale_target=True).fit(X, (y - low) / (high - low)).predict(X)
    np.testing.assert_allclose(model.predict(X), low + (high - low) * shares, atol=2e-4 * (high - low))
    assert model.predict(X).min() >= y.min() and model.predict(X).max() <= y.max()


@pytest.mark.parametrize("head", SIGMOID, ids=named)
def test_scores_inside_the_sigmoid_are_left_as_they_are(head):
    model = fitted(head, epochs=1)
    assert (model.target_low_, model.target_high_) == (0.0, 1.0)


@pytest.mark.parametrize("head", SIGMOID, ids=named)
def test_a_constant_target_that_is_scaled_comes_back_exactly(head):
    X, _ = data(20)
    model = clone(head).set_params(scale_target=True, epochs=1).fit(X, np.full(20, 42.0))
    assert model.predict(X).tolist() == [42.0] * 20


@pytest.mark.parametrize("head", SIGMOID, ids=named)
def test_the_best_epoch_is_chosen_on_an_inner_part(head):
    X, y = data(200)
    settings = {"epoch": "best-validation", "validation_fraction": 0.25, "epochs": 12}
    model = clone(head).set_params(**settings).fit(X, y)
    assert len(model.validation_history_) == len(model.loss_history_) == 12
    assert model.epoch_ == 1 + int(np.argmax(model.validation_history_))
    # Stopping there gives the same weights, so it is that epoch's network that was kept.
    stopped = clone(head).set_params(**settings | {"epochs": model.epoch_}).fit(X, y)
    np.testing.assert_array_equal(stopped.predict(X), model.predict(X))
    # The inner rows were judged and not trained on: their scores' order is what the history tells of.
    _, held = model._inner_split(200, model._draw_seed())
    assert held.size == 50
    rho = spearmanr(model.predict(X[held]), y[held])[0]
    assert rho == pytest.approx(max(model.validation_history_), abs=1e-3)
    shuffled = y.copy()
    shuffled[held] = shuffled[held][::-1]
    blind = clone(head).set_params(**settings | {"epochs": 1}).fit(X, shuffled)
    seeing = clone(head).set_params(**settings | {"epochs": 1}).fit(X, y)
    np.testing.assert_array_equal(blind.predict(X), seeing.predict(X))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epoch": "first"}, "'last' or 'best-validation'; got 'first'"),
        ({"epoch": "best-validation", "validation_fraction": 1.0}, "must lie between 0 and 1; got 1.0"),
        ({"epoch": "best-validation", "validation_fraction": 0.999}, "too few to hold 300 out"),
        ({"loss": "huber"}, "Unknown loss 'huber'"),
        ({"activation": "gelu"}, "Unknown activation 'gelu'"),
        ({"device": "abacus"}, "Unknown device 'abacus'"),
        ({"epochs": 0}, "epochs must be an integer"),
        ({"n_threads": 0}, "n_threads must be 1 or more"),
        (
            {"scale_target": "False"},
            "'scale_target' parameter .* must be an instance of 'bool'.* Got 'False'",
        ),
        ({"epochs": "many"}, "'epochs' parameter .* must be an instance of 'int'. Got 'many'"),
        ({"hidden": 64}, "'hidden' parameter .* an instance of 'list'"),
        ({"learning_rate": "1e-3"}, "'learning_rate' parameter"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        fitted(SIGMOID[0], **changed)


def test_rows_of_a_group_are_on_one_side_of_the_inner_split():
    model = clone(SIGMOID[0]).set_params(epoch="best-validation", validation_fraction=0.25)
    groups = np.repeat(np.arange(20), 3)
    fitted_rows, judged = model._inner_split(60, 3, groups)
    assert len(set(groups[judged])) == 5 and not set(groups[judged]) & set(groups[fitted_rows])
    assert sorted([*fitted_rows, *judged]) == list(range(60))
    alone = model._inner_split(60, 3)
    assert [part.size for part in alone] == [45, 15]
    np.testing.assert_array_equal(
        np.concatenate(model._inner_split(60, 3, np.arange(60))), np.concatenate(alone)
    )
    with pytest.raises(ValueError, match="3 groups are too few to hold 2 out"):
        model._inner_split(60, 3, np.arange(60) % 3)


def test_a_cuda_device_that_is_not_there_is_said(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    with pytest.raises(SetupError, match="'cuda' is not there.*sees 0 CUDA devices"):
        fitted(SIGMOID[0], device="cuda")


def test_few_steps_are_a_warning_and_many_are_none():
    X, y = data(100)
    with pytest.warns(UserWarning, match=r"fewer than 500 gradient steps \(2 epochs in batches of 32\)"):
        RawMLP(epochs=2).fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        RawMLP(hidden=(2,), epochs=10, batch_size=2).fit(X, y)


def test_importing_an_estimator_loads_no_torch_and_fitting_without_it_says_what_to_do():
    code = """
import sys
from memfeat.estimators import ic_mlp, kclass, m3s_head, raw_mlp, similarity_mlp
assert "torch" not in sys.modules
sys.modules["torch"] = None
from memfeat.errors import SetupError
for head in (raw_mlp.RawMLP(), kclass.KClassRegressor(), ic_mlp.CaptionFeatureMLP()):
    try:
        head.fit([[0.0], [1.0]], [0.2, 0.8])
    except SetupError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.count("pip install 'memfeat[deep]'") == 3
