"""A job knows what its video lacks."""

from __future__ import annotations

import pickle

import pytest
from clips import write_clip
from tiny_networks import TinyClips, TinyImages

from memfeat.errors import MissingFileError
from memfeat.extraction.deep import markers
from memfeat.extraction.deep.engine import process
from memfeat.extraction.deep.work import StoreJob, Work
from memfeat.extraction.deep.writing import settle
from memfeat.store.feature_store import FeatureStore

torch = pytest.importorskip("torch", reason="needs the extra deep")


def test_only_what_is_lacking_is_read(tmp_path, wanted_of, runners_of):
    FeatureStore.create(tmp_path / "s", dataset="mine")
    clip = write_clip(tmp_path / "a.mp4", frames=5)
    first = Work(tmp_path / "s", "r", tuple(wanted_of(TinyImages())))
    both = Work(tmp_path / "s", "r", tuple(wanted_of(TinyImages(), TinyClips())))
    (item,) = process([StoreJob(first, "a.mp4", clip)], runners_of(TinyImages()), threads=1)
    settle(item)
    assert StoreJob(first, "a.mp4", clip).begin() is None
    assert {row.network for row in StoreJob(both, "a.mp4", clip).begin()} == {1}
    forced = Work(tmp_path / "s", "r", both.wanted, force=True)
    assert {row.network for row in StoreJob(forced, "a.mp4", clip).begin()} == {0, 1}
    write_clip(clip, frames=6, seed=4)
    assert {row.network for row in StoreJob(both, "a.mp4", clip).begin()} == {0, 1}


def test_the_video_is_marked_before_it_is_opened(tmp_path, wanted_of):
    FeatureStore.create(tmp_path / "s", dataset="mine")
    work = Work(tmp_path / "s", "r", tuple(wanted_of(TinyImages())))
    with pytest.raises(MissingFileError):
        StoreJob(work, "a.mp4", tmp_path / "nowhere.mp4").begin()
    assert len(list((tmp_path / "s" / markers.FOLDER).iterdir())) == 1


def test_work_can_be_sent(tmp_path, wanted_of):
    work = Work(tmp_path / "s", "r", tuple(wanted_of(TinyImages("fml"))), batch_size=3)
    sent = pickle.loads(pickle.dumps(work))
    assert (sent.batch_size, sent.wanted[0].key) == (3, work.wanted[0].key)
