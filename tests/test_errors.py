import inspect

from hypothesis import given
from hypothesis import strategies as st

from memfeat import errors
from memfeat.errors import DataError, MemfeatError, SetupError, UsageError, VideoError, nearest


def test_every_error_has_one_root_and_an_exit_code():
    kinds = [
        kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__
    ]
    assert all(issubclass(kind, MemfeatError) for kind in kinds)
    assert (UsageError.exit_code, DataError.exit_code, SetupError.exit_code) == (2, 3, 4)
    assert issubclass(VideoError, DataError)


@given(st.lists(st.text(min_size=1), min_size=1))
def test_a_known_word_is_its_own_nearest(known):
    assert nearest(known[0], known) == f" Did you mean {known[0]!r}?"


def test_nothing_near_gives_nothing():
    assert nearest("qqqq", ["hog", "flow"]) == ""
    assert nearest("x", []) == ""
