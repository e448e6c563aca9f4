"""EfficientNet-Lite0, whose architecture is timm's."""

from __future__ import annotations

from collections.abc import Mapping

from cnncore.catalog.models.spec import ACTIVATIONS, INITS, NORMS, STEMS, ModelSpec, Published

_FIXED = "timm's networks come as they are; {} can be changed in those written here, ResNet among them."
_REFUSALS: Mapping[str, str] = {
    **{f"activation={name}": _FIXED.format("the activation") for name in ACTIVATIONS},
    **{f"norm={name}": _FIXED.format("the normalization") for name in NORMS if name != "batch"},
    "width": _FIXED.format("the width"),
    "pool": "EfficientNet has no pooling between its layers.",
}

EFFICIENTNET: dict[str, ModelSpec] = {
    "efficientnet_lite0": ModelSpec(
        title="EfficientNet-Lite0 (timm)",
        family="efficientnet",
        year=2020,
        builder="cnncore.models.timm_networks:network",
        source="timm's tf_efficientnet_lite0, after Google's EfficientNet-Lite, 2020; Tan, Le: EfficientNet, 2019.",
        summary="Inverted bottlenecks with depthwise convolutions: small, quick on a CPU, and good for transfer.",
        native_size=224,
        min_size=8,
        published_min_size=8,
        small_stem="The first convolution moves by 1 pixel instead of 2; all weights keep their shapes.",
        in_channels=3,
        num_classes=1_000,
        num_params=4_652_008,
        depth=34,
        facts=(
            "A block widens the maps sixfold by a 1×1 convolution, filters each channel by itself (3×3 or 5×5), and "
            "narrows them again; where the shape stays, a shortcut goes around it.",
            "Lite means: ReLU6 in place of swish, and no squeeze-and-excitation, so that it runs on small devices and "
            "in 8 bits.",
            "16 blocks between the first and a 1×1 convolution with 1,280 filters; depth counts a depthwise "
            "convolution and the 1×1 behind it once, as Xception does.",
        ),
        cautions=(
            "Not EfficientNet-B0, which has 5.3 million parameters, swish and squeeze-and-excitation.",
            "Like TensorFlow it pads unevenly: convolutions that move by 2 pixels get more zeros right and below.",
            "Google's table lists 407 million multiply-accumulates; its convolutions and its dense layer make 385.",
        ),
        results=(
            Published(
                dataset="ImageNet",
                protocol="1 crop",
                top1=75.1,
                source="Google's table of EfficientNet-Lite (fp32), whose weights these are",
            ),
        ),
        timm="tf_efficientnet_lite0",
        taps=("bn1", "blocks.0", "blocks.1", "blocks.2", "blocks.4", "blocks.6", "bn2"),
        defaults={"activation": "relu6", "norm": "batch", "dropout": 0.2, "init": "pytorch", "stem": "auto"},
        choices={"activation": ("relu6",), "norm": ("batch",), "init": INITS, "stem": STEMS},
        refusals=_REFUSALS,
    ),
}
