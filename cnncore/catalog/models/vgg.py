"""VGG."""

from __future__ import annotations

from dataclasses import replace

from cnncore.catalog.models.spec import NORMS, PLAIN, STEMS, ModelSpec, Published

_PAPER = "Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2014"


def _paper(top1_error: float, top5_error: float) -> Published:
    return Published(
        dataset="ImageNet",
        protocol="dense evaluation, one scale (S = Q = 256)",
        top1=round(100 - top1_error, 1),
        top5=round(100 - top5_error, 1),
        source="Simonyan, Zisserman, 2014, Table 3",
    )


def _torchvision(top1: float, top5: float) -> Published:
    return Published(dataset="ImageNet", protocol="1 crop", top1=top1, top5=top5, source="torchvision, IMAGENET1K_V1")


_D = ModelSpec(
    title="VGG-16 (D)",
    family="vgg",
    year=2014,
    builder="cnncore.models.vgg:vgg",
    source=f"{_PAPER}, Table 1 column D.",
    summary="Thirteen 3×3 convolutions and three dense layers: the VGG that everybody means.",
    native_size=224,
    min_size=28,
    published_min_size=32,
    small_stem="Poolings that keep windows over the edge, 512 hidden units, at most 2×2 positions before them.",
    in_channels=3,
    num_classes=1_000,
    num_params=138_357_544,
    depth=16,
    torchvision="vgg16",
    facts=(
        "Three 3×3 convolutions see what one 7×7 sees, with 27C² instead of 49C² weights and two ReLUs more.",
        "123.6 of its 138.4 million parameters sit in the dense layers, 102.8 million in the first one alone.",
        "Without batch normalization it needs a careful start: the paper began with the trained column A; here "
        "Kaiming initialization.",
    ),
    cautions=(
        "The dense layers hold 123.6 million parameters and the whole network 138 million, not 1.2 billion.",
        '"conv3-64" is a 3×3 window with 64 filters, not three layers with 64 parameters.',
    ),
    results=(_paper(27.0, 8.8), _torchvision(71.592, 90.382)),
    taps=("stage1", "stage2", "stage3", "stage4", "stage5"),
    defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.5, "stem": "auto", "init": "kaiming"},
    choices={**PLAIN, "stem": STEMS},
)

_A = replace(
    _D,
    title="VGG-11 (A)",
    source=f"{_PAPER}, Table 1 column A.",
    summary="The shallowest column: shallow enough to start from random weights.",
    num_params=132_863_336,
    depth=11,
    torchvision="vgg11",
    facts=(
        "8 convolutions of 3×3 with 64 to 512 filters, 5 poolings, 3 dense layers.",
        "Its trained layers were the start of the deeper columns.",
        "The dense layers hold 123.6 of its 132.9 million parameters.",
    ),
    cautions=("Eight layers fewer than VGG-19, yet only 8 % fewer parameters: most sit in the dense layers.",),
    results=(_paper(29.6, 10.4), _torchvision(69.020, 88.628)),
)

_A_LRN = replace(
    _A,
    title="VGG-11 with LRN (A-LRN)",
    source=f"{_PAPER}, Table 1 column A-LRN.",
    summary="Column A with AlexNet's local response normalization, which gained nothing.",
    torchvision="",
    facts=(
        "Local response normalization after the first convolution, before its pooling; LRN has no parameters.",
        "29.7 against 29.6 % top-1 error without: the deeper columns left it out.",
    ),
    cautions=("AlexNet's paper credits LRN with a gain, VGG finds none: a contradiction between the sources.",),
    results=(_paper(29.7, 10.5),),
    defaults={**_A.defaults, "norm": "lrn"},
    choices={**_A.choices, "norm": tuple(norm for norm in NORMS if norm != "batch")},
    refusals={
        "norm=batch": "A-LRN is column A with LRN; with batch normalization in its place it is vgg11_bn, with both "
        "vgg11_lrn_bn."
    },
)

_B = replace(
    _D,
    title="VGG-13 (B)",
    source=f"{_PAPER}, Table 1 column B.",
    summary="Column A with two convolutions in every stage.",
    num_params=133_047_848,
    depth=13,
    torchvision="vgg13",
    facts=(
        "Two 3×3 convolutions in each of the five stages.",
        "Two 3×3 convolutions see what one 5×5 sees, with 18C² instead of 25C² weights.",
    ),
    cautions=(
        "The receptive field does not grow with the number of layers as such, but with their windows and strides.",
    ),
    results=(_paper(28.7, 9.9), _torchvision(69.928, 89.246)),
)

_B_5X5 = replace(
    _B,
    title="VGG-13 with 5×5 windows",
    source=f"{_PAPER}, section 4.1.",
    summary="Column B with one 5×5 convolution for each pair of 3×3: the paper's proof that stacks are better.",
    num_params=134_503_528,
    depth=8,
    torchvision="",
    facts=(
        "Sees exactly what column B sees, with half as many convolutions and more weights.",
        "The paper found its top-1 error 7 points higher than column B's (on a center crop).",
    ),
    results=(),
)

_C = replace(
    _D,
    title="VGG-16 with 1×1 (C)",
    source=f"{_PAPER}, Table 1 column C.",
    summary="Column D with 1×1 windows in the third convolution of the last three stages.",
    num_params=133_638_952,
    torchvision="",
    facts=(
        "A 1×1 convolution adds a ReLU but no view of the neighborhood.",
        "28.1 % top-1 error: better than B (28.7), worse than D (27.0), so both the ReLU and the neighborhood help.",
    ),
    cautions=("Also 16 layers deep: VGG-16 usually means column D, which has 4.7 million parameters more.",),
    results=(_paper(28.1, 9.4),),
)

_E = replace(
    _D,
    title="VGG-19 (E)",
    source=f"{_PAPER}, Table 1 column E.",
    summary="The deepest column: a fourth convolution in the last three stages.",
    num_params=143_667_240,
    depth=19,
    torchvision="vgg19",
    facts=(
        "16 convolutions of 3×3 and 3 dense layers.",
        "27.3 % top-1 error against column D's 27.0 % at one scale: the gain by depth had ended.",
    ),
    cautions=("The dense layers hold 123.6 million parameters and the whole network 144 million, not 1.2 billion.",),
    results=(_paper(27.3, 9.0), _torchvision(72.376, 90.876)),
)


def _with_batch_norm(row: ModelSpec, num_params: int, *results: Published) -> ModelSpec:
    """The row's twin with batch normalization after every convolution, as torchvision added it."""
    return replace(
        row,
        title=f"{row.title}, batch norm",
        year=2015,
        source=f"{row.source.removesuffix('.')}; with batch normalization as in torchvision.",
        num_params=num_params,
        torchvision=f"{row.torchvision}_bn" if row.torchvision else "",
        facts=(
            *row.facts[:2],
            "Batch normalization (Ioffe, Szegedy, 2015) before each ReLU spares it the careful start; the convolutions "
            "keep their biases, which it makes useless.",
        ),
        cautions=(
            "Not in the paper of 2014, which came before batch normalization.",
            "Keras counts the statistics of batch normalization as parameters too, torch does not.",
        ),
        results=results,
        defaults={**row.defaults, "norm": "batch"},
    )


_A_LRN_BN = replace(
    _with_batch_norm(_A_LRN, 132_868_840),
    choices={**_A.choices, "norm": ("batch",)},
    refusals={
        "norm=lrn": "It has LRN and batch normalization; with LRN alone it is vgg11_lrn.",
        "norm=none": "It has LRN and batch normalization; with neither it is vgg11.",
    },
)

VGG: dict[str, ModelSpec] = {
    "vgg11": _A,
    "vgg11_bn": _with_batch_norm(_A, 132_868_840, _torchvision(70.370, 89.810)),
    "vgg11_lrn": _A_LRN,
    "vgg11_lrn_bn": _A_LRN_BN,
    "vgg13": _B,
    "vgg13_bn": _with_batch_norm(_B, 133_053_736, _torchvision(71.586, 90.374)),
    "vgg13_5x5": _B_5X5,
    "vgg13_5x5_bn": _with_batch_norm(_B_5X5, 134_506_472),
    "vgg16_1x1": _C,
    "vgg16_1x1_bn": _with_batch_norm(_C, 133_647_400),
    "vgg16": _D,
    "vgg16_bn": _with_batch_norm(_D, 138_365_992, _torchvision(73.360, 91.516)),
    "vgg19": _E,
    "vgg19_bn": _with_batch_norm(_E, 143_678_248, _torchvision(74.218, 91.842)),
    "vgg11_small": ModelSpec(
        title="VGG-11 (small images)",
        family="vgg",
        year=2014,
        builder="cnncore.models.vgg:vgg",
        source=f"{_PAPER}, Table 1 column A; dense layers adapted to 28-64 pixels.",
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
        taps=_D.taps,
        defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.5, "init": "kaiming"},
        choices=PLAIN,
    ),
}
