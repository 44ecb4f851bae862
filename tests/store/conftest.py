from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from memfeat.store.commit import Committed, commit
from memfeat.store.feature_store import FeatureStore
from memfeat.store.record import FeatureRecord
from memfeat.store.source import Source

VIDEO = {"header": {"width": 64}, "counts": {"decoded": 4, "header": 4, "damaged": False}}


def source_of(content: str) -> Source:
    return Source(len(content), 1_700_000_000_000_000_000, hashlib.sha256(content.encode()).hexdigest())


def recipe(name: str, **parameters: object) -> dict[str, object]:
    return {"recipe": {"extractor": name, "version": 1, "parameters": parameters}}


class Features:
    """Records of each kind the format knows, filled from a seed."""

    def contrast(
        self, seed: int = 0, *, key: str = "key-contrast", frames: int = 4, **parameters: object
    ) -> FeatureRecord:
        values = np.random.default_rng(seed).uniform(0, 127, frames)
        arrays = {"values": values, "times": np.arange(frames) / 25}
        return FeatureRecord("contrast", key, arrays, recipe("contrast", **parameters))

    def hog(self, seed: int = 0, *, width: int = 6, key: str = "key-hog") -> FeatureRecord:
        first, mean = np.random.default_rng(seed).uniform(0, 1, (2, width)).astype("f4")
        return FeatureRecord("hog", key, {"first": first, "mean": mean}, recipe("hog"))

    def flow(self, seed: int = 0, *, key: str = "key-flow") -> FeatureRecord:
        rng = np.random.default_rng(seed)
        dt = rng.choice([0.02, 0.04, 0.08], 3)
        arrays = {"values": rng.uniform(0, 5, 3), "times": np.cumsum(dt), "dt": dt}
        return FeatureRecord("flow", key, arrays, recipe("flow"))

    def no_flow(self, *, key: str = "key-flow") -> FeatureRecord:
        return FeatureRecord(
            "flow", key, {}, recipe("flow"), status="not_applicable", reason="needs 2 frames, the file has 1"
        )

    def size(self, bytes: float = 1000.0) -> FeatureRecord:
        return FeatureRecord("remux-size", "key-size", {"values": np.array(bytes)}, recipe("remux-size"))

    def clip(self, seed: int = 0, *, frames: int = 4, width: int = 5) -> FeatureRecord:
        values = np.random.default_rng(seed).normal(size=(frames, width)).astype("f4")
        return FeatureRecord(
            "clip", "key-clip", {"values": values, "times": np.arange(frames) / 25}, recipe("clip")
        )


@pytest.fixture
def make() -> Features:
    return Features()


@pytest.fixture
def source() -> Callable[[str], Source]:
    return source_of


@pytest.fixture
def store(tmp_path: Path) -> FeatureStore:
    return FeatureStore.create(tmp_path / "features" / "demo", dataset="demo")


def put_into(
    store: Path, id: str, *features: FeatureRecord, content: str = "", **options: object
) -> Committed:
    return commit(
        store, id, features=features, **{"video": VIDEO, "source": source_of(content or id), **options}
    )


@pytest.fixture
def put(store: FeatureStore) -> Callable[..., Committed]:
    return partial(put_into, store.path)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "demo"
    FeatureStore.create(path, dataset="demo")
    make = Features()
    for number, id in enumerate(["b/one.mp4", "a.mp4", "B/one.mp4", "c d.mp4", "é.webm"]):
        features = [
            make.contrast(number),
            make.hog(number),
            make.flow(number),
            make.size(number),
            make.clip(number),
        ]
        put_into(path, id, *features)
    return path


@pytest.fixture
def filled(store: FeatureStore, template: Path) -> FeatureStore:
    """Five videos with one feature of each kind."""
    shutil.copytree(template, store.path, dirs_exist_ok=True)
    return store


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Names of the files that are opened as HDF5 from here on."""
    import h5py

    names: list[str] = []
    original = h5py.File.__init__

    def count(self: h5py.File, name: object, *args: object, **options: object) -> None:
        if isinstance(name, (str, Path)):
            names.append(Path(name).name)
        original(self, name, *args, **options)

    monkeypatch.setattr(h5py.File, "__init__", count)
    yield names
