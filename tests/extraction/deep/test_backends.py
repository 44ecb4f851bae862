"""A decoder is chosen by name, and never another in its place."""

from __future__ import annotations

import sys

import pytest

from memfeat.errors import SetupError
from memfeat.extraction.deep.backends import opener
from memfeat.video import open_video


def test_pyav_is_what_opens_everything_else():
    assert opener("pyav") is open_video


def test_torchcodec_that_is_absent_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    for name in ("torchcodec", "torchcodec-cuda"):
        with pytest.raises(SetupError, match="pip install torchcodec. Or use --decoder pyav"):
            opener(name)
