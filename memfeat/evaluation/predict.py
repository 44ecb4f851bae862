"""Score new videos and images with a saved run: measure them as the run's rows were measured, and predict."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memfeat import extractors, models
from memfeat.dataset import scan
from memfeat.errors import DataError, SetupError, UsageError
from memfeat.evaluation import late_fusion, pipeline
from memfeat.evaluation.assemble import cells
from memfeat.evaluation.deep_features import Column, DeepRows, measure_networks, networks_of
from memfeat.evaluation.files import check_table, marked, write_table
from memfeat.evaluation.frames import is_of_frames, padded
from memfeat.evaluation.gather import caution
from memfeat.evaluation.keys import check_keys
from memfeat.evaluation.pipeline import Block
from memfeat.evaluation.preparation import Blocks
from memfeat.evaluation.run import Run
from memfeat.extraction.deep.wanted import Wanted
from memfeat.measure import measure_video
from memfeat.store.canonical import canonical
from memfeat.store.index import damage_of
from memfeat.store.source import Source

Texts = Mapping[str, Mapping[str, Sequence[str]]]

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class PredictFailure:
    """A file without a prediction."""

    file: str
    type: str
    """Name of the error, without the word "Error"."""
    message: str


@dataclass(frozen=True)
class Predictions:
    """Predicted scores of new files."""

    table: pd.DataFrame
    """Columns file, predicted, predicted_sd (NaN where the model gives none); in the order of the files. And note,
    where the run uses features of random weights."""
    failures: tuple[PredictFailure, ...] = ()
    damaged: dict[str, str] = field(default_factory=dict)
    """Files that did not decode cleanly, in words."""
    target: str = ""
    """What is predicted."""
    note: str = ""
    """A caution that belongs beside every prediction, such as that the model learned synthetic scores."""
    notes: tuple[str, ...] = ()
    """What a reader of the scores must know, such as that some lie outside the range the model has seen."""
    out: Path | None = None


@dataclass(frozen=True, slots=True)
class _Measured:
    """What comes back from measuring one file: rows of features, or a failure."""

    file: str
    rows: tuple[npt.NDArray[Any], ...] = ()
    damage: str = ""
    error: str = ""
    message: str = ""


def predict(
    run: Run | str | Path,
    files: Sequence[str | Path],
    *,
    texts: Texts | None = None,
    workers: int = 1,
    device: str | None = None,
    weights: Path | None = None,
    out: str | Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Predict the scores of videos and images.

    Parameters
    ----------
    run
        A run or its folder.
    files
        Videos, images, or folders of them (searched with all that is below, in order of path).
    texts
        For a run that reads texts: field → path or name of a file → its texts, such as
        ``{"captions": {"a.mp4": ["a dog runs"]}}``. A file without texts is a failure.
    workers
        Number of processes that measure; each works on one file at a time with one thread.
    device
        Where networks run, for a run that uses their features: ``cpu`` or ``cuda:N``; None for a GPU where there is
        one.
    weights
        The file of weights, where the features of a network were computed with a file given by hand.
    out
        Where to write the predictions as CSV.
    progress
        Called with the number of files done and to do.

    Returns
    -------
    Predictions
        A file that cannot be measured is a failure in it; the others are predicted.

    Raises
    ------
    UsageError
        No run there, no file given, the run reads texts that are not given, or this memfeat measures a feature
        of the run differently (the message says how) or not at all.
    SetupError
        A measuring process died, or the CSV cannot be written.
    StoreError
        The run is damaged.
    """
    check_table(out)
    run = run if isinstance(run, Run) else Run.load(run)
    if workers < 1:
        raise UsageError(f"workers={workers}; at least 1 is needed.")
    blocks = run.info.columns
    texts = _check_texts(blocks, texts)
    networks = networks_of((block for block in blocks if not block.is_text), weights=weights)
    _check_extractors(tuple(block for block in blocks if not block.is_text), networks)
    model = run.model
    paths, failures = _expand(files)
    paths, silent = _with_texts(paths, texts)
    failures += silent
    measured = []
    damaged = {}
    if progress is not None:
        progress(0, len(paths))
    deep = measure_networks(paths, networks, _columns(blocks), device=device)
    for done, item in enumerate(_measure_all(paths, blocks, workers, deep), start=1):
        if item.error:
            failures.append(PredictFailure(item.file, item.error, item.message))
        else:
            measured.append(item)
        if item.damage:
            damaged[item.file] = item.damage
        if progress is not None:
            progress(done, len(paths))
    table = _table(model, late_fusion.find(run.info.model), blocks, measured, texts)
    table = marked(table, caution("", blocks))
    return Predictions(
        table=table,
        failures=tuple(failures),
        damaged=damaged,
        target=run.info.target,
        note=run.info.note,
        notes=_outside(table["predicted"].to_numpy(), run.info.target_range),
        out=write_table(table, out),
    )


def _outside(predicted: npt.NDArray[Any], seen: tuple[float, float]) -> tuple[str, ...]:
    count = int(np.count_nonzero((predicted < seen[0]) | (predicted > seen[1])))
    if not count:
        return ()
    return (
        f"{count} of {predicted.size} predictions lie outside the scores that the model was fitted on "
        f"({seen[0]:g} to {seen[1]:g}): these files differ from all it has seen",
    )


def _check_texts(blocks: tuple[Block, ...], texts: Texts | None) -> dict[str, Mapping[str, Sequence[str]]]:
    fields = [block.feature for block in blocks if block.is_text]
    if lacking := [field for field in fields if field not in (texts or {})]:
        raise UsageError(
            f"The run reads {', '.join(lacking)}, which are texts and no part of a video. Give them as "
            f'texts={{"{lacking[0]}": {{"<file>": ["<text>"]}}}} (--texts), or put them into a store and use '
            "`memfeat evaluate`."
        )
    return {field: (texts or {})[field] for field in fields}


def _of_file(texts: Mapping[str, Sequence[str]], file: str) -> Sequence[str]:
    return texts.get(file) or texts.get(Path(file).name) or ()


def _with_texts(paths: list[Path], texts: Texts) -> tuple[list[Path], list[PredictFailure]]:
    failures = {
        path: PredictFailure(str(path), "NoText", f"no {field} were given for it")
        for field, of in texts.items()
        for path in paths
        if not _of_file(of, str(path))
    }
    return [path for path in paths if path not in failures], list(failures.values())


def _columns(blocks: tuple[Block, ...]) -> tuple[Column, ...]:
    return tuple((block.feature, reduction) for block in blocks for reduction in block.reductions)


def _check_extractors(blocks: tuple[Block, ...], networks: list[Wanted]) -> None:
    features = list(dict.fromkeys(block.feature for block in blocks))
    if not features:
        return
    keys = {each.name: each.key for each in networks}
    recipes = {each.name: each.recipe for each in networks}
    known = extractors.names()
    foreign = [name for name in features if name not in known and name not in keys]
    if foreign:
        raise UsageError(
            f"The run uses {', '.join(foreign)}, which this memfeat does not measure itself. Put such "
            "features into a store, and use `memfeat evaluate`."
        )
    measured = [name for name in features if name in known]
    chosen = extractors.select(measured)[0] if measured else []
    keys |= {extractor.name: extractor.key() for extractor in chosen}
    recipes |= {extractor.name: extractor.recipe() for extractor in chosen}
    check_keys(blocks, keys, recipes, where="What this memfeat measures")
    for extractor in chosen:
        extractor.warm_up()


def _expand(files: Sequence[str | Path]) -> tuple[list[Path], list[PredictFailure]]:
    if isinstance(files, (str, Path)):
        files = [files]
    paths: list[Path] = []
    failures = []
    for given in map(Path, files):
        if not given.is_dir():
            paths.append(given)
            continue
        try:
            found = scan(given)
        except UsageError as error:
            failures.append(PredictFailure(str(given), "NoVideos", str(error)))
            continue
        paths += found.files.values()
        failures += [PredictFailure(str(given), "Unreadable", remark) for remark in found.remarks]
    if not paths and not failures:
        raise UsageError("No files were given. Name videos, images, or folders of them.")
    return list(dict.fromkeys(paths)), failures


def _measure_all(
    paths: list[Path], blocks: tuple[Block, ...], workers: int, deep: Mapping[Path, DeepRows]
) -> Iterator[_Measured]:
    columns = _columns(blocks)
    if not columns:  # texts alone: the files need not even be there
        yield from (_Measured(str(path)) for path in paths)
        return
    own = tuple(column for column in columns if not extractors.is_network(column[0]))
    measured = _measure_descriptors(paths, own, workers) if own else (_Measured(str(path)) for path in paths)
    for path, item in zip(paths, measured, strict=True):
        yield _joined(item, columns, own, deep.get(path, DeepRows()))


def _joined(
    item: _Measured, columns: tuple[Column, ...], own: tuple[Column, ...], deep: DeepRows
) -> _Measured:
    """Return the rows of descriptors and networks in the order of the columns."""
    if item.error:
        return item
    if deep.error:
        return _Measured(item.file, damage=deep.damage, error=deep.error, message=deep.message)
    of = {**dict(zip(own, item.rows, strict=True)), **deep.rows}
    rows = tuple(of[column] for column in columns)
    if len({len(row) for row, (_, kept) in zip(rows, columns, strict=True) if is_of_frames(kept)}) > 1:
        each = ", ".join(f"{name} {len(row)}" for (name, _), row in zip(columns, rows, strict=True))
        return _Measured(item.file, error="Frames", message=f"differently many frames of columns: {each}")
    return _Measured(item.file, rows, item.damage or deep.damage)


def _measure_descriptors(paths: list[Path], columns: tuple[Column, ...], workers: int) -> Iterator[_Measured]:
    if workers == 1 or len(paths) < 2:
        yield from (_measure_one(path, columns) for path in paths)
        return
    from joblib import Parallel, delayed, parallel_config
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    try:
        with parallel_config("loky", n_jobs=min(workers, len(paths)), inner_max_num_threads=1):
            tasks = (delayed(_measure_in_worker)(path, columns) for path in paths)
            yield from Parallel(return_as="generator", batch_size=1)(tasks)
    except TerminatedWorkerError as error:
        raise SetupError(
            "A measuring process died: out of memory, or a file that crashes the decoder. Put the files "
            "into a store with `memfeat extract`, which finds out which file it is."
        ) from error


def _measure_in_worker(path: Path, columns: tuple[tuple[str, str], ...]) -> _Measured:
    import cv2

    cv2.setNumThreads(1)
    return _measure_one(path, columns)


def _measure_one(path: Path, columns: tuple[tuple[str, str], ...]) -> _Measured:
    names = list(dict.fromkeys(feature for feature, _ in columns))
    try:
        measured = measure_video(path, [extractors.get(name) for name in names])
        for name in names:
            record = measured.features[name]
            if not record.applicable:
                return _Measured(str(path), error="NotApplicable", message=f"{name} {record.reason}")
        # The types of the store: a video gets the same score whether or not it was stored in between.
        features = canonical(measured.features, Source(0, 0, "0" * 64))
        rows = tuple(features[name].reduce(reduction) for name, reduction in columns)
    except SetupError:
        raise
    except DataError as error:
        return _Measured(str(path), error=type(error).__name__.removesuffix("Error"), message=str(error))
    except Exception as error:  # one file must not end the run; its name and error are reported
        return _Measured(str(path), error="Unexpected", message=f"{type(error).__name__}: {error}")
    return _Measured(str(path), rows, damage_of(measured.video()))


def _table(
    model: Any, spec: models.ModelSpec, blocks: tuple[Block, ...], measured: list[_Measured], texts: Texts
) -> pd.DataFrame:
    import pandas as pd

    files = [item.file for item in measured]
    if not files:
        nothing = pd.Series(dtype="float64")
        return pd.DataFrame({"file": pd.Series(dtype="str"), "predicted": nothing, "predicted_sd": nothing})
    columns = iter(zip(*(item.rows for item in measured), strict=True))
    X = Blocks([_array(block, columns, files, texts) for block in blocks])
    mean, sd = pipeline.predict(model, X, deviation=spec.gives_deviation)
    missing = np.full(mean.size, np.nan)
    return pd.DataFrame({"file": files, "predicted": mean, "predicted_sd": missing if sd is None else sd})


def _array(block: Block, columns: Iterator[Any], files: list[str], texts: Texts) -> Any:
    """Return what a block reads of the files: its texts, or the next of the measured columns."""
    if block.is_text:
        return cells({file: _of_file(texts[block.feature], file) for file in files}, files)
    if block.is_of_frames:
        return padded(next(columns))
    parts = [np.stack(next(columns)) for _ in block.reductions]
    if block.reads_classes:
        parts.append(cells({}, files))
    return parts[0] if len(parts) == 1 else Blocks(parts)
