"""VGG."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, ModelSpec

VGG: dict[str, ModelSpec] = {
    "vgg11_small": ModelSpec(
        title="VGG-11 (small images)",
        family="vgg",
        year=2014,
        builder="cnncore.models.vgg:vgg11_small",
        source="Simonyan, Zisserman: Very deep convolutional networks, 2014, Table 1 column A; "
        "dense layers adapted to 28-64 pixels.",
        summary="Nothing but 3×3 convolutions and pooling, stacked: simple, deep and heavy.",
        native_size=32,
        min_size=28,
        in_channels=3,
        num_classes=10,
        num_params=9_750_922,
        depth=11,
        facts=(
            "Column A of the paper: 8 convolutions of 3×3 with 64 to 512 filters, 5 poolings.",
            "The original's three dense layers hold 123.6 of its 132.9 million parameters; "
            "with 512 instead of 4,096 hidden units they hold 0.5 of 9.8 million here.",
            "Without batch normalization it needs a careful initialization to start learning at all.",
        ),
        taps=("stage1", "stage2", "stage3", "stage4", "stage5"),
        defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.5, "init": "kaiming"},
        choices=PLAIN,
    ),
}
