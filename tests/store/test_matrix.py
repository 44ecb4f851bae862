from __future__ import annotations

from collections.abc import Callable

import h5py
import numpy as np
import pytest

from memfeat.errors import StoreError, UsageError
from memfeat.store import matrix as module
from memfeat.store.cache import ChangedError
from memfeat.store.failures import Failure, write_failure
from memfeat.store.matrix import Column, Matrix, load_matrix, parse_column
from memfeat.store.naming import video_path
from memfeat.store.record import read_video


def test_rows_carry_ids_and_columns_their_names_keys_and_types(filled) -> None:
    matrix = filled.matrix(["hog:first", "contrast", "contrast:std", "clip"])
    assert matrix.ids == filled.ids and len(matrix) == 5 and matrix.shape == (5, 6 + 1 + 1 + 5)
    assert matrix.columns[0] == Column("hog:first", "hog", "first", 6, "key-hog", "float32")
    assert matrix.columns[1] == Column("contrast:mean", "contrast", "mean", 1, "key-contrast", "float64")
    assert matrix.keys["clip:mean"] == "key-clip"
    for row, id in enumerate(matrix.ids):
        video = read_video(video_path(filled.path, id))
        parts = [
            video["hog"].first,
            video["contrast"].mean,
            video["contrast"].reduce("std"),
            video["clip"].mean,
        ]
        np.testing.assert_array_equal(matrix.to_numpy()[row], np.concatenate(parts))


def test_types_follow_the_columns(filled) -> None:
    assert filled.matrix(["hog", "clip"]).to_numpy().dtype == np.float32
    assert filled.matrix(["hog", "contrast"]).to_numpy().dtype == np.float64
    frame = filled.matrix(["hog", "contrast"]).to_pandas()
    assert frame.dtypes["hog:mean[0]"] == np.float32 and frame.dtypes["contrast:mean"] == np.float64
    assert list(frame.columns) == [*(f"hog:mean[{n}]" for n in range(6)), "contrast:mean"]
    assert frame.index.name == "id" and tuple(frame.index) == filled.ids


def test_a_vector_of_one_number_is_still_a_vector() -> None:
    assert Column("a:mean", "a", "mean", 1, "k", "float32").labels() == ["a:mean[0]"]


def test_blocks_are_mapped_where_the_store_is_whole_and_copies_elsewhere(filled) -> None:
    filled.matrix(["clip"])
    assert isinstance(filled.matrix(["clip"]).block("clip"), np.memmap)
    part = load_matrix(filled.path, ["clip"], ids=["é.webm", "a.mp4"])
    assert part.ids == ("é.webm", "a.mp4")
    np.testing.assert_array_equal(
        part.block("clip:mean")[1], read_video(video_path(filled.path, "a.mp4"))["clip"].mean
    )
    copy = filled.matrix(["clip"]).to_numpy()
    copy[:] = 0
    assert filled.matrix(["clip"]).to_numpy().any()
    frame = filled.matrix(["clip"]).to_pandas()
    frame.iloc[:] = 0
    assert filled.matrix(["clip"]).to_numpy().any()


def test_unknown_blocks_are_listed(filled) -> None:
    with pytest.raises(
        UsageError, match=r"no column 'hog:frist'; it has hog:first\. Did you mean 'hog:first'\?"
    ):
        filled.matrix(["hog:first"]).block("hog:frist")


def test_take_aligns_by_id(filled) -> None:
    matrix = filled.matrix(["clip", "contrast"])
    taken = matrix.take(["é.webm", "a.mp4"])
    assert taken.ids == ("é.webm", "a.mp4") and taken.columns == matrix.columns
    np.testing.assert_array_equal(taken.to_numpy(), matrix.to_numpy()[[4, 1]])
    assert matrix.take(matrix.ids) is matrix
    with pytest.raises(UsageError, match=r"no row for 'a\.mp5'\. Did you mean 'a\.mp4'"):
        matrix.take(["a.mp5"])
    with pytest.raises(UsageError, match=r"'a\.mp4' is asked for twice"):
        matrix.take(["a.mp4", "a.mp4"])


def test_take_says_why_a_row_is_missing(filled, put: Callable, make) -> None:
    put("zz.mp4", make.size())
    with pytest.raises(UsageError, match="It was left out: not extracted: clip"):
        filled.matrix(["clip"]).take(["zz.mp4"])


@pytest.mark.parametrize("name", ["", ":mean", "hog:", "a:b:c"])
def test_column_names_have_one_or_two_parts(name: str) -> None:
    with pytest.raises(UsageError, match="A column is 'feature' or 'feature:reduction'"):
        parse_column(name)


@pytest.mark.parametrize(
    ("columns", "why"),
    [
        ("hog", "Columns are a list"),
        ([], "Columns are a list"),
        (["hog", "hog:mean"], "column 'hog:mean' is asked for twice"),
        (
            ["hgo"],
            r"has the feature 'hgo'; they have clip, contrast, flow, hog, remux-size\. Did you mean 'hog'",
        ),
        (["hog:std"], "'hog' has no reduction 'std'; it has mean, first"),
        (["contrast:mean-per-frame"], "no reduction 'mean-per-frame'"),
    ],
)
def test_unusable_columns_are_refused(filled, columns: object, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        load_matrix(filled.path, columns)


def test_an_unknown_policy_is_refused(filled) -> None:
    with pytest.raises(UsageError, match="missing is 'drop' or 'error'"):
        load_matrix(filled.path, ["hog"], missing="ignore")


def test_rows_that_lack_a_feature_are_left_out_with_the_reason(filled, put: Callable, make) -> None:
    put("part.mp4", make.contrast())
    write_failure(filled.path, Failure("part.mp4", "gpu", "OutOfMemory", "too long", keys={"clip": "k"}))
    put("late.mp4", make.clip())
    write_failure(filled.path, Failure("late.mp4", "gpu", "Other", "elsewhere", keys={"csn": "k"}))
    write_failure(filled.path, Failure("broken.mp4", "cpu", "NoFramesError", "no frame decodes"))
    matrix = filled.matrix(["clip", "contrast:std"])
    assert matrix.ids == ("B/one.mp4", "a.mp4", "b/one.mp4", "c d.mp4", "é.webm")
    assert matrix.missing == {
        "part.mp4": "OutOfMemory: too long",
        "late.mp4": "not extracted: contrast",
        "broken.mp4": "NoFramesError: no frame decodes",
    }
    with pytest.raises(StoreError, match=r"3 videos lack a feature: broken\.mp4 \(NoFramesError"):
        filled.matrix(["clip", "contrast"], missing="error")


def test_ids_that_the_store_does_not_know_are_missing(filled) -> None:
    matrix = load_matrix(filled.path, ["clip"], ids=["a.mp4", "never.mp4"])
    assert matrix.ids == ("a.mp4",) and matrix.missing == {"never.mp4": "not extracted: clip"}
    with pytest.raises(UsageError, match="asked for twice"):
        load_matrix(filled.path, ["clip"], ids=["a.mp4", "a.mp4"])


def test_unreadable_files_are_missing_by_name(filled) -> None:
    path = video_path(filled.path, "a.mp4")
    path.write_bytes(b"damage")
    missing = filled.matrix(["clip"]).missing
    assert list(missing) == [path.relative_to(filled.path).as_posix()] and "damaged" in next(
        iter(missing.values())
    )


def test_rows_whose_values_are_damaged_are_missing_from_all_columns(filled) -> None:
    with h5py.File(video_path(filled.path, "a.mp4"), "a") as file:
        del file["clip/values"]
        file["clip/values"] = np.full((2, 5), np.nan, "f4")
    matrix = filled.matrix(["contrast", "clip"])
    assert "a.mp4" not in matrix.ids and matrix.shape == (4, 6) and "not finite" in matrix.missing["a.mp4"]
    np.testing.assert_array_equal(
        matrix.block("contrast"), filled.matrix(["contrast"]).take(matrix.ids).block("contrast")
    )


def test_no_row_left_is_a_clear_error(store, put: Callable, make) -> None:
    with pytest.raises(UsageError, match="No video of .* has the feature 'hog'; they have none"):
        store.matrix(["hog"])
    put("a.mp4", make.hog())
    put("b.mp4", make.size())
    with pytest.raises(
        UsageError, match=r"Not one video of .* has all of hog:mean, remux-size:mean; missing are a\.mp4"
    ):
        store.matrix(["hog", "remux-size"])


def test_a_feature_for_no_row_is_dropped_and_a_mix_refused(store, put: Callable, make) -> None:
    for name in ("a.png", "b.png"):
        put(name, make.no_flow(), make.hog())
    matrix = store.matrix(["flow", "hog", "flow:std"])
    assert [column.name for column in matrix.columns] == ["hog:mean"]
    assert matrix.dropped["flow:mean"] == "not applicable to any of 2 videos: needs 2 frames, the file has 1"
    assert "dropped flow:mean, flow:std" in repr(matrix)
    with pytest.raises(
        UsageError, match="No column is left: 'flow:mean' is not applicable to any of 2 videos"
    ):
        store.matrix(["flow"])
    put("c.mp4", make.flow(), make.hog())
    with pytest.raises(
        UsageError, match=r"'flow:mean' is not applicable to 2 of 3 videos, such as 'a\.png', 'b\.png'"
    ):
        store.matrix(["hog", "flow"])
    assert load_matrix(store.path, ["flow", "hog"], ids=["c.mp4"]).shape == (1, 7)


def test_rows_left_out_do_not_make_a_mix(store, put: Callable, make) -> None:
    put("a.png", make.no_flow())
    put("c.mp4", make.flow(), make.hog())
    assert store.matrix(["flow", "hog"]).ids == ("c.mp4",)


def test_mixed_keys_are_an_error_with_both_and_how_many(filled, put: Callable, make) -> None:
    put("z.mp4", make.contrast(key="key-2"))
    with pytest.raises(StoreError, match=r"2 ways: keys key-contrast \(5 videos\), key-2 \(1 videos\)"):
        filled.matrix(["contrast"])
    assert filled.filter(ids=["z.mp4"]).matrix(["contrast"]).keys == {"contrast:mean": "key-2"}


def test_a_store_that_changes_meanwhile_is_listed_again(filled, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = 0
    original = module.load_column

    def flaky(*args: object, **options: object) -> object:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise ChangedError("changes")
        return original(*args, **options)

    monkeypatch.setattr(module, "load_column", flaky)
    assert filled.matrix(["hog"]).shape == (5, 6)
    calls = -5
    with pytest.raises(ChangedError):
        filled.matrix(["hog"])


def test_shapes_are_checked_when_a_matrix_is_built() -> None:
    column = Column("a:mean", "a", "mean", 2, "k", "float64")
    with pytest.raises(UsageError, match=r"'a:mean' has the shape \(1, 1\); \(1, 2\) is needed"):
        Matrix(["x"], [column], {"a:mean": np.zeros((1, 1))})


def test_repr_says_what_is_in_it(filled, put: Callable, make) -> None:
    put("zz.mp4", make.size())
    assert (
        repr(filled.matrix(["hog", "contrast"]))
        == "<Matrix of 5 ids: hog:mean (6), contrast:mean (1); 1 ids missing>"
    )
