"""CLIP image embeddings through open_clip: ``clip-<model>-<weights>``, or ``-pre``, before the projection."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar

from memfeat.errors import SetupError, UsageError
from memfeat.extractors._names import named, selection_of
from memfeat.extractors._pixels import shortest_side
from memfeat.frame_selection import ALL, FrameSelection
from memfeat.network_extractor import NetworkExtractor, NetworkFamily, Pixels
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

_PREFIX = "clip-"
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
QUICK_TAGS = ("openai",)
"""Weights that were trained with x·sigmoid(1.702 x) in place of GELU, whatever the model is called."""


@dataclass(frozen=True)
class Release:
    """One pair of model and weights of open_clip."""

    model: str
    tag: str
    embedding: int
    """Width of the joint space of images and texts."""
    width: int
    """Width of the image tower before the projection."""
    size: int
    """Side of the input in pixels."""
    hub: str
    licence: str = "MIT"

    @property
    def name(self) -> str:
        """Without the prefix, the layer and the frames."""
        return f"{self.model}-{self.tag}".lower().replace("_", "-")


_RELEASES = {
    release.name: release
    for release in (
        Release("ViT-B-32-quickgelu", "openai", 512, 768, 224, "timm/vit_base_patch32_clip_224.openai"),
        Release("ViT-B-16-quickgelu", "openai", 512, 768, 224, "timm/vit_base_patch16_clip_224.openai"),
        Release("ViT-L-14-quickgelu", "openai", 768, 1024, 224, "timm/vit_large_patch14_clip_224.openai"),
        Release("ViT-L-14-336-quickgelu", "openai", 768, 1024, 336, "timm/vit_large_patch14_clip_336.openai"),
        Release("ViT-B-32", "laion2b_s34b_b79k", 512, 768, 224, "laion/CLIP-ViT-B-32-laion2B-s34B-b79K"),
        Release("ViT-L-14", "laion2b_s32b_b82k", 768, 1024, 224, "laion/CLIP-ViT-L-14-laion2B-s32B-b82K"),
        Release("ViT-H-14", "laion2b_s32b_b79k", 1024, 1280, 224, "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"),
        Release(
            "ViT-L-14", "datacomp_xl_s13b_b90k", 768, 1024, 224, "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K"
        ),
    )
}
_SCALARS = ("input_resolution", "context_length", "vocab_size")
"""Not tensors of the network: OpenAI's files hold its sizes beside them."""


def published(release: Release) -> Published:
    """Return where the file of a release is."""
    original = {"ViT-B-32": "ViT-B-32.pt", "ViT-L-14-336": "ViT-L-14-336px.pt", "ViT-L-14": "ViT-L-14.pt"}
    by_hand = original.get(release.model.removesuffix("-quickgelu")) if release.tag == "openai" else None
    return Published(
        name=f"{_PREFIX}{release.name}",
        files=(f"{_PREFIX}{release.name}.safetensors", *((by_hand,) if by_hand else ())),
        hub=(release.hub, "open_clip_model.safetensors"),
        licence=release.licence,
        source="open_clip",
    )


class ClipImages(NetworkExtractor):
    """Image embeddings of CLIP, not normalised; every frame unless the name says otherwise.

    The projected embedding lies in the joint space of images and texts (512 numbers for B/32, 768 for L/14). ``-pre``
    is what it is projected from, the class token after the last normalisation (768 and 1,024).
    """

    unit: ClassVar[str] = "embedding, not normalised"

    def __init__(self, release: Release, *, before: bool, selection: FrameSelection) -> None:
        self.release = release
        self.before = before
        self.selection = selection
        self.name = named(f"{_PREFIX}{release.name}{'-pre' if before else ''}", selection, ALL)
        self.width = release.width if before else release.embedding
        layer = "before the projection" if before else "projected"
        self.summary = f"CLIP {release.model}, {release.tag}: image embedding, {layer}."
        self.published = published(release)
        self.mean, self.std = MEAN, STD

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the central square as open_clip prepares it: uint8 (3, size, size)."""
        size = self.release.size
        return shortest_side(rgb, resize=size, crop=size, interpolation="bicubic")

    def build(self) -> nn.Module:
        """Return the image tower.

        Raises
        ------
        SetupError
            open_clip built it with another activation than the weights were trained with.
        """
        clip = build_clip(self.release)
        if self.before:
            clip.visual.proj = None
        tower: nn.Module = clip.visual
        return tower

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the image tower's tensors of a whole CLIP, or of a file that holds the tower alone."""
        whole = any(name.startswith("visual.") for name in state)
        tower = {
            name.removeprefix("visual."): tensor
            for name, tensor in state.items()
            if not whole or name.startswith("visual.")
        }
        if self.before:
            tower.pop("proj", None)
        return {name: tensor.float() for name, tensor in tower.items()}

    def parameters(self) -> dict[str, Any]:
        """Return architecture, resizing and layer."""
        return {
            "network": f"open_clip {self.release.model}",
            "resize": f"shorter side {self.release.size}, central square, bicubic",
            "layer": "class token after normalisation" if self.before else "projection",
        }


def build_clip(release: Release) -> Any:
    """Return the whole network, images and texts, without weights.

    Raises
    ------
    SetupError
        open_clip is missing, or built it with another activation than the weights were trained with.
    """
    open_clip = _open_clip()
    try:
        logging.disable(logging.WARNING)  # that the weights are missing: they come next
        clip = open_clip.create_model(release.model, pretrained=None, load_weights=False)
    finally:
        logging.disable(logging.NOTSET)
    wanted = "QuickGELU" if release.model.endswith("-quickgelu") else "GELU"
    found = type(clip.visual.transformer.resblocks[0].mlp.gelu).__name__
    if found != wanted:
        raise SetupError(
            f"open_clip {open_clip.__version__} builds {release.model} with {found}; the weights {release.tag} need "
            f"{wanted}. Install the open_clip_torch that memfeat names."
        )
    return clip


def whole_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the tensors of a file for `build_clip`'s network, in float32."""
    return {name: tensor.float() for name, tensor in state.items() if name not in _SCALARS}


class _Clip(NetworkFamily):
    """The releases above, and any other ViT that open_clip lists."""

    summary = "CLIP image embeddings through open_clip (clip-<model>-<weights>[-pre]): one row per frame."

    def names(self) -> list[str]:
        return [f"{_PREFIX}{name}{layer}" for name in sorted(_RELEASES) for layer in ("", "-pre")]

    def aliases(self) -> Mapping[str, str]:
        return {
            "clip-vit-b-32": "clip-vit-b-32-quickgelu-openai",
            "clip-vit-l-14-336": "clip-vit-l-14-336-quickgelu-openai",
        }

    def make(self, name: str) -> NetworkExtractor | None:
        if not name.startswith(_PREFIX):
            return None
        for short, full in self.aliases().items():
            if (selection := selection_of(name, short, ALL)) is not None:
                name = named(full, selection, ALL)
        for tag in QUICK_TAGS:
            plain = next((r.model for r in _RELEASES.values() if name.startswith(_wrong(r, tag))), None)
            if plain is not None:
                raise UsageError(
                    f"The weights {tag} were trained with QuickGELU: use {_PREFIX}{plain.lower()}-{tag}, not {name}."
                )
        known: Mapping[str, Release] = _RELEASES
        if not any(name == f"{_PREFIX}{each}" or name.startswith(f"{_PREFIX}{each}-") for each in _RELEASES):
            known = {**_others(), **_RELEASES}
        for each in sorted(known, key=len, reverse=True):
            for before in (True, False):
                selection = selection_of(name, f"{_PREFIX}{each}{'-pre' if before else ''}", ALL)
                if selection is not None and selection.kind != "windows":
                    return ClipImages(known[each], before=before, selection=selection)
        return None


def _wrong(release: Release, tag: str) -> str:
    return f"{_PREFIX}{release.model.removesuffix('-quickgelu')}-{tag}".lower()


@cache
def _others() -> dict[str, Release]:
    """Every other ViT of open_clip with weights on the hub; empty without open_clip."""
    try:
        open_clip = _open_clip()
    except SetupError:
        return {}
    from open_clip.pretrained import get_pretrained_cfg

    found = {}
    for model, tag in open_clip.list_pretrained():
        config, weights = open_clip.get_model_config(model), get_pretrained_cfg(model, tag)
        hub = str(weights.get("hf_hub") or "").strip("/")
        vision = (config or {}).get("vision_cfg", {})
        quick = bool(weights.get("quick_gelu")) == model.endswith("-quickgelu")
        usual = (
            tuple(weights.get("mean", MEAN)) == MEAN and weights.get("interpolation", "bicubic") == "bicubic"
        )
        if not model.startswith("ViT-") or "patch_size" not in vision or not (hub and quick and usual):
            continue
        if weights.get("resize_mode", "shortest") != "shortest" or hub.count("/") != 1:
            continue
        size = vision.get("image_size", 224)
        release = Release(
            model,
            tag,
            int(config["embed_dim"]),
            int(vision.get("width", 768)),
            int(size),
            hub,
            "see its hub page",
        )
        found[release.name] = release
    return found


def _open_clip() -> Any:
    try:
        import open_clip
    except ImportError as error:
        raise SetupError("CLIP needs the extra deep: pip install 'memfeat[deep]'.") from error
    return open_clip


FAMILY = _Clip()
