"""Finding a file of weights: the user's folder, the caches of the hubs, then a download."""

from __future__ import annotations

import hashlib
import logging
import os
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from memfeat.errors import WeightsError
from memfeat.weights.published import Published

FOLDER_VARIABLE = "MEMFEAT_WEIGHTS"
OFFLINE_VARIABLES = ("MEMFEAT_OFFLINE", "HF_HUB_OFFLINE")
_CHUNK = 1 << 22


def find(weights: Published, *, download: bool = True) -> Path:
    """Return the file of these weights, downloading it when it is nowhere.

    Looked for in the folder ``MEMFEAT_WEIGHTS`` and one level below it, in the Hugging Face cache, and in torch's hub
    cache; then downloaded into the cache it belongs to, with progress, unless ``MEMFEAT_OFFLINE`` is set.

    Raises
    ------
    WeightsError
        It is nowhere and cannot be downloaded, or its digest is not the published one; the message says which file,
        from where, and where to put it.
    """
    for path in candidates(weights):
        if path.is_file():
            return verified(path, weights)
    if not download or any(os.environ.get(name, "") not in ("", "0") for name in OFFLINE_VARIABLES):
        raise WeightsError(_absent(weights, "downloads are switched off"))
    return verified(_download(weights), weights)


def candidates(weights: Published) -> Iterator[Path]:
    """Yield where the file would be on this machine, in the order in which it is looked for."""
    own = os.environ.get(FOLDER_VARIABLE)
    if own:
        folder = Path(own).expanduser()
        for name in weights.files:
            yield folder / name
        below = sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
        for name in weights.files:
            yield from (each / name for each in below)
    if weights.hub is not None and (cached := _in_hub_cache(*weights.hub)) is not None:
        yield cached
    if weights.url:
        yield torch_cache() / weights.url.rpartition("/")[2]


def torch_cache() -> Path:
    """Return torch's folder of downloaded weights, without loading torch."""
    home = os.environ.get("TORCH_HOME") or Path(os.environ.get("XDG_CACHE_HOME", "~/.cache"), "torch")
    return Path(home).expanduser() / "hub" / "checkpoints"


def _in_hub_cache(repository: str, name: str) -> Path | None:
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:
        return None
    found = try_to_load_from_cache(repository, name)
    return Path(found) if isinstance(found, str) else None


def verified(path: Path, weights: Published) -> Path:
    """Return `path` when its digest begins as published.

    Raises
    ------
    WeightsError
        It does not: the file is damaged, incomplete, or another one.
    """
    found = sha256(path)
    if not found.startswith(weights.sha256):
        raise WeightsError(
            f"{path} is not {weights.name} as published: its sha256 begins with {found[:16]}, that of the published "
            f"file with {weights.sha256[:16]}. Remove it and get it again from {weights.where}; to use "
            "another file on purpose, give it with --weights FILE."
        )
    return path


def sha256(path: Path) -> str:
    """Return the digest of a file, computed once as long as its size and time stay the same.

    Raises
    ------
    WeightsError
        It cannot be read.
    """
    try:
        status = path.stat()
        return _sha256(path, status.st_size, status.st_mtime_ns)
    except OSError as error:
        raise WeightsError(f"The weights {path} cannot be read: {error.strerror or error}.") from error


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    state = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            state.update(chunk)
    return state.hexdigest()


def _download(weights: Published) -> Path:
    try:
        if weights.hub is not None:
            from huggingface_hub import hf_hub_download

            # What each failed try logs is in the error at the end.
            logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
            return Path(hf_hub_download(*weights.hub))
        if weights.url:
            import torch

            target = torch_cache() / weights.url.rpartition("/")[2]
            target.parent.mkdir(parents=True, exist_ok=True)
            # Written under another name first and renamed: a broken download leaves nothing.
            torch.hub.download_url_to_file(weights.url, str(target), progress=True)
            return target
    except ImportError as error:
        raise WeightsError(
            _absent(weights, f"{error.name} is missing: pip install 'memfeat[deep]'")
        ) from error
    except Exception as error:  # whatever the network, the proxy or the hub answer with
        reason = str(error).strip().splitlines()[:1] or [type(error).__name__]
        raise WeightsError(_absent(weights, f"the download failed: {reason[0]}")) from error
    raise WeightsError(_absent(weights, "it cannot be downloaded directly"))


def _absent(weights: Published, why: str) -> str:
    own = os.environ.get(FOLDER_VARIABLE)
    place = own or f"a folder of yours, and set {FOLDER_VARIABLE} to it"
    wanted = weights.where if weights.hub or weights.url else f"{weights.files[0]} from {weights.where}"
    return (
        f"The weights {weights.name} are not on this machine, and {why.rstrip('.')}. Get {wanted}, and put it as "
        f"{weights.files[0]} into {place}. Random weights, for trying things out, are used only when asked for: "
        "--weights random:0."
    )
