"""AlexNet."""

from __future__ import annotations

from dataclasses import replace

from cnncore.catalog.models.spec import PLAIN, STEMS, ModelSpec, Published

_PAPER = "Krizhevsky, Sutskever, Hinton: ImageNet classification with deep convolutional networks, 2012"

_GROUPED = ModelSpec(
    title="AlexNet (two towers)",
    family="alexnet",
    year=2012,
    builder="cnncore.models.alexnet:alexnet",
    source=f"{_PAPER}, section 3.5.",
    summary="The network that started deep learning's rise, as it ran on two graphics cards.",
    native_size=227,
    min_size=28,
    published_min_size=67,
    small_stem="5×5 windows in the first layer with stride 1 to 4, padded poolings, 1,024 hidden units.",
    in_channels=3,
    num_classes=1_000,
    num_params=60_965_224,
    depth=8,
    facts=(
        "Its five famous choices: ReLU, two towers on two graphics cards, local response normalization (LRN), "
        "overlapping pooling and dropout.",
        "The towers are groups: filters of the second, fourth and fifth convolution see the maps of their own tower "
        "only, which saves 1.4 million parameters.",
        "LRN comes after the ReLU of the first two convolutions and before their pooling; pooling windows of 3×3 move "
        "by 2 pixels (55 → 27 → 13 → 6).",
        "The paper credits overlapping pooling with 0.4 and 0.3 points of top-1 and top-5 error.",
        "58.6 million of its parameters sit in the three dense layers.",
        "Weights start normal with deviation 0.01; biases of 1 give the ReLUs of the second, fourth and fifth "
        "convolution and of the hidden dense layers positive inputs.",
    ),
    cautions=(
        "The paper says 224×224 pixels; without padding only 227 give its 55×55 maps.",
        '"60 million parameters" means this one; the ungrouped version has 62.4, torchvision\'s 61.1 million.',
        "It won ImageNet 2012 by a wide margin, but it did not beat people.",
    ),
    results=(
        Published(
            dataset="ImageNet",
            protocol="ILSVRC-2010 test images, 10 crops",
            top1=62.5,
            top5=83.0,
            source="Krizhevsky et al., 2012, Table 1",
        ),
    ),
    taps=("conv1", "conv2", "conv3", "conv4", "conv5"),
    defaults={
        "activation": "relu",
        "norm": "lrn",
        "pool": "overlapping",
        "dropout": 0.5,
        "stem": "auto",
        "init": "normal",
    },
    choices={**PLAIN, "stem": STEMS},
)

_BATCH_NORM = replace(
    _GROUPED,
    year=2015,
    defaults={**_GROUPED.defaults, "norm": "batch", "init": "glorot"},
    results=(),
)

ALEXNET: dict[str, ModelSpec] = {
    "alexnet_grouped": _GROUPED,
    "alexnet_ungrouped": replace(
        _GROUPED,
        title="AlexNet (ungrouped, 227)",
        source=f"{_PAPER}; without its groups.",
        summary="The network of 2012 on one graphics card: every filter sees all maps before it.",
        num_params=62_378_344,
        facts=(
            "Everything as in the original, but the second, fourth and fifth convolution are not divided into towers.",
            "On one card there is no reason for towers; the paper says theirs gained 1.7 and 1.2 points over a net "
            "with half as many filters, not over this one.",
        ),
        cautions=(
            "Often shown as AlexNet itself: it has 1.4 million parameters more than the published network.",
            "The paper reports no accuracy for it.",
        ),
        results=(),
    ),
    "alexnet": replace(
        _GROUPED,
        title="AlexNet (torchvision)",
        year=2014,
        source="torchvision, after Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014.",
        summary="The one-tower version with fewer filters that torchvision's weights belong to.",
        native_size=224,
        published_min_size=63,
        num_params=61_100_840,
        torchvision="alexnet",
        facts=(
            "One tower with 64, 192, 384, 256 and 256 filters; the image is padded by 2 pixels, so that 224 pixels "
            "give 55×55 maps.",
            "No LRN; dropout stands before the hidden dense layers instead of behind them.",
        ),
        cautions=(
            "Not the network of 2012: one tower, other numbers of filters, no LRN.",
            "56.5 % top-1 is that of torchvision's weights with one crop; the paper's figures are of another network "
            "on other images with ten crops.",
        ),
        results=(
            Published(
                dataset="ImageNet", protocol="1 crop", top1=56.522, top5=79.066, source="torchvision, IMAGENET1K_V1"
            ),
        ),
        defaults={**_GROUPED.defaults, "norm": "none", "init": "pytorch"},
    ),
    "alexnet_bn": replace(
        _BATCH_NORM,
        title="AlexNet (batch norm, 224)",
        source=f"Widespread Keras tutorials; after {_PAPER}.",
        summary="The tutorials' version with batch normalization, as coded: 224 pixels into unpadded 11×11 windows.",
        native_size=224,
        num_params=50_846_760,
        facts=(
            "Batch normalization (Ioffe, Szegedy, 2015) after each convolution's ReLU takes the place of LRN.",
            "Without padding 224 pixels leave maps of 54 → 26 → 12 → 5: 6,400 inputs to the first dense layer instead "
            "of 9,216, and a row and a column of pixels that no window sees.",
            "Glorot initialization, as Keras has it.",
        ),
        cautions=(
            "Not the network of 2012, which had no batch normalization, and 11.5 million parameters fewer than its own "
            "repair at 227 pixels.",
            "Keras counts the statistics of batch normalization as parameters too: 2,752 more.",
        ),
    ),
    "alexnet_bn_227": replace(
        _BATCH_NORM,
        title="AlexNet (batch norm, 227)",
        source=f"Widespread Keras tutorials, repaired; after {_PAPER}.",
        summary="The tutorials' version with batch normalization at 227 pixels, where the windows fit.",
        num_params=62_381_096,
        facts=(
            "At 227 pixels the maps are the paper's, 55 → 27 → 13 → 6, and the first dense layer has 9,216 inputs.",
            "The ungrouped AlexNet with batch normalization after each convolution's ReLU instead of LRN.",
            "Glorot initialization, as Keras has it.",
        ),
        cautions=("Keras counts the statistics of batch normalization as parameters too: 2,752 more.",),
    ),
    "alexnet_small": ModelSpec(
        title="AlexNet (small images)",
        family="alexnet",
        year=2012,
        builder="cnncore.models.alexnet:alexnet",
        source=f"{_PAPER}; stem and dense layers adapted to 28-64 pixels.",
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
        taps=_GROUPED.taps,
        defaults={"activation": "relu", "norm": "lrn", "pool": "overlapping", "dropout": 0.5, "init": "kaiming"},
        choices=PLAIN,
    ),
}
