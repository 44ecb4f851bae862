"""An entry says where its file is to be had."""

from __future__ import annotations

import pytest

from memfeat.errors import UsageError
from memfeat.weights.published import Published


def entry(**changes):
    return Published(**{"name": "x", "files": ("x.pth",), "source": "somebody", "licence": "MIT", **changes})


def test_the_hub_comes_before_an_address_and_an_address_before_a_name():
    assert entry().where == "somebody"
    assert entry(url="https://example.org/x.pth").where == "https://example.org/x.pth"
    assert entry(hub=("a/b", "x.safetensors"), url="https://example.org").where.startswith(
        "x.safetensors of a/b"
    )


@pytest.mark.parametrize("changes", [{"files": ()}, {"sha256": "XYZ"}, {"sha256": "0" * 65}])
def test_an_entry_that_could_not_be_found_or_checked_is_refused(changes):
    with pytest.raises(UsageError, match="'x'"):
        entry(**changes)
