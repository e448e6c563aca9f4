"""Network in Network."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, ModelSpec, Published

NIN: dict[str, ModelSpec] = {
    "nin": ModelSpec(
        title="Network in Network",
        family="nin",
        year=2013,
        builder="cnncore.models.nin:nin",
        source="Lin, Chen, Yan: Network in network, 2013, section 4.2, with the authors' published configuration.",
        summary="No dense layers: 1×1 convolutions after each convolution, and the average of one map a class.",
        native_size=32,
        min_size=8,
        in_channels=3,
        num_classes=10,
        num_params=966_986,
        depth=9,
        facts=(
            "Two 1×1 convolutions after each convolution are a small dense network that slides over the image "
            "(mlpconv); Inception and ResNet took the 1×1 convolution from here.",
            "The last layer has one map a class, whose average is the class's score: global average pooling, "
            "without a parameter, took the place of the dense layers.",
            "Its poolings overlap (3×3, stride 2): the first takes maxima, the second averages; dropout of 0.5 "
            "follows both.",
        ),
        cautions=(
            "The paper counts three mlpconv layers; nine convolutions have weights.",
            "The paper says max pooling throughout, the authors' configuration averages in the second one.",
            "The authors have a ReLU after the last maps too; here there is none, as it can leave classes that are "
            "never predicted.",
        ),
        results=tuple(
            Published(dataset="CIFAR-10", protocol=protocol, top1=top1, source="Lin et al., 2013, Table 1")
            for protocol, top1 in (("no augmentation", 89.59), ("translations and flips", 91.19))
        ),
        taps=("mlpconv1", "mlpconv2", "mlpconv3"),
        defaults={"activation": "relu", "norm": "none", "pool": "overlapping", "dropout": 0.5, "init": "kaiming"},
        choices={**PLAIN, "norm": ("none", "batch")},
        refusals={
            "norm=lrn": "Network in Network was published without LRN, and nothing says where it would stand.",
            "output": "Network in Network has no output layer: it averages one map a class.",
        },
    ),
}
