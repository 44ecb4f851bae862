"""Channel-separated networks for video, ip-CSN-152 and ir-CSN-152, with the names of both public releases.

Tran, D. et al. (2019), Video classification with channel-separated convolutional networks, ICCV: 3D ResNets whose
3×3×3 convolutions are depthwise. ``ip`` (interaction-preserved) puts a 1×1×1 convolution before each of them,
``ir`` (interaction-reduced) does not.
"""

from __future__ import annotations

import re
from typing import Literal

import torch
from torch import Tensor, nn

Kind = Literal["ip", "ir"]

BLOCKS = (3, 8, 36, 3)
PLANES = (64, 128, 256, 512)
EXPANSION = 4
FEATURES = PLANES[-1] * EXPANSION
MEAN = (0.43216, 0.394666, 0.37645)
STD = (0.22803, 0.22145, 0.216989)
"""Of RGB in 0 to 1, as the released weights were trained."""
_EPS = 1e-3


class _Block(nn.Module):
    def __init__(self, kind: Kind, width_in: int, planes: int, stride: int) -> None:
        super().__init__()
        width_out = planes * EXPANSION
        depthwise = nn.Conv3d(planes, planes, 3, stride=stride, padding=1, groups=planes, bias=False)
        middle: nn.Module = depthwise
        if kind == "ip":
            # No ReLU between the two: channels interact linearly.
            middle = nn.Sequential(nn.Conv3d(planes, planes, 1, bias=False), _norm(planes), depthwise)
        self.conv1 = nn.Sequential(nn.Conv3d(width_in, planes, 1, bias=False), _norm(planes), nn.ReLU())
        self.conv2 = nn.Sequential(middle, _norm(planes), nn.ReLU())
        self.conv3 = nn.Sequential(nn.Conv3d(planes, width_out, 1, bias=False), _norm(width_out))
        self.downsample = (
            nn.Sequential(nn.Conv3d(width_in, width_out, 1, stride=stride, bias=False), _norm(width_out))
            if stride != 1 or width_in != width_out
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        shortcut = x if self.downsample is None else self.downsample(x)
        return torch.relu(self.conv3(self.conv2(self.conv1(x))) + shortcut)


class CSN(nn.Module):
    """A channel-separated ResNet.

    Parameters
    ----------
    kind
        ``"ip"`` or ``"ir"``.
    classes
        Outputs of the classifier that the weights come with, 400 for Kinetics; None leaves it out.
    blocks
        Blocks per stage; that of depth 152 by default.

    Examples
    --------
    >>> network = CSN("ip", blocks=(1, 1, 1, 1)).eval()
    >>> with torch.inference_mode():
    ...     network.features(torch.zeros(2, 3, 8, 64, 64)).shape
    torch.Size([2, 2048])
    """

    def __init__(
        self, kind: Kind, *, classes: int | None = 400, blocks: tuple[int, int, int, int] = BLOCKS
    ) -> None:
        super().__init__()
        self.kind = kind
        self.stem = nn.Sequential(
            nn.Conv3d(3, 64, (3, 7, 7), stride=(1, 2, 2), padding=(1, 3, 3), bias=False),
            _norm(64),
            nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), stride=(1, 2, 2), padding=(0, 1, 1)),
        )
        width = 64
        for number, (planes, count) in enumerate(zip(PLANES, blocks, strict=True), start=1):
            stage = []
            for block in range(count):
                stage.append(_Block(kind, width, planes, stride=2 if block == 0 and number > 1 else 1))
                width = planes * EXPANSION
            setattr(self, f"layer{number}", nn.Sequential(*stage))
        self.avgpool = nn.AdaptiveAvgPool3d(1)
        self.fc = None if classes is None else nn.Linear(FEATURES, classes)

    def features(self, x: Tensor) -> Tensor:
        """Return the pooled features (B, 2048) of clips (B, 3, T, H, W), normalised by `MEAN` and `STD`.

        Any T, H and W that the strides leave at least one value of: 1 frame gives 1 value in time.
        """
        x = self.stem(x)
        for number in range(1, 5):
            x = getattr(self, f"layer{number}")(x)
        return torch.flatten(self.avgpool(x), 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return the class scores (B, classes), or the features where the classifier was left out."""
        features = self.features(x)
        return features if self.fc is None else torch.as_tensor(self.fc(features))


def _norm(width: int) -> nn.BatchNorm3d:
    return nn.BatchNorm3d(width, eps=_EPS)


_BLOCK = re.compile(r"^(layer\d+\.\d+)\.(conv1|conv2|conv3|downsample)\.(.+)$")


def mmaction_key(key: str, kind: Kind) -> str:
    """Return the name that mmaction2 gives to a tensor of `CSN`, whose own names are those of VMZ.

    >>> mmaction_key("layer1.0.conv2.0.2.weight", "ip")
    'backbone.layer1.0.conv2.1.conv.weight'
    >>> mmaction_key("layer1.0.conv2.0.weight", "ir"), mmaction_key("fc.bias", "ip")
    ('backbone.layer1.0.conv2.0.conv.weight', 'cls_head.fc_cls.bias')
    """
    if key.startswith("fc."):
        return f"cls_head.fc_cls.{key.removeprefix('fc.')}"
    if key.startswith("stem."):
        number, tensor = key.removeprefix("stem.").split(".", 1)
        return f"backbone.conv1.{'conv' if number == '0' else 'bn'}.{tensor}"
    found = _BLOCK.match(key)
    if found is None:
        raise KeyError(f"{key!r} is no tensor of a CSN")
    block, part, rest = found.groups()
    if part == "conv2":
        return f"backbone.{block}.conv2.{_middle(rest, kind)}"
    number, tensor = rest.split(".", 1)
    return f"backbone.{block}.{part}.{'conv' if number == '0' else 'bn'}.{tensor}"


def _middle(rest: str, kind: Kind) -> str:
    table = (
        {"0.0.": "0.conv.", "0.1.": "0.bn.", "0.2.": "1.conv.", "1.": "1.bn."}
        if kind == "ip"
        else {"0.": "0.conv.", "1.": "0.bn."}
    )
    prefix = next(each for each in table if rest.startswith(each))
    return table[prefix] + rest.removeprefix(prefix)


def own_names(
    state: dict[str, Tensor], kind: Kind, *, blocks: tuple[int, int, int, int] = BLOCKS
) -> dict[str, Tensor]:
    """Return the tensors of a released file under the names of `CSN`.

    VMZ's files have these names already (with ``module.`` before them where they were saved from several
    GPUs); mmaction2's are translated. What is unknown keeps its name, so that strict loading names it; a file of
    the backbone alone leaves the classifier out.

    Parameters
    ----------
    state
        Tensors by name.
    kind, blocks
        Of the network that will be given them.
    """
    plain = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    if not any(name.startswith(("backbone.", "cls_head.")) for name in plain):
        if not any(name.startswith("conv1.conv.") for name in plain):
            return plain
        plain = {f"backbone.{name}": tensor for name, tensor in plain.items()}
    with torch.device("meta"):
        ours = {mmaction_key(key, kind): key for key in CSN(kind, blocks=blocks).state_dict()}
    return {ours.get(name, name): tensor for name, tensor in plain.items()}
