"""Residual networks."""

from __future__ import annotations

from cnncore.catalog.models.spec import ACTIVATIONS, INITS, ModelSpec

RESNET: dict[str, ModelSpec] = {
    "resnet20": ModelSpec(
        title="ResNet-20",
        family="resnet",
        year=2015,
        builder="cnncore.models.resnet:resnet20",
        source="He, Zhang, Ren, Sun: Deep residual learning, 2015, section 4.2, option A shortcuts.",
        summary="Nine residual blocks with shortcuts: small, deep and accurate.",
        native_size=32,
        min_size=8,
        in_channels=3,
        num_classes=10,
        num_params=269_722,
        depth=20,
        facts=(
            "8.75 % error on CIFAR-10 in the paper (Table 6), with 0.27 million parameters.",
            "Shortcuts add the block's input to its output; where the size changes they sub-sample and pad with zeros.",
        ),
        taps=("stem", "stage1", "stage2", "stage3"),
        defaults={"activation": "relu", "norm": "batch", "init": "kaiming"},
        choices={"activation": ACTIVATIONS, "norm": ("none", "batch"), "init": INITS},
        refusals={
            "pool": "ResNet-20 has no pooling but the average over the last feature maps.",
            "dropout": "ResNet-20 uses no dropout; try weight decay or augmentation instead.",
            "norm=lrn": "LRN after an activation is no substitute for the batch normalization inside a residual block.",
        },
    ),
}
