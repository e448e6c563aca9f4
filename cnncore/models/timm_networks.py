"""Networks whose architecture is timm's: Inception-ResNet-v2, Xception and EfficientNet-Lite0.

Source: the library timm (`inception_resnet_v2`, `legacy_xception`, `tf_efficientnet_lite0`), after Szegedy et al.:
Inception-v4, Inception-ResNet and the impact of residual connections on learning, 2016; Chollet: Xception, 2017; Tan,
Le: EfficientNet, 2019, and Google's Lite variants of 2020. timm's layers keep their names, so its state_dicts fit as
they are; the layers without weights at the end (average, dropout) are ours.

Inception-ResNet-v2's residual branches are scaled by 0.17, 0.1 and 0.2 as in the authors' code. timm's Xception is the
port with batch normalization's usual epsilon (1e-5; Keras has 1e-3); its EfficientNet-Lite0 has 1e-3 and pads as
TensorFlow does.

On small images the first convolution moves by 1 pixel instead of 2 and, in Inception-ResNet-v2, every window is padded;
no weight changes its shape.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from cnncore.catalog import MODELS
from cnncore.models.blocks import chain, entry
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten
from cnncore.models.options import Options


@dataclass(frozen=True, kw_only=True)
class Part:
    """What is asked of timm's network.

    Attributes:
        first: Its first convolution.
        classifier: Its dense layer.
        padded: Whether all its windows are padded on small images.
    """

    first: str
    classifier: str
    padded: bool


PARTS = {
    "inception_resnet_v2": Part(first="conv2d_1a.conv", classifier="classif", padded=True),
    "xception": Part(first="conv1", classifier="fc", padded=False),
    "efficientnet_lite0": Part(first="conv_stem", classifier="classifier", padded=False),
}
NOT_OURS = ("global_pool", "head_drop")
"""timm's layers without weights before the classifier, in place of which ours stand."""


def network(options: Options, in_shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    """Any of `PARTS`: 55,843,464, 22,855,952 and 4,652,008 parameters."""
    # Late: timm imports torchvision, and both take seconds.
    from timm import create_model

    part = PARTS[options.name]
    theirs = create_model(MODELS[options.name].timm, pretrained=False, num_classes=num_classes, in_chans=in_shape[0])
    if options.stem == "small":
        _fit_small_images(theirs, part)
    # timm registers the layers in the order in which they run.
    layers = {name: layer for name, layer in theirs.named_children() if name not in NOT_OURS}
    classifier = layers.pop(part.classifier)
    return chain(
        {
            **entry(options),
            **layers,
            "average": AdaptiveAvgPool2d(1),
            "flatten": Flatten(),
            "dropout": nn.Dropout(options.dropout or 0.0),
            part.classifier: classifier,
        }
    )


def _fit_small_images(model: nn.Module, part: Part) -> None:
    first = model.get_submodule(part.first)
    assert isinstance(first, nn.Conv2d)
    first.stride = (1, 1)
    if not part.padded:
        return
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):
            layer.padding = tuple(side // 2 for side in layer.kernel_size)
        elif isinstance(layer, nn.MaxPool2d):
            layer.padding = 1
