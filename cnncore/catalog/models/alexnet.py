"""AlexNet."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, ModelSpec

ALEXNET: dict[str, ModelSpec] = {
    "alexnet_small": ModelSpec(
        title="AlexNet (small images)",
        family="alexnet",
        year=2012,
        builder="cnncore.models.alexnet:alexnet_small",
        source="Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional networks, 2012; "
        "stem and dense layers adapted to 28-64 pixels.",
        summary="The five convolutions that started deep learning's rise, fitted to small pictures.",
        native_size=32,
        min_size=28,
        in_channels=3,
        num_classes=10,
        num_params=4_090_058,
        depth=8,
        facts=(
            "The original has two towers and 60 million parameters, most of them in its dense layers; "
            "this form has the filters of one tower and 1,024 instead of 4,096 hidden units.",
            "ReLU, dropout 0.5, local response normalization and overlapping pooling are its four famous choices.",
        ),
        taps=("conv1", "conv2", "conv3", "conv4", "conv5"),
        defaults={"activation": "relu", "norm": "lrn", "pool": "overlapping", "dropout": 0.5, "init": "kaiming"},
        choices=PLAIN,
    ),
}
