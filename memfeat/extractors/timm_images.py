"""Any image network of timm, by its name there: ``timm-<model>.<weights>``."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from memfeat.errors import SetupError, UsageError, nearest
from memfeat.extractors._names import named, selection_of
from memfeat.frame_selection import ALL, FrameSelection
from memfeat.network_extractor import NetworkExtractor, NetworkFamily, Pixels
from memfeat.weights.published import Published

if TYPE_CHECKING:
    from torch import Tensor, nn

_PREFIX = "timm-"
_NAME = re.compile(r"timm-([a-z0-9_]+\.[a-z0-9_]+)(?:-[a-z0-9]+)?")
_LISTED = (
    "densenet121.ra_in1k",
    "efficientnet_b3.ra2_in1k",
    "resnet50.a1_in1k",
    "resnet101.a1h_in1k",
    "vit_base_patch16_224.augreg2_in21k_ft_in1k",
)


class TimmImages(NetworkExtractor):
    """A network of timm up to its pooled features, on frames prepared as its weights ask for; every frame."""

    unit: ClassVar[str] = "activation, pooled as the network does it before its classifier"

    def __init__(self, model: str, selection: FrameSelection) -> None:
        self.model = model
        self.selection = selection
        self.name = named(f"{_PREFIX}{model}", selection, ALL)
        self.summary = f"timm's {model}: pooled features per frame."

    @cached_property
    def _config(self) -> Any:
        timm = _timm()
        try:
            config = timm.get_pretrained_cfg(self.model)
        except RuntimeError:  # the network exists, these weights do not
            config = None
        if config is None or not config.has_weights:
            known = timm.list_models(pretrained=True)
            raise UsageError(f"timm has no weights {self.model!r}.{nearest(self.model, known)}")
        return config

    @cached_property
    def published(self) -> Published:  # type: ignore[override]
        """The file of weights on timm's hub."""
        config = self._config
        return Published(
            name=f"{_PREFIX}{self.model}",
            files=(f"{self.model}.safetensors", f"{_PREFIX}{self.model}.safetensors", f"{self.model}.pth"),
            hub=(config.hf_hub_id, config.hf_hub_filename or "model.safetensors")
            if config.hf_hub_id
            else None,
            url=config.url or "",
            licence=str(config.license or "not stated"),
            source="timm",
        )

    @property
    def mean(self) -> tuple[float, float, float]:  # type: ignore[override]
        """Of RGB in 0 to 1, as the weights were trained."""
        red, green, blue = self._config.mean
        return float(red), float(green), float(blue)

    @property
    def std(self) -> tuple[float, float, float]:  # type: ignore[override]
        """Of RGB in 0 to 1, as the weights were trained."""
        red, green, blue = self._config.std
        return float(red), float(green), float(blue)

    @cached_property
    def width(self) -> int:  # type: ignore[override]
        """Numbers per frame, as the network's definition has them."""
        _timm()
        import torch

        with torch.device("meta"):
            network = self.build()
        return int(getattr(network, "head_hidden_size", None) or network.num_features)  # type: ignore[arg-type]

    @cached_property
    def _transform(self) -> Any:
        import importlib

        _timm()
        data: Any = importlib.import_module("timm.data")
        settings = data.resolve_data_config({}, pretrained_cfg=self._config.to_dict())
        names = ("input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std")
        return data.create_transform(**{name: settings[name] for name in names}, normalize=False)

    def prepare(self, rgb: Pixels) -> Pixels:
        """Return the frame by timm's own transform for the weights: uint8 (3, h, w)."""
        from PIL import Image

        return np.asarray(self._transform(Image.fromarray(rgb)).numpy(), dtype=np.uint8)

    def build(self) -> nn.Module:
        """Return the network without its classifier."""
        made: nn.Module = _timm().create_model(self.model, pretrained=False, num_classes=0)
        return made

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return the release's tensors without the classifier."""
        heads = self._config.classifier or ()
        dropped = tuple(f"{head}." for head in ((heads,) if isinstance(heads, str) else heads))
        return {name: tensor for name, tensor in state.items() if not dropped or not name.startswith(dropped)}

    def parameters(self) -> dict[str, Any]:
        """Return architecture, resizing and layer."""
        config = self._config
        return {
            "network": f"timm {self.model}",
            "input": list(config.input_size),
            "resize": f"crop {config.crop_pct} {config.crop_mode}, {config.interpolation}",
            "layer": "pooled",
        }


class _Timm(NetworkFamily):
    """All of timm; the table of its networks is timm's, not ours."""

    summary = "Any image network of timm (timm-<model>.<weights>): pooled features, one row per frame."

    def names(self) -> list[str]:
        return [f"{_PREFIX}{name}" for name in _LISTED]

    def make(self, name: str) -> NetworkExtractor | None:
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        selection = selection_of(name, f"{_PREFIX}{found.group(1)}", ALL)
        if selection is None or selection.kind == "windows":
            return None
        return TimmImages(found.group(1), selection)


def _timm() -> Any:
    try:
        import timm
    except ImportError as error:
        raise SetupError("Networks of timm need the extra deep: pip install 'memfeat[deep]'.") from error
    return timm


FAMILY = _Timm()
