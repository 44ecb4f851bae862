"""Fitting regressors at the size of a dataset of videos: scikit-learn, and memfeat's of the same definition."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

import numpy as np
import psutil

from .compare import MEMFEAT, NAIVE, Input, interleave, one_thread
from .report import Limit, Row
from .settings import Bench

NEW_ROWS = 500
"""Rows to predict, beside those to fit."""
FULL_ROWS = 7000
"""Rows from which targets hold: small matrices are decomposed before anything else counts."""
Work = Callable[["Data"], tuple[np.ndarray, np.ndarray]]


class Data(NamedTuple):
    """Rows to fit, their targets, and rows to predict."""

    X: np.ndarray
    y: np.ndarray
    new: np.ndarray


def made(kind: str, rows: int, columns: int) -> Data:
    """Return columns that are independent, of scales from 1 to 10^6, or like an embedding's; a tenth of noise."""
    generator = np.random.default_rng(0)
    X = generator.standard_normal((rows + NEW_ROWS, columns))
    y = X @ generator.standard_normal(columns)
    y = 0.8 + 0.1 * (y / y.std() + generator.standard_normal(y.size))
    if kind == "scales 1 to 10⁶":
        X *= generator.permutation(np.logspace(0, 6, columns))
    elif kind == "like an embedding":
        # Directions of ever less variance, at random angles to the columns, away from zero.
        axes = np.linalg.qr(generator.standard_normal((columns, columns)))[0]
        X = (X * 8 * np.arange(1, columns + 1) ** -0.6) @ axes + generator.standard_normal(columns)
    return Data(X[:rows], y[:rows], X[rows:])


KINDS = ("independent columns", "like an embedding", "scales 1 to 10⁶")


def plain_ridge(data: Data) -> tuple[np.ndarray, np.ndarray]:
    from sklearn.linear_model import BayesianRidge

    mean, deviation = BayesianRidge().fit(data.X, data.y).predict(data.new, return_std=True)
    return mean, deviation


def our_ridge(data: Data) -> tuple[np.ndarray, np.ndarray]:
    from memfeat.estimators.bayesian_ridge import GramBayesianRidge

    mean, deviation = GramBayesianRidge().fit(data.X, data.y).predict(data.new, return_std=True)
    return mean, deviation


def plain_svr(data: Data) -> np.ndarray:
    from sklearn.svm import SVR

    centre, deviation = data.y.mean(), data.y.std()
    fitted = SVR().fit(data.X, (data.y - centre) / deviation)
    return np.asarray(centre + deviation * fitted.predict(data.new))


def our_svr(data: Data) -> np.ndarray:
    from memfeat.estimators.svr import ScaledSVR

    return ScaledSVR().fit(data.X, data.y).predict(data.new)


def brr(bench: Bench) -> list[Row]:
    """Bayesian ridge regression: singular values against one Gram matrix."""
    rows, columns = bench.settings.model_rows, bench.settings.model_columns
    inputs = [Input(kind, made(kind, rows, columns)) for kind in KINDS]
    comparison = interleave(
        "brr", "fit", inputs, plain_ridge, our_ridge, rounds=1, warm_naive=False, say=bench.say
    )
    flops = rows * columns**2 + 4 / 3 * columns**3
    why = f"the products of columns and one tridiagonal reduction, {flops / 1e9:,.0f} Gflop"
    limit = Limit(bench.rates.arithmetic(flops, double=True), why)
    title = f"Bayesian ridge regression, {rows:,} × {columns:,}"
    row = Row.of(bench.keep(comparison), title, limit=limit)
    if rows >= FULL_ROWS:
        row.at_least(4)
    for kind, (theirs, ours) in zip(KINDS, comparison.results, strict=True):
        for what, expected, found in zip(("predictions", "deviations"), theirs, ours, strict=True):
            off = float(np.max(np.abs(found - expected) / np.abs(expected)))
            row.check(f"relative difference of {what}, {kind}", off, "<=", 1e-10)
    for implementation, size in peaks(bench, rows, columns, (NAIVE, MEMFEAT)).items():
        row.check(f"peak memory beside the columns, {implementation}", size / 2**20, unit=" MiB")
    return [row]


def svr(bench: Bench) -> list[Row]:
    """Support vector regression: a kernel by pairs of rows against one matrix product."""
    rows, columns = bench.settings.model_rows, bench.settings.model_columns
    inputs = [Input("independent columns", made("independent columns", rows, columns))]
    comparison = interleave(
        "svr", "fit", inputs, plain_svr, our_svr, rounds=1, warm_naive=False, say=bench.say
    )
    flops = rows**2 * columns
    limit = Limit(
        bench.rates.arithmetic(flops, double=True), f"the products of rows, {flops / 1e9:,.0f} Gflop"
    )
    title = f"support vector regression, {rows:,} × {columns:,}"
    row = Row.of(bench.keep(comparison), title, limit=limit)
    theirs, ours = comparison.results[0]
    return [row.check("relative difference of predictions", np.max(np.abs(ours / theirs - 1)), "<=", 1e-8)]


def peaks(bench: Bench, rows: int, columns: int, names: tuple[str, ...]) -> dict[str, float]:
    """Fit each in a process of its own and return by how many bytes it grew."""
    context = multiprocessing.get_context("spawn")
    grown = {}
    for name in names:
        bench.say(f"memory, {name}")
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=grow, args=(sending, name, rows, columns))
        process.start()
        sending.close()
        try:
            grown[name] = receiving.recv()
        except EOFError:
            raise RuntimeError(f"The process that measured the memory of {name} ended early.") from None
        process.join()
    return grown


def grow(out: Connection, name: str, rows: int, columns: int) -> None:
    """Run in a process of its own: fit once, and look at its size every few milliseconds."""
    work: Work = plain_ridge if name == NAIVE else our_ridge
    itself, stop, sizes = psutil.Process(), threading.Event(), [0]
    with one_thread():
        work(made(KINDS[0], 40, 20))  # libraries are loaded
        data = made(KINDS[0], rows, columns)
        before = itself.memory_info().rss

        def watch() -> None:
            while not stop.wait(0.005):
                sizes.append(itself.memory_info().rss)

        watcher = threading.Thread(target=watch)
        watcher.start()
        work(data)
        stop.set()
        watcher.join()
    out.send(float(max(sizes) - before))
    out.close()
