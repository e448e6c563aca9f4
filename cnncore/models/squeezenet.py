"""SqueezeNet 1.1.

Source: the authors' release 1.1 of Iandola et al.: SqueezeNet: AlexNet-level accuracy with 50x fewer parameters and
<0.5MB model size, 2016 (Table 1 is release 1.0), as torchvision's `squeezenet1_1` has it: 3×3 poolings with stride 2
after the first convolution and after fire modules 3 and 5, whose last window may hang over the edge; dropout before the
last convolution, and a ReLU after it.
The last convolution's weights start with torchvision's deviation of 0.01. Our deviation: its biases start at 1, not at
0. With 0, the ReLU behind it leaves classes whose map is 0 everywhere: they get no gradient and are never predicted
(sixteen random images in ten classes stayed at a loss of 2.2; with 1 they are learned).

On small images the first convolution moves by 1 pixel instead of 2, so that 3×3 maps are left of 28 pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnncore.models.blocks import ACTIVATIONS, chain, conv_block, entry, pool_layer
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten
from cnncore.models.options import Options

FIRST = 64
FIRE = {
    # filters: 1×1 that squeeze, 1×1 that expand and as many 3×3
    2: (16, 64),
    3: (16, 64),
    4: (32, 128),
    5: (32, 128),
    6: (48, 192),
    7: (48, 192),
    8: (64, 256),
    9: (64, 256),
}
POOLED_AFTER = (3, 5)


class ClassMaps(nn.Conv2d):
    """The last convolution, one map a class, which starts above 0."""

    kind = "convolution"
    starts_itself = True

    def reset_parameters(self) -> None:
        nn.init.normal_(self.weight, 0, 0.01)
        assert self.bias is not None
        nn.init.ones_(self.bias)


class Fire(nn.Module):
    """1×1 convolutions that squeeze the maps, then 1×1 and 3×3 filters side by side, then perhaps a pooling."""

    def __init__(
        self, options: Options, in_channels: int, squeezed: int, expanded: int, pool: nn.Module | None
    ) -> None:
        super().__init__()
        self.squeeze = conv_block(options, in_channels, squeezed, 1)
        self.expand1 = conv_block(options, squeezed, expanded, 1)
        self.expand3 = conv_block(options, squeezed, expanded, 3, padding=1)
        self.out_channels = 2 * expanded
        self.pool = pool or nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        x = self.squeeze(x)
        return self.pool(torch.cat([self.expand1(x), self.expand3(x)], dim=1))


def squeezenet(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """SqueezeNet 1.1: 1,235,496 parameters at 224×224×3 with 1,000 classes."""
    channels = options.scaled(FIRST)
    stride = 1 if options.stem == "small" else 2
    layers = entry(options)
    layers["conv1"] = conv_block(options, in_shape[0], channels, 3, stride=stride, pool=_pool(options))
    for number, (squeezed, expanded) in FIRE.items():
        pool = _pool(options) if number in POOLED_AFTER else None
        fire = Fire(options, channels, options.scaled(squeezed), options.scaled(expanded), pool)
        layers[f"fire{number}"] = fire
        channels = fire.out_channels
    return chain(
        {
            **layers,
            "dropout": nn.Dropout(options.dropout or 0.0),
            "output": ClassMaps(channels, num_classes, 1),
            "activation": ACTIVATIONS[options.activation](),
            "average": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
        }
    )


def torchvision_layers(key: str) -> dict[str, str]:
    """Our layers and torchvision's; poolings are counted among theirs."""
    del key
    places = dict(zip(FIRE, (3, 4, 6, 7, 9, 10, 11, 12), strict=True))
    parts = {"squeeze": "squeeze", "expand1": "expand1x1", "expand3": "expand3x3"}
    fires = {
        f"fire{number}.{ours}.conv": f"features.{place}.{theirs}"
        for number, place in places.items()
        for ours, theirs in parts.items()
    }
    return {"conv1.conv": "features.0", **fires, "output": "classifier.1"}


def _pool(options: Options) -> nn.Module:
    """The published windows overlap without padding and hang over the edge: 111 → 55 → 27 → 13."""
    if options.pool == "overlapping":
        return nn.MaxPool2d(3, 2, ceil_mode=True)
    return pool_layer(options, ceil=True)
