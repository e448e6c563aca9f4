"""Xception and Inception-ResNet-v2, whose architectures are timm's."""

from __future__ import annotations

from collections.abc import Mapping

from cnncore.catalog.models.spec import ACTIVATIONS, INITS, NORMS, STEMS, ModelSpec, Published

_FIXED = "timm's networks come as they are; {} can be changed in those written here, Inception v3 among them."
_DEFAULTS = {"activation": "relu", "norm": "batch", "init": "pytorch", "stem": "auto"}
_CHOICES = {"activation": ("relu",), "norm": ("batch",), "init": INITS, "stem": STEMS}
_REFUSALS: Mapping[str, str] = {
    **{f"activation={name}": _FIXED.format("the activation") for name in ACTIVATIONS if name != "relu"},
    **{f"norm={name}": _FIXED.format("the normalization") for name in NORMS if name != "batch"},
    "width": _FIXED.format("the width"),
    "pool": "timm's networks come as they are; GoogLeNet lets you choose the pooling.",
    "aux": "timm's version of this network has no auxiliary heads.",
}

XCEPTION: dict[str, ModelSpec] = {
    "inception_resnet_v2": ModelSpec(
        title="Inception-ResNet-v2 (timm)",
        family="inception",
        year=2016,
        builder="cnncore.models.timm_networks:network",
        source="timm's inception_resnet_v2, after Szegedy et al.: Inception-v4, Inception-ResNet, 2016.",
        summary="Forty Inception modules, each with a shortcut around it.",
        native_size=299,
        min_size=17,
        published_min_size=75,
        small_stem="The first convolution moves by 1 pixel instead of 2 and every window is padded; all weights keep "
        "their shapes.",
        in_channels=3,
        num_classes=1_000,
        num_params=55_843_464,
        depth=176,
        facts=(
            "The residual branches are scaled by 0.1 to 0.2 before they are added, which keeps training stable.",
            "Shortcuts make it learn sooner than Inception v4, which costs as much and ends up about as good.",
        ),
        cautions=(
            "Keras counts 55,873,736 parameters: batch normalization's 60,544 statistics are among them, its 30,272 "
            "scales are not there.",
            "timm's table lists 13.19 billion multiply-accumulates; its convolutions and its dense layer make 13.16.",
        ),
        results=(Published(dataset="ImageNet", protocol="1 crop", top1=80.3, top5=95.3, source="timm's weights"),),
        timm="inception_resnet_v2",
        taps=("conv2d_2b", "conv2d_4a", "mixed_5b", "repeat", "mixed_6a", "repeat_1", "mixed_7a", "conv2d_7b"),
        defaults={**_DEFAULTS, "dropout": 0.2},
        choices=_CHOICES,
        refusals=_REFUSALS,
    ),
    "xception": ModelSpec(
        title="Xception (timm)",
        family="xception",
        year=2016,
        builder="cnncore.models.timm_networks:network",
        source="timm's legacy_xception, after Chollet: Xception, 2017.",
        summary="Depthwise separable convolutions with shortcuts: the extreme form of an Inception module.",
        native_size=299,
        min_size=21,
        published_min_size=39,
        small_stem="The first convolution moves by 1 pixel instead of 2; all weights keep their shapes.",
        in_channels=3,
        num_classes=1_000,
        num_params=22_855_952,
        depth=37,
        facts=(
            "A separable convolution filters each channel by itself (3×3), then mixes the channels (1×1).",
            "36 convolutional layers, separable ones counted once, in 14 blocks; all but the first and the last have a "
            "shortcut.",
        ),
        cautions=(
            "Keras counts 22,910,480 parameters: batch normalization's 54,528 statistics are among them.",
            "Not timm's newer xception41, xception65 and xception71, which are other networks.",
            "timm's table lists 8.40 billion multiply-accumulates; its convolutions and its dense layer make 8.36.",
        ),
        results=(Published(dataset="ImageNet", protocol="1 crop", top1=79.0, top5=94.5, source="timm's weights"),),
        timm="legacy_xception",
        taps=("act1", "act2", "block1", "block2", "block3", "block12", "act4"),
        defaults={**_DEFAULTS, "dropout": 0.5},
        choices=_CHOICES,
        refusals=_REFUSALS,
    ),
}
