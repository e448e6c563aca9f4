"""SqueezeNet."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, STEMS, ModelSpec, Published

SQUEEZENET: dict[str, ModelSpec] = {
    "squeezenet1_1": ModelSpec(
        title="SqueezeNet 1.1",
        family="squeezenet",
        year=2016,
        builder="cnncore.models.squeezenet:squeezenet",
        source="The authors' release 1.1, after Iandola et al.: SqueezeNet, 2016, as torchvision has it.",
        summary="AlexNet's accuracy with a fiftieth of its parameters: 1×1 convolutions squeeze the maps first.",
        native_size=224,
        min_size=10,
        published_min_size=17,
        small_stem="The first convolution moves by 1 pixel instead of 2; all weights keep their shapes.",
        in_channels=3,
        num_classes=1_000,
        num_params=1_235_496,
        depth=18,
        facts=(
            "A fire module squeezes the maps by a 1×1 convolution and expands them by 1×1 and 3×3 filters side by "
            "side, so that few channels reach the 3×3 filters.",
            "No dense layers: the last convolution has one map a class, whose average is the class's score, as in "
            "Network in Network.",
            "Release 1.1 needs 2.4 times fewer operations than the paper's network: its first convolution has 64 "
            "filters of 3×3 instead of 96 of 7×7, and it pools sooner.",
        ),
        cautions=(
            "The paper describes release 1.0, with 1,248,424 parameters; both are equally accurate.",
            '"50 times fewer parameters than AlexNet" is before the compression to 8 or 6 bits, which gives 363 and '
            "510 times.",
            "A ReLU follows the last maps too, so that no score is below 0.",
        ),
        results=(
            Published(
                dataset="ImageNet", protocol="1 crop", top1=58.178, top5=80.624, source="torchvision, IMAGENET1K_V1"
            ),
        ),
        torchvision="squeezenet1_1",
        taps=("conv1", "fire2", "fire3", "fire5", "fire9"),
        defaults={
            "activation": "relu",
            "norm": "none",
            "pool": "overlapping",
            "dropout": 0.5,
            "stem": "auto",
            "init": "kaiming",
        },
        choices={**PLAIN, "norm": ("none", "batch"), "stem": STEMS},
        refusals={
            "norm=lrn": "SqueezeNet was published without LRN, and nothing says where it would stand.",
            "output": "SqueezeNet has no output layer to choose: it averages one map a class.",
        },
    ),
}
