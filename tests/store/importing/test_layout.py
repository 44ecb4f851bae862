import numpy as np
import pytest

from memfeat.errors import UsageError
from memfeat.store.importing.layout import ANY, Layout, parse_frames, survey
from memfeat.store.importing.values import FeatureFileError, Values


def look(of: dict, **known):
    def read(name):
        if isinstance(of[name], Exception):
            raise of[name]
        return of[name] if isinstance(of[name], Values) else Values(np.ones(of[name]))

    return survey(of, read, **known)


def test_one_vector_one_number_and_frames():
    assert look({"a": (5,), "b": (5,)}) == (Layout(5), ())
    assert look({"a": (1, 5), "b": (5,)}) == (Layout(5), ())
    assert look({"a": (), "b": ()}) == (Layout(None), ())
    assert look({"a": (4, 5), "b": (4, 5)}) == (Layout(5, ANY), ())
    layout, said = look({"a": (3, 5), "b": (3, 5)})
    assert layout == Layout(5, ("first", "middle", "last")) and "first, middle and last" in said[0]
    assert look({"a": (3, 5)}, frames=(0, 8, 16)) == (Layout(5, (0, 8, 16)), ())


def test_frames_that_files_name_are_kept():
    values = {name: Values(np.ones((2, 4)), (0, 56)) for name in "ab"}
    assert look(values) == (Layout(4, (0, 56)), ())
    values["b"] = Values(np.ones((2, 4)), (0, 57))
    with pytest.raises(UsageError, match="the frames 0, 56 .*the frames 0, 57"):
        look(values)
    assert look(values, frames=ANY) == (Layout(4, ANY), ())


def test_unreadable_files_do_not_hide_what_the_others_share():
    bad = FeatureFileError("b.txt is empty.")
    assert look({"b": bad, "a": (5,)}) == (Layout(5), ())
    with pytest.raises(UsageError, match=r"Not one .*b\.txt is empty"):
        look({"b": bad})


def test_differences_are_counted_and_shown():
    with pytest.raises(
        UsageError, match=r"2 have 5 numbers \(such as 'a'\); 1 have 4 numbers \(such as 'c'\).*--width"
    ):
        look({"a": (5,), "b": (5,), "c": (4,)})
    with pytest.raises(UsageError, match=r"2 have 3 frames.*1 have 2 frames.*--frames"):
        look({"a": (3, 5), "b": (3, 5), "c": (2, 5)})
    assert look({"a": (5,), "c": (4,)}, width=5) == (Layout(5), ())
    with pytest.raises(UsageError, match="one number"):
        look({"a": (), "c": (4,)})


@pytest.mark.parametrize(
    ("layout", "shape", "name"),
    [
        (Layout(None), (), "values"),
        (Layout(5), (5,), "mean"),
        (Layout(5), (1, 5), "mean"),
        (Layout(5, ANY), (1, 5), "values"),
        (Layout(5, (0, 9)), (2, 5), "values"),
    ],
)
def test_arrays_take_the_name_that_the_format_has_for_them(layout, shape, name):
    assert list(layout.arrays(Values(np.ones(shape)), "a")) == [name]


@pytest.mark.parametrize(
    ("layout", "values", "words"),
    [
        (Layout(5), Values(np.ones(4)), "4 numbers; 5 numbers are expected"),
        (Layout(5), Values(np.array(1.0)), "one number; 5 numbers"),
        (Layout(5), Values(np.ones((2, 5))), "2 frames; one vector is expected"),
        (Layout(5, (0, 9)), Values(np.ones((3, 5))), "3 frames; the frames 0, 9 are expected"),
        (Layout(5, (0, 9)), Values(np.ones((2, 5)), (0, 8)), "the frames 0, 8; the frames 0, 9"),
        (Layout(5, ANY), Values(np.ones(5)), "no frames; frames are expected"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(layout, values, words):
    with pytest.raises(FeatureFileError, match=f"'a' has {words}"):
        layout.arrays(values, "a")


@pytest.mark.parametrize("text", ["", "0,,3", "3,0", "1,1", ","])
def test_frames_that_are_none(text):
    with pytest.raises(UsageError, match="0,56,112"):
        parse_frames(text)
