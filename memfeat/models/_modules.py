"""The modules of M3-S, found among the features that a store happens to have."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from memfeat.errors import UsageError

RAW = (
    ("hog",),
    ("brightness",),
    ("contrast",),
    ("sharpness-fft", "blur-lps"),
    ("h264-size", "remux-size"),
    ("flow", "flow-torch", "flow-opencv"),
)
"""The descriptors of the raw module; of each, the names in order of preference. A name stands for its variants
too (``brightness-hue``), which come after it."""
SCENE = ("hrnetv2", "hrnet")
EVENT = ("csn", "i3d", "swin3d", "mvit", "s3d", "r2plus1d", "r3d", "mc3")
"""Beginnings of names, in order of preference: ip-CSN, as published, and what may stand in for it."""
PUBLISHED = ("csn-ip-152-ig65m-kinetics", "ade20k")
"""Parts of the names of the weights that the published code loads."""
PARTS = ("raw", "scene", "event", "similarity")


def modules(features: Collection[str], *, parts: Sequence[str] = PARTS) -> dict[str, list[str]]:
    """Return the columns of each module that can be made of these features; a module without any is left out.

    The similarity module are DBSCAN's clusters of the scene features and of the event features, whether or
    not these modules are among `parts`.

    Parameters
    ----------
    features
        Names of the features in a store.
    parts
        Which modules are wanted, of ``raw``, ``scene``, ``event`` and ``similarity``.

    Examples
    --------
    >>> modules(["hog", "brightness-hue", "flow", "csn-ip-152-ig65m-kinetics", "clip-vit-b-32"])
    ... # doctest: +NORMALIZE_WHITESPACE
    {'raw': ['hog@pca-m3s', 'brightness-hue', 'flow'], 'event': ['csn-ip-152-ig65m-kinetics'],
     'similarity': ['csn-ip-152-ig65m-kinetics@dbscan']}
    """
    raw = [name for names in RAW for name in _best(features, names)[:1]]
    scene, event = _best(features, SCENE)[:1], _best(features, EVENT)[:1]
    found = {
        "raw": ["hog@pca-m3s" if name == "hog" else name for name in raw],
        "scene": scene,
        "event": event,
        "similarity": [f"{name}@dbscan" for name in (*scene, *event)],
    }
    return {part: found[part] for part in PARTS if part in parts and found[part]}


def columns(features: Collection[str], *, parts: Sequence[str] = PARTS) -> list[str]:
    """Return the columns of all modules, in their published order.

    Raises
    ------
    UsageError
        There is none; the message says which features would make one.

    Examples
    --------
    >>> columns(["contrast", "hrnetv2-w48-imagenet"], parts=["scene", "similarity"])
    ['hrnetv2-w48-imagenet', 'hrnetv2-w48-imagenet@dbscan']
    """
    found = [name for names in modules(features, parts=parts).values() for name in names]
    if not found:
        wanted = {"raw": (name for names in RAW for name in names[:1]), "scene": SCENE, "event": EVENT[:1]}
        wanted["similarity"] = (*SCENE, *EVENT[:1])
        listed = dict.fromkeys(name for part in PARTS if part in parts for name in wanted[part])
        raise UsageError(
            f"The store has no feature that this model takes by itself ({', '.join(listed)}); it has "
            f"{', '.join(sorted(features)) or 'none'}. Extract one, or name columns (--features)."
        )
    return found


def _best(features: Collection[str], beginnings: Sequence[str]) -> list[str]:
    """Return the features whose names begin so, the preferred beginning, weights and shortest name first."""

    def order(name: str) -> tuple[int, bool, int, str]:
        first = next(k for k, start in enumerate(beginnings) if _begins(name, start))
        return first, not any(part in name for part in PUBLISHED), len(name), name

    return sorted((name for name in features if any(_begins(name, b) for b in beginnings)), key=order)


def _begins(name: str, start: str) -> bool:
    return name == start or name.startswith(f"{start}-")
