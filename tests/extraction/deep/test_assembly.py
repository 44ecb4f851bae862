"""Rows that come back in any order become the features of their video."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiny_networks import TinyClips, TinyImages

from memfeat.errors import TooLongError
from memfeat.extraction.deep.assembly import Assembly, increasing
from memfeat.extraction.deep.decoding import Chunk, Problem
from memfeat.extraction.deep.frames import Reading, Row

NETWORKS = {0: TinyImages("fml"), 1: TinyClips()}
HOW = {0: {"device": "here"}, 1: {"device": "here"}}


def row(network: int, index: int) -> Row:
    return Row(network, index, 0.1 * index, np.zeros((3, 2, 2), np.uint8))


def read(rows: dict[int, int]) -> Reading:
    reading = Reading(None, NETWORKS, opener=None)
    reading.rows = rows
    return reading


@given(order=st.permutations(range(6)))
def test_rows_are_put_in_their_order(wanted_of, order):
    wanted = wanted_of(TinyImages(), TinyClips())
    assembly = Assembly(None)
    rows = [*(row(0, index) for index in range(5)), row(1, 0)]
    for each in rows:
        assembly.expect(each)
    assembly.end(Chunk(ended=True, reading=read({0: 5, 1: 1})))
    for position in order:
        assert not assembly.complete
        each = rows[position]
        assembly.put(each, np.full(wanted[each.network].network.width, each.index, np.float32))
    assert assembly.complete
    images, clips = assembly.records(wanted, HOW)
    np.testing.assert_array_equal(images.values, np.repeat(np.arange(5), 6).reshape(5, 6))
    np.testing.assert_allclose(images.times, [0.0, 0.1, 0.2, 0.3, 0.4])
    assert clips.values.shape == (1, 5)


def test_provenance_has_recipe_weights_note_and_run(wanted_of):
    wanted = wanted_of(TinyImages(), TinyClips())
    assembly = Assembly(None)
    assembly.expect(row(0, 0))
    assembly.put(row(0, 0), np.zeros(6, np.float32))
    assembly.end(Chunk(ended=True, reading=read({0: 1})))
    (record,) = assembly.records(wanted, HOW)
    said = record.provenance
    assert (record.name, record.key) == (wanted[0].name, wanted[0].key)
    assert said["recipe"] == wanted[0].recipe
    assert said["weights"] == {"random": 3}
    assert "RANDOM weights (seed 3)" in said["note"]
    assert said["run"] == {"device": "here"}
    assert said["environment"]["memfeat"]


def test_what_does_not_apply_or_work_holds_up_nothing(wanted_of):
    wanted = wanted_of(TinyImages(), TinyClips())
    assembly = Assembly(None)
    reading = read({0: 3, 1: 1})
    reading.reasons = {1: "needs 2 frames, the file has 1"}
    reading.problems = {0: TooLongError("too long")}
    assembly.end(Chunk(ended=True, reading=reading))
    assert assembly.complete
    (record,) = assembly.records(wanted, HOW)
    assert (record.name, record.status, record.arrays) == (wanted[1].name, "not_applicable", {})
    assert assembly.problems == {0: Problem("TooLong", "too long")}


def test_a_video_with_a_problem_gives_nothing(wanted_of):
    assembly = Assembly(None)
    assembly.expect(row(0, 0))
    assembly.end(Chunk(ended=True, problem=Problem("NoFrames", "none")))
    assert assembly.complete
    assert assembly.records(wanted_of(TinyImages()), HOW) == []


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=30).map(sorted))
def test_times_strictly_increase_and_hardly_move(times):
    made = increasing(times)
    assert (np.diff(made) > 0).all()
    np.testing.assert_allclose(made, times, rtol=1e-12, atol=1e-300)


def test_the_last_three_of_one_frame():
    assert increasing([0.0, 0.0, 0.0]) == pytest.approx([0.0, 0.0, 0.0])
