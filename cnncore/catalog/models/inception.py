"""GoogLeNet and its successors."""

from __future__ import annotations

from cnncore.catalog.models.spec import ACTIVATIONS, INITS, PLAIN, STEMS, ModelSpec, Published

_GOING_DEEPER = "Szegedy et al.: Going deeper with convolutions, 2014"
_RETHINKING = "Szegedy et al.: Rethinking the Inception architecture for computer vision, 2015"
_SWITCH = ("on", "off")

_GOOGLENET_DEFAULTS: dict[str, str | float] = {
    "activation": "relu", "pool": "max", "init": "kaiming", "stem": "auto", "module": "reduced", "aux": "on",
}  # fmt: skip
_GOOGLENET_CHOICES = {**PLAIN, "pool": ("max", "average"), "module": ("reduced", "naive"), "aux": _SWITCH}
_GOOGLENET_REFUSALS = {"pool=overlapping": "GoogLeNet's poolings between stages already overlap (3×3, stride 2)."}
_GOOGLENET_TAPS = ("stem", "inception3a", "inception3b", "inception4a", "inception4d", "inception5b")
_GOOGLENET_STEM = (
    "The first convolution moves by 1 pixel instead of 2 and the poolings are padded; all weights keep their shapes."
)
_HEADS = "The auxiliary heads hang on modules 4a and 4d; code that puts them elsewhere builds another network."
_SECOND_CONV = (
    "A 3×3 convolution with 192 filters stands before the second pooling; code that leaves it out builds another "
    "network."
)

_LATER_DEFAULTS = {"activation": "relu", "norm": "batch", "init": "kaiming", "stem": "auto"}
_LATER_CHOICES = {"activation": ACTIVATIONS, "norm": ("none", "batch"), "init": INITS, "stem": STEMS}
_LATER_REFUSALS = {
    "norm=lrn": "Batch normalization took the place of LRN in this network; GoogLeNet has LRN.",
    "pool": "Its table says which pooling takes averages and which maxima; GoogLeNet lets you choose.",
    "module": "Its modules have several forms, none of them naive; GoogLeNet has the naive one.",
}
_PADDED_STEM = (
    "The first convolution moves by 1 pixel instead of 2 and every window is padded; all weights keep their shapes."
)

INCEPTION: dict[str, ModelSpec] = {
    "googlenet": ModelSpec(
        title="GoogLeNet",
        family="inception",
        year=2014,
        builder="cnncore.models.googlenet:googlenet",
        source=f"{_GOING_DEEPER}, Table 1.",
        summary="The winner of 2014: nine Inception modules that look at 1×1, 3×3 and 5×5 neighborhoods at once.",
        native_size=224,
        min_size=17,
        published_min_size=31,
        small_stem=_GOOGLENET_STEM,
        in_channels=3,
        num_classes=1_000,
        num_params=13_378_280,
        depth=22,
        facts=(
            "Two auxiliary heads, on modules 4a and 4d, help the gradient while training; each counts 0.3 in the loss "
            "and drops 70 % of its hidden units.",
            "6,998,552 parameters classify; the heads hold 6,379,728 more and are thrown away after training.",
            "1×1 convolutions in front of the 3×3 and 5×5 ones cut their cost; the naive module (Figure 2a) has none.",
        ),
        cautions=(
            "The paper says 12 times fewer parameters than AlexNet. Counted exactly it is 8.7 times (60,965,224 to "
            "6,998,552), and 4.6 times with the auxiliary heads.",
            "torchvision's GoogLeNet has 3×3 convolutions where the paper has 5×5, and batch normalization.",
            _HEADS,
            _SECOND_CONV,
        ),
        results=(
            Published(dataset="ImageNet", protocol="1 crop, papers", top5=89.93, source=f"{_GOING_DEEPER}, Table 3"),
            Published(dataset="ImageNet", protocol="144 crops", top5=92.11, source=f"{_GOING_DEEPER}, Table 3"),
            Published(
                dataset="ImageNet", protocol="7 nets × 144 crops", top5=93.33, source=f"{_GOING_DEEPER}, Table 3"
            ),
        ),
        taps=_GOOGLENET_TAPS,
        defaults={**_GOOGLENET_DEFAULTS, "norm": "lrn", "dropout": 0.4},
        choices={**_GOOGLENET_CHOICES, "stem": STEMS},
        refusals=_GOOGLENET_REFUSALS,
        aux_weight=0.3,
    ),
    "googlenet_torchvision": ModelSpec(
        title="GoogLeNet (torchvision)",
        family="inception",
        year=2014,
        builder="cnncore.models.googlenet:googlenet",
        source=f"torchvision's googlenet, after {_GOING_DEEPER}.",
        summary="GoogLeNet as torchvision has it: batch normalization, and 3×3 where the paper has 5×5.",
        native_size=224,
        min_size=17,
        published_min_size=15,
        small_stem=_GOOGLENET_STEM,
        in_channels=3,
        num_classes=1_000,
        num_params=13_004_888,
        depth=22,
        facts=("6,624,904 parameters without the two auxiliary heads, which torchvision keeps for training only.",),
        cautions=(
            "The third branch has a 3×3 convolution where the paper has 5×5, a known mistake that the trained weights "
            "keep; batch normalization and dropout 0.2 are not the paper's either.",
            "torchvision's trained weights expect images scaled to -1 to 1, not ImageNet's mean and deviation.",
            _HEADS,
        ),
        results=(
            Published(dataset="ImageNet", protocol="1 crop", top1=69.778, top5=89.530, source="torchvision's weights"),
        ),
        torchvision="googlenet",
        taps=_GOOGLENET_TAPS,
        defaults={**_GOOGLENET_DEFAULTS, "norm": "batch", "dropout": 0.2},
        choices={**_GOOGLENET_CHOICES, "stem": STEMS},
        refusals=_GOOGLENET_REFUSALS,
        aux_weight=0.3,
    ),
    "googlenet_small": ModelSpec(
        title="GoogLeNet (small images)",
        family="inception",
        year=2014,
        builder="cnncore.models.googlenet:googlenet",
        source=f"{_GOING_DEEPER}, Table 1; stem adapted to 28-64 pixels.",
        summary="Nine Inception modules that look at 1×1, 3×3 and 5×5 neighborhoods at once.",
        native_size=32,
        min_size=28,
        in_channels=3,
        num_classes=10,
        num_params=10_333_886,
        depth=22,
        facts=(
            "Two auxiliary heads, on modules 4a and 4d, help the gradient while training; each counts 0.3 in the loss.",
            "22 layers with parameters, yet the original has far fewer parameters than AlexNet; "
            "here the auxiliary heads hold 4.4 of 10.3 million.",
            "The paper normalizes by local response; with batch normalization, the default here, it learns sooner.",
        ),
        cautions=("The first convolution is 3×3 instead of 7×7: no published number belongs to this form.",),
        taps=_GOOGLENET_TAPS[1:],
        defaults={
            "activation": "relu",
            "norm": "batch",
            "pool": "max",
            "dropout": 0.4,
            "init": "kaiming",
            "module": "reduced",
            "aux": "on",
        },
        choices=_GOOGLENET_CHOICES,
        refusals=_GOOGLENET_REFUSALS,
        aux_weight=0.3,
    ),
    "inception_bn": ModelSpec(
        title="BN-Inception",
        family="inception",
        year=2015,
        builder="cnncore.models.inception:inception",
        source="Ioffe, Szegedy: Batch normalization, 2015, Figure 5.",
        summary="The network that made batch normalization known: ten modules, each 5×5 as two 3×3.",
        native_size=224,
        min_size=17,
        published_min_size=33,
        small_stem="The first convolution moves by 1 pixel instead of 2; all weights keep their shapes.",
        in_channels=3,
        num_classes=1_000,
        num_params=11_188_288,
        depth=34,
        facts=(
            "Two 3×3 convolutions see what one 5×5 sees, with 18 instead of 25 weights for each pair of channels.",
            "Modules 3c and 4e halve the maps themselves: convolutions with stride 2 beside a maximum pooling.",
            "The first convolution is separable: 8 filters of 7×7 for each color, then 1×1 to 64 maps.",
            "Batch normalization took over from dropout and LRN, and there are no auxiliary heads.",
        ),
        cautions=(
            'It is called Inception v2 in TensorFlow, "BN-Inception" in the paper of Inception v2 and v3.',
            "The Caffe version in wide use projects the pooling of 4c and 4d to 128 maps; the paper's sizes (576) need "
            "96.",
        ),
        results=(
            Published(
                dataset="ImageNet", protocol="1 crop, papers", top1=74.8, top5=92.2, source=f"{_RETHINKING}, Table 3"
            ),
        ),
        taps=("stem", "inception3a", "inception3c", "inception4c", "inception4e", "inception5b"),
        defaults={**_LATER_DEFAULTS, "dropout": 0.0},
        choices=_LATER_CHOICES,
        refusals={**_LATER_REFUSALS, "aux": "BN-Inception has no auxiliary heads; GoogLeNet and Inception v3 have."},
    ),
    "inception_v2": ModelSpec(
        title="Inception v2",
        family="inception",
        year=2015,
        builder="cnncore.models.inception:inception",
        source=f"{_RETHINKING}, Table 1; numbers of filters from the released Inception v3.",
        summary="Factorized modules: 5×5 as two 3×3, 7×7 as 1×7 and 7×1, and wider ones at the end.",
        native_size=299,
        min_size=17,
        published_min_size=75,
        small_stem=_PADDED_STEM,
        in_channels=3,
        num_classes=1_000,
        num_params=28_479_920,
        depth=48,
        facts=(
            "The 7×7 convolution of the stem is factorized into three 3×3.",
            "A 5×5 as two 3×3 saves 28 % of the weights, an n×n as 1×n and n×1 saves 1 − 2/n.",
            "The auxiliary head acts as a regularizer rather than helping the gradient early, the paper finds.",
            "Of Inception v2 the paper reports 23.1 % error with RMSProp, and 22.8 % with label smoothing as well.",
        ),
        cautions=(
            "The paper prints no numbers of filters: those here are of the released Inception v3, and so no published "
            "parameter count belongs to it.",
            "Table 1's five modules at 17×17 are read as the reduction and four more, as in the released code: five "
            "more would exceed the paper's 25 million parameters. Its 42 layers leave the two reductions out.",
            "23.4 % error (1 crop) is Inception v2 with a 7×7 stem; Table 1, with the factorized one, is the row of "
            "21.6 %, which also has RMSProp and label smoothing.",
            "TensorFlow calls BN-Inception Inception v2.",
        ),
        results=(
            Published(
                dataset="ImageNet",
                protocol="1 crop, papers",
                top1=78.4,
                top5=94.2,
                source=f"{_RETHINKING}, Table 3, row Factorized 7×7 (RMSProp, label smoothing)",
            ),
        ),
        taps=("stem", "inception5b", "inception5d", "inception6a", "inception6e", "inception7c"),
        defaults={**_LATER_DEFAULTS, "dropout": 0.5, "aux": "on"},
        choices={**_LATER_CHOICES, "aux": _SWITCH},
        refusals=_LATER_REFUSALS,
        aux_weight=0.4,
    ),
    "inception_v3": ModelSpec(
        title="Inception v3",
        family="inception",
        year=2015,
        builder="cnncore.models.inception:inception",
        source=f"torchvision's inception_v3, after {_RETHINKING}.",
        summary="Eleven modules of five kinds, factorized, and one batch-normalized auxiliary head.",
        native_size=299,
        min_size=17,
        published_min_size=75,
        small_stem=_PADDED_STEM,
        in_channels=3,
        num_classes=1_000,
        num_params=27_161_264,
        depth=48,
        facts=(
            "The auxiliary head hangs on the last 17×17 maps and counts 0.4 in the loss (TensorFlow-Slim's training "
            "script; the paper gives no number).",
            "23,834,568 parameters without the auxiliary head.",
            "Its modules at 35×35 keep one 5×5 convolution, although the paper replaces it by two 3×3.",
        ),
        cautions=(
            "Parameter counts differ with (27,161,264) and without the auxiliary head (23,834,568).",
            "It takes 299×299 pixels; costs are often compared with those of networks at 224×224.",
            "torchvision's trained weights expect images scaled to -1 to 1, not ImageNet's mean and deviation.",
            "torchvision's averages count the zeros of the padding; TensorFlow's original does not.",
        ),
        results=(
            Published(dataset="ImageNet", protocol="1 crop", top1=77.294, top5=93.450, source="torchvision's weights"),
            Published(
                dataset="ImageNet", protocol="1 crop, papers", top1=78.8, top5=94.4, source=f"{_RETHINKING}, Table 3"
            ),
        ),
        torchvision="inception_v3",
        taps=("stem", "inception5b", "inception5d", "inception6a", "inception6e", "inception7c"),
        defaults={**_LATER_DEFAULTS, "dropout": 0.5, "aux": "on"},
        choices={**_LATER_CHOICES, "aux": _SWITCH},
        refusals=_LATER_REFUSALS,
        aux_weight=0.4,
    ),
}
