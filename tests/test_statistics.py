from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from memfeat import statistics
from memfeat.errors import UsageError
from memfeat.metrics import METRICS
from memfeat.statistics import Figure, figures


def by_hand(x: np.ndarray, y: np.ndarray, counts: np.ndarray) -> dict[str, list[float]]:
    """Each metric of each resample, written out row by row and ranked by scipy."""
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for row in counts.astype(int):
        rows = np.repeat(np.arange(x.size), row)
        for name, metric in METRICS.items():
            value = metric(x[rows], y[rows])
            found[name].append(np.nan if value is None else value)
    return found


@given(st.integers(2, 25), st.integers(1, 6), st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_counts_give_what_resampled_rows_give(n: int, levels: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    x, y = generator.normal(size=n), generator.integers(0, levels, n).astype(float)
    counts = generator.multinomial(n, np.full(n, 1 / n), 20).astype(float)
    part = statistics._Part(x, y)
    found = part.evaluate(counts, list(METRICS))
    expected = by_hand(x, y, counts)
    for name in METRICS:
        np.testing.assert_allclose(found[name], expected[name], atol=1e-9, err_msg=name)


def test_the_interval_is_that_of_a_plain_bootstrap() -> None:
    generator = np.random.default_rng(3)
    x = generator.normal(size=120)
    y = 0.6 * x + generator.normal(size=120)
    found = figures(x, y, resamples=4000, seed=1)["spearman"]
    plain = stats.bootstrap(
        (x, y),
        lambda a, b: stats.spearmanr(a, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=1500,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert found.value == pytest.approx(stats.spearmanr(x, y).statistic)
    assert found.low == pytest.approx(plain.low, abs=0.02)
    assert found.high == pytest.approx(plain.high, abs=0.02)


@pytest.mark.parametrize("rho", [0.0, 0.6])
def test_intervals_cover_the_truth_about_as_often_as_they_say(rho: float) -> None:
    generator = np.random.default_rng(0)
    true = {"pearson": rho, "spearman": 6 / np.pi * np.arcsin(rho / 2)}
    hits = dict.fromkeys(true, 0)
    trials = 300
    for trial in range(trials):
        x = generator.normal(size=80)
        y = rho * x + np.sqrt(1 - rho**2) * generator.normal(size=80)
        for name, figure in figures(x, y, metrics=list(true), resamples=400, seed=trial).items():
            hits[name] += figure.low <= true[name] <= figure.high
    for name, count in hits.items():
        # Binomial noise of 300 trials at .95 is .0126; the percentile interval is known to be a bit narrow.
        assert 0.90 <= count / trials <= 0.985, name


def test_equal_seeds_give_equal_intervals_and_others_differ() -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    first, again, other = (figures(x, y, seed=seed, resamples=300) for seed in (5, 5, 6))
    assert first == again
    assert first["spearman"].low != other["spearman"].low


def test_blocks_of_resamples_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = np.random.default_rng(0).normal(size=(2, 40))
    whole = figures(x, y, resamples=101)
    monkeypatch.setattr(statistics, "CELLS", 400)
    assert figures(x, y, resamples=101) == whole


def test_a_fold_mean_is_the_mean_over_folds() -> None:
    generator = np.random.default_rng(4)
    x, y = generator.normal(size=(2, 60))
    folds = np.repeat(["a", "b", "c"], [30, 20, 10])
    order = generator.permutation(60)
    found = figures(x[order], y[order], folds=folds[order], resamples=500)
    for name, metric in METRICS.items():
        mean = np.mean([metric(x[folds == fold], y[folds == fold]) for fold in "abc"])
        assert found[name].value == pytest.approx(mean)
        assert found[name].low < mean < found[name].high
        assert (found[name].folds, found[name].n) == (3, 60)


def test_rows_are_resampled_within_their_fold() -> None:
    # Each fold is perfectly ranked, folds lie far apart the other way round: only mixing folds could lower rho.
    x = np.concatenate([np.arange(20.0), 100 + np.arange(20.0)])
    y = np.concatenate([200 + np.arange(20.0), np.arange(20.0)])
    found = figures(x, y, folds=np.repeat([0, 1], 20), resamples=300)["spearman"]
    assert (found.value, found.low, found.high) == (1.0, 1.0, 1.0)
    assert figures(x, y, resamples=300)["spearman"].high < 0


def test_interval_of_a_fold_mean_is_as_wide_as_folds_suggest() -> None:
    generator = np.random.default_rng(9)
    x = generator.normal(size=500)
    y = 0.3 * x + generator.normal(size=500)
    one = figures(x, y)["pearson"]
    five = figures(x, y, folds=np.arange(500) % 5)["pearson"]
    assert five.high - five.low == pytest.approx(one.high - one.low, rel=0.15)


def repeated(repeats: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    generator = np.random.default_rng(2)
    truth = generator.normal(size=n)
    noise = generator.normal(size=n)
    x, y, folds, units = [], [], [], []
    for repeat in range(repeats):
        x.append(truth)
        y.append(0.5 * truth + noise + 0.1 * generator.normal(size=n))
        folds += [f"{repeat}/{k}" for k in generator.permutation(n) % 5]
        units.append(np.arange(n))
    return np.concatenate(x), np.concatenate(y), folds, np.concatenate(units)


def test_repeats_do_not_make_more_videos_of_few() -> None:
    x, y, folds, units = repeated(10)
    once = figures(x[:300], y[:300], folds=folds[:300])["spearman"]
    many = figures(x, y, folds=folds, units=units)["spearman"]
    blind = figures(x, y, folds=folds)["spearman"]
    assert (many.n, many.folds) == (300, 50)
    assert many.value == blind.value
    assert many.high - many.low == pytest.approx(once.high - once.low, rel=0.15)
    assert blind.high - blind.low < 0.5 * (once.high - once.low)


def test_a_repeated_video_is_drawn_for_all_folds_at_once() -> None:
    # The same rows twice: whatever is drawn, the mean over both is what either has.
    generator = np.random.default_rng(1)
    x, y = generator.normal(size=(2, 30))
    twice = figures(
        np.tile(x, 2),
        np.tile(y, 2),
        folds=np.repeat([0, 1], 30),
        units=np.tile(np.arange(30), 2),
        resamples=400,
    )
    once = figures(x, y, resamples=400)
    for name, figure in once.items():
        assert (twice[name].low, twice[name].high) == pytest.approx((figure.low, figure.high), abs=1e-12)


def test_units_that_do_not_repeat_change_nothing() -> None:
    x, y, folds, units = repeated(1, 60)
    assert figures(x, y, folds=folds, units=units[::-1]) == figures(x, y, folds=folds)


@pytest.mark.parametrize("folds", [None, [0, 0, 0, 1, 1, 1]])
def test_a_constant_model_is_undefined_and_its_error_is_not(folds: list[int] | None) -> None:
    found = figures([1, 2, 3, 4, 5, 6], [0.5] * 6, folds=folds, resamples=50)
    assert found["spearman"].value is None
    assert (found["spearman"].low, found["spearman"].high, found["spearman"].degenerate) == (None, None, 50)
    assert found["mse"].value == pytest.approx(np.mean((np.arange(1, 7) - 0.5) ** 2))
    assert found["mse"].degenerate == 0
    assert "undefined (n = 6)" in str(found["spearman"])


def test_one_constant_fold_makes_the_mean_undefined() -> None:
    # The pooled correlation of a model with one constant per fold is a number; it says nothing of the model.
    truth = np.arange(12.0)
    predicted = np.repeat([0.9, 0.5, 0.1], 4)
    folds = np.repeat([0, 1, 2], 4)
    assert figures(truth, predicted, resamples=0)["spearman"].value < -0.9
    assert figures(truth, predicted, folds=folds, resamples=0)["spearman"].value is None


def test_degenerate_resamples_are_left_out_and_counted() -> None:
    found = figures([1.0, 2.0, 3.0], [1.0, 3.0, 2.0], resamples=2000)["spearman"]
    # All three rows are the same one in 3 of 27 resamples.
    assert found.degenerate == pytest.approx(2000 / 9, rel=0.2)
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_without_resamples_there_is_no_interval() -> None:
    found = figures([1, 2, 3], [1, 3, 2], resamples=0)["spearman"]
    assert (found.value, found.low, found.high) == (0.5, None, None)
    assert str(found) == "0.500 (no interval, n = 3)"


def test_a_figure_survives_json() -> None:
    found = figures([1, 2, 3, 4], [1, 3, 2, 4], resamples=20)["mse"]
    assert Figure.from_dict(json.loads(json.dumps(found.as_dict()))) == found


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"metrics": ["spaerman"]}, "Did you mean 'spearman'"),
        ({"level": 95}, "between 0 and 1"),
        ({"resamples": -1}, "resamples=-1"),
        ({"folds": [1, 2]}, "one fold for each of the 3 rows"),
        ({"units": [1, 2]}, "one video for each of the 3 rows"),
    ],
)
def test_impossible_requests_are_refused(change: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        figures([1, 2, 3], [1, 2, 3], **change)


def pair_of_predictions(n: int = 90) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(5)
    truth = generator.normal(size=n)
    shared = truth + generator.normal(size=n)
    return truth, shared + 0.2 * generator.normal(size=n), shared + 0.6 * generator.normal(size=n)


def test_a_paired_difference_is_that_of_a_plain_bootstrap() -> None:
    truth, one, other = pair_of_predictions()
    drawn = [statistics.resampled(truth, found, resamples=3000) for found in (one, other)]
    found = drawn[0].minus(drawn[1]).figures()["pearson"]
    plain = stats.bootstrap(
        (truth, one, other),
        lambda t, a, b: stats.pearsonr(t, a).statistic - stats.pearsonr(t, b).statistic,
        paired=True,
        vectorized=False,
        n_resamples=2000,
        method="percentile",
        rng=np.random.default_rng(2),
    ).confidence_interval
    assert found.value == pytest.approx(
        stats.pearsonr(truth, one).statistic - stats.pearsonr(truth, other).statistic
    )
    assert found.low == pytest.approx(plain.low, abs=0.015)
    assert found.high == pytest.approx(plain.high, abs=0.015)
    # What both share cancels: the interval is far narrower than that of independent figures.
    apart = np.hypot(*[one.high - one.low for one in (of.figures()["pearson"] for of in drawn)])
    assert found.high - found.low < 0.7 * apart


def test_a_difference_is_drawn_within_folds_and_by_video() -> None:
    truth, one, other = pair_of_predictions()
    folds = np.repeat(["a", "b", "c"], 30)
    drawn = [statistics.resampled(truth, found, folds=folds, resamples=50) for found in (one, other)]
    found = drawn[0].minus(drawn[1])
    for name, metric in METRICS.items():
        by_fold = [
            metric(truth[folds == fold], one[folds == fold])
            - metric(truth[folds == fold], other[folds == fold])
            for fold in "abc"
        ]
        assert found.values[name] == pytest.approx(np.mean(by_fold))
        np.testing.assert_array_equal(found.draws[name], drawn[0].draws[name] - drawn[1].draws[name])
    assert found.figures()["mse"].folds == 3
    twice = np.tile([f"v{k}" for k in range(45)], 2)
    by_video = [
        statistics.resampled(truth, found, folds=np.repeat([0, 1], 45), units=twice, resamples=20)
        for found in (one, other)
    ]
    assert by_video[0].minus(by_video[1]).n == 45
    with pytest.raises(UsageError, match="same rows in the same folds"):
        drawn[0].minus(by_video[0])


def test_nothing_differs_from_itself_and_the_undefined_differs_from_nothing() -> None:
    truth, one, _ = pair_of_predictions()
    drawn = statistics.resampled(truth, one, resamples=40)
    same = drawn.minus(drawn).figures()["spearman"]
    assert (same.value, same.low, same.high) == (0.0, 0.0, 0.0)
    constant = statistics.resampled(truth, np.full(truth.size, 0.5), resamples=40)
    less = drawn.minus(constant).figures()
    assert less["spearman"].value is None and less["spearman"].low is None
    assert less["mse"].value is not None


def test_an_average_over_seeds_is_that_of_figures_and_draws() -> None:
    truth, one, other = pair_of_predictions()
    drawn = [statistics.resampled(truth, found, resamples=60) for found in (one, other)]
    mean = statistics.average(drawn)
    for name in METRICS:
        assert mean.values[name] == pytest.approx((drawn[0].values[name] + drawn[1].values[name]) / 2)
        np.testing.assert_allclose(mean.draws[name], (drawn[0].draws[name] + drawn[1].draws[name]) / 2)
    constant = statistics.resampled(truth, np.full(truth.size, 0.5), resamples=60)
    assert statistics.average([drawn[0], constant]).values["spearman"] is None
    with pytest.raises(UsageError, match="0 predictions"):
        statistics.average([])
