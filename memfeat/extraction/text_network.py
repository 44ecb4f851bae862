"""The text side of a CLIP: its name in a store, its key, its weights, and what it makes of texts."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from memfeat.errors import SetupError, UsageError, WeightsError
from memfeat.extraction.deep.device import describe
from memfeat.extraction.deep.halving import Halving
from memfeat.extraction.deep.wanted import missing
from memfeat.extractors import get_network
from memfeat.extractors.clip import ClipImages, Release, build_clip, published, whole_names
from memfeat.frame_selection import ALL
from memfeat.weights import lookup, states
from memfeat.weights.choice import PUBLISHED, Choice

if TYPE_CHECKING:
    from torch import Tensor, nn

VERSION = 1
"""Raised by whoever changes a value."""
UNIT = "embedding, not normalised"
_BATCH_ON = {"cuda": 512, "cpu": 32}
_RANDOM = re.compile(r"-random\d+$")
_IMAGES = "visual."


@dataclass(frozen=True, slots=True)
class TextNetwork:
    """The text side of one CLIP with its weights, for one field of texts.

    Attributes
    ----------
    release
        Model and weights, as `memfeat.extractors.clip` has them.
    field
        Which texts of a store.
    choice
        The answer to ``--weights``.
    digest, file
        sha256 and path of the file of weights; empty and None for random ones.
    """

    release: Release
    field: str
    choice: Choice = PUBLISHED
    digest: str = ""
    file: Path | None = None

    @property
    def name(self) -> str:
        """Name of the feature: that of the network, ``-text-``, the field, and the seed of random weights."""
        seed = f"-random{self.choice.seed}" if self.choice.random else ""
        return f"clip-{self.release.name}-text-{self.field}{seed}"

    @property
    def recipe(self) -> dict[str, Any]:
        """Everything values depend on, beside the texts."""
        return {
            "extractor": f"clip-{self.release.name}-text",
            "version": VERSION,
            "parameters": {
                "network": f"open_clip {self.release.model}",
                "tokens": "lower-case byte pairs, cut at the network's length",
                "layer": "text projection",
            },
            "weights": {"random": self.choice.seed} if self.choice.random else {"sha256": self.digest},
            "texts": self.field,
            "precision": "float32",
        }

    @property
    def key(self) -> str:
        """The feature key: 16 hex digits, equal for every video whose texts were embedded alike."""
        text = json.dumps(self.recipe, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def weights(self) -> dict[str, Any]:
        """Where the weights come from, as JSON."""
        if self.file is None:
            return {"random": self.choice.seed}
        return {"file": self.file.name, "sha256": self.digest, "name": f"clip-{self.release.name}"}


def resolve(model: str, field: str, choice: Choice = PUBLISHED, *, download: bool = True) -> TextNetwork:
    """Find a CLIP and its weights.

    Parameters
    ----------
    model
        Name of a CLIP as an image network, such as ``clip-vit-b-32``, without layer and frames.
    field
        Which texts of a store.
    choice
        The answer to ``--weights``.
    download
        Whether absent weights may be fetched.

    Raises
    ------
    UsageError
        There is no such network, or it has no text side.
    WeightsError
        The weights are nowhere, or damaged.

    Examples
    --------
    >>> resolve("clip-vit-b-32", "captions", Choice(seed=3)).name
    'clip-vit-b-32-quickgelu-openai-text-captions-random3'
    """
    network = get_network(model)
    if _RANDOM.search(model):
        raise UsageError(f"{model!r}: random weights are asked for by --weights random:SEED.")
    if not isinstance(network, ClipImages):
        raise UsageError(f"{network.name!r} has no text side. Use a CLIP, such as clip-vit-b-32.")
    if network.before or network.selection != ALL:
        raise UsageError(
            f"{model!r} names a layer or frames of images; texts are embedded by clip-{network.release.name}."
        )
    if choice.random:
        return TextNetwork(network.release, field, choice)
    file = (choice.file or lookup.find(network.published, download=download)).resolve()
    return TextNetwork(network.release, field, choice, lookup.sha256(file), file)


class Encoder:
    """A text side on a device.

    Parameters
    ----------
    network
        Which.
    device
        ``cpu`` or ``cuda:N``.
    batch_size
        Texts of a batch; None for what suits the device.

    Attributes
    ----------
    length
        Tokens that the network reads; those beyond are cut.

    Raises
    ------
    WeightsError
        The file has no text side, is damaged, or belongs to another network.
    SetupError
        A library is missing, or the device has no memory for the network.
    """

    def __init__(self, network: TextNetwork, device: str, *, batch_size: int | None = None) -> None:
        self.network = network
        self.device = device
        self.batch_size = batch_size or _BATCH_ON[device.partition(":")[0]]
        try:
            from memfeat.networks.short_texts import can_shorten

            self._module: Any = _loaded(network).eval().requires_grad_(False).to(device)
            self._tokenizer: Any = _tokenizer(network.release)
        except ImportError as error:
            raise missing(error.name or "a library") from error
        self.length = int(self._tokenizer.context_length)
        self._shortens = can_shorten(self._module)
        self._halving = Halving[Any](self._launch, lambda: None)

    def cut(self, text: str) -> bool:
        """Return whether a text has more tokens than the network reads; two of them mark beginning and end."""
        return len(self._tokenizer.encode(text)) + 2 > self.length

    def __call__(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return the embeddings (len(texts), width), which do not depend on what else is in a batch.

        Texts of similar length are computed together, without the padding behind them.

        Raises
        ------
        SetupError
            The device has no memory for a single text.
        """
        from memfeat.extraction.deep.runner import exact_float32
        from memfeat.networks.short_texts import lengths

        tokens = self._tokenizer(list(texts), self.length)
        computed = lengths(tokens).tolist() if self._shortens else [self.length] * len(texts)
        rows: list[Any] = [None] * len(texts)
        with exact_float32():
            for length in sorted(set(computed)):
                of_length = [k for k, each in enumerate(computed) if each == length]
                for begin in range(0, len(of_length), self.batch_size):
                    places = of_length[begin : begin + self.batch_size]
                    for k, row in zip(places, self._rows(tokens[places, :length]), strict=True):
                        rows[k] = row
        return np.stack(rows)

    def provenance(self) -> dict[str, Any]:
        """Return how rows are computed, as JSON: information, no part of the key."""
        import torch

        return {
            "device": describe(self.device),
            "torch": str(torch.__version__),
            "open_clip": importlib.metadata.version("open-clip-torch"),
            "precision": "float32",
            "batch_size": self.batch_size,
        }

    def _rows(self, tokens: Tensor) -> npt.NDArray[np.float32]:
        parts = []
        for _, _, part in self._halving(list(tokens)):
            if part is None:
                raise SetupError(f"{self.device} has no memory for a single text. Use another --device.")
            parts.append(part)
        return np.concatenate(parts)

    def _launch(self, tokens: Sequence[Any]) -> npt.NDArray[np.float32]:
        import torch

        from memfeat.networks.short_texts import encode

        with torch.inference_mode():
            rows = encode(self._module, torch.stack(list(tokens)).to(self.device))
        return np.array(rows.float().cpu().numpy(), dtype=np.float32)


def _loaded(network: TextNetwork) -> nn.Module:
    from torch import nn

    def text_side() -> nn.Module:
        whole: Any = build_clip(network.release)
        whole.visual = nn.Identity()
        side: nn.Module = whole
        return side

    if network.choice.random:
        # The images' random network is built by the same calls, so that both sides are of one CLIP.
        return states.random_network(text_side, network.choice.seed or 0)
    if network.file is None:
        raise UsageError(f"{network.name!r} has neither a file of weights nor a seed.")
    module = text_side()
    state: dict[str, Tensor] = whole_names(states.read_state(network.file))
    texts = {name: tensor for name, tensor in state.items() if not name.startswith(_IMAGES)}
    if not any("token_embedding" in name for name in texts):
        raise WeightsError(
            f"{network.file} has no text side: it is the image side of a CLIP alone, or no CLIP. Get the whole from "
            f"{published(network.release).where}."
        )
    states.load_strictly(module, texts, origin=f"{network.file} (its text side)")
    return module


def _tokenizer(release: Release) -> Any:
    import open_clip

    settings = (open_clip.get_model_config(release.model) or {}).get("text_cfg", {})
    if settings.get("hf_tokenizer_name"):
        raise SetupError(
            f"{release.model} reads texts with a tokenizer that open_clip does not contain "
            f"({settings['hf_tokenizer_name']}). Use a CLIP whose tokenizer it contains, such as clip-vit-b-32."
        )
    return open_clip.get_tokenizer(release.model)
