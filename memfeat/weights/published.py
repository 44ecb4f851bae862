"""What is known of one published file of weights."""

from __future__ import annotations

import re
from dataclasses import dataclass

from memfeat.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """One file of weights: its names, where it is published, and how to tell it from others.

    Examples
    --------
    >>> weights = Published(
    ...     name="resnet101-imagenet1k-v1",
    ...     files=("resnet101-63fe2227.pth",),
    ...     url="https://download.pytorch.org/models/resnet101-63fe2227.pth",
    ...     sha256="63fe2227",
    ...     licence="BSD-3-Clause (torchvision); ImageNet's terms for the data",
    ...     source="torchvision",
    ... )
    >>> weights.where
    'https://download.pytorch.org/models/resnet101-63fe2227.pth'
    """

    name: str
    """As in the names of features."""
    files: tuple[str, ...]
    """Names under which the file is looked for in a folder of weights, the publisher's first."""
    source: str
    """Who publishes it, and for which paper."""
    licence: str
    """What is known of its terms; not legal advice."""
    url: str = ""
    """Direct address, where there is one."""
    hub: tuple[str, str] | None = None
    """Repository and file on the Hugging Face hub, where it is there."""
    sha256: str = ""
    """The beginning of the file's digest, as many digits as its publisher gives; empty where it gives none."""

    def __post_init__(self) -> None:
        if not self.files or not re.fullmatch(r"[0-9a-f]{0,64}", self.sha256):
            raise UsageError(f"Weights {self.name!r} need a file name and a digest in lower-case hex digits.")

    @property
    def where(self) -> str:
        """The address to tell a user."""
        if self.hub is not None:
            return f"{self.hub[1]} of {self.hub[0]} on the Hugging Face hub"
        return self.url or self.source
