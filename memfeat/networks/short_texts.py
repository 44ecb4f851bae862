"""Texts of a CLIP without their padding: the end of a text sees nothing behind it, so that need not be computed.

Captions have some 15 of the 77 tokens that CLIP reads. Its mask is causal and its embedding is taken at the end of
the text, so a sequence that is cut behind the end gives the same embedding, up to rounding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

STEP = 8
"""Lengths are rounded up to a multiple of it, so that texts share batches."""


def lengths(tokens: Tensor) -> Tensor:
    """Return how much of each text (B, L) is computed: up to its end, the largest token, rounded up to `STEP`.

    >>> lengths(torch.tensor([[49406, 320, 49407] + [0] * 17, [49406] + [320] * 9 + [49407] + [0] * 9])).tolist()
    [8, 16]
    """
    ends = tokens.argmax(dim=1) + 1
    return (-(-ends // STEP) * STEP).clamp(max=tokens.shape[1])


def encode(clip: nn.Module, tokens: Tensor) -> Tensor:
    """Return the embeddings (B, width) of tokens (B, L), which may be cut behind the texts' ends.

    Parameters
    ----------
    clip
        A network of open_clip that `can_shorten`, or any where L is the length it was built for.
    tokens
        Texts of which none ends behind L.
    """
    whole: Any = clip
    with _of_length(clip, tokens.shape[1]):
        rows: Tensor = whole.encode_text(tokens)
    return rows


def can_shorten(clip: nn.Module) -> bool:
    """Return whether the text side is causal, ends where its largest token is, and is built as is known here."""
    side = _text_side(clip)
    mask, places = getattr(side, "attn_mask", None), getattr(side, "positional_embedding", None)
    pool = getattr(side, "text_pool_type", getattr(side, "pool_type", "argmax"))
    if not (isinstance(mask, Tensor) and isinstance(places, Tensor) and pool == "argmax" and mask.ndim == 2):
        return False
    causal = torch.full_like(mask, -torch.inf).triu(1)
    return mask.shape[0] == places.shape[0] and bool(torch.equal(mask, causal))


def _text_side(clip: nn.Module) -> nn.Module:
    side = getattr(clip, "text", clip)  # a module of its own in some of open_clip's networks
    return side if isinstance(side, nn.Module) else clip


@contextmanager
def _of_length(clip: nn.Module, length: int) -> Iterator[None]:
    side: Any = _text_side(clip)
    places = getattr(side, "positional_embedding", None)
    if places is None or places.shape[0] == length:
        yield
        return
    mask = side.attn_mask
    side.positional_embedding = nn.Parameter(places[:length], requires_grad=False)
    side.attn_mask = mask[:length, :length]
    try:
        yield
    finally:
        side.positional_embedding, side.attn_mask = places, mask
