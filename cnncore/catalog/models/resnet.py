"""Residual networks, their plain twins without shortcuts, and those that activate before they convolve."""

from __future__ import annotations

from cnncore.catalog.models.spec import ACTIVATIONS, INITS, STEMS, ModelSpec, Published

_HE_2015 = "He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2015"
_HE_2016 = "He, Zhang, Ren, Sun: Identity mappings in deep residual networks, 2016"
_RESIDUAL = "cnncore.models.resnet:residual_network"
_PREACTIVATION = "cnncore.models.preact_resnet:preactivation_network"
_SMALL_STEM = (
    "Starts with a 3×3 convolution of stride 1 instead of a 7×7 of stride 2 and max pooling, as the common ResNet-18 "
    "for CIFAR does."
)

_CHOICES = {"activation": ACTIVATIONS, "norm": ("none", "batch"), "init": INITS}
_SHORTCUTS = {"shortcut": ("A", "B", "C")}
_STRIDES = {"stride_in": ("1x1", "3x3")}
_STEMS = {"stem": STEMS}
_DEFAULTS: dict[str, str | float] = {"activation": "relu", "norm": "batch", "init": "kaiming"}

_NOT_OVERFITTING = (
    "Degradation with depth is not overfitting: the deeper plain network has the higher training error as well. With "
    "batch normalization it is not vanishing gradients either, as He et al. argue."
)
_NOT_A_BOTTLENECK = (
    "A shortcut is not a bottleneck: the bottleneck is the block of a 1×1, a 3×3 and a 1×1 convolution, "
    "with a shortcut or without."
)
_PLAIN_BOTTLENECKS = (
    "The paper shows plain networks of basic blocks only: no published number belongs to one of bottlenecks."
)
_OPTION_A = "Shortcuts of option A have no parameters: they sub-sample and pad with zeros where sizes differ."
_TWO_STRIDES = (
    "Torchvision and “v1.5” halve the maps in the 3×3 convolution of a bottleneck, the paper in the first 1×1: the "
    "same parameters, fewer operations."
)


def _refusals(title: str, pooling: str) -> dict[str, str]:
    return {
        "pool": f"{title} has no pooling but {pooling}.",
        "dropout": f"{title} uses no dropout; try weight decay or augmentation instead.",
        "norm=lrn": "LRN after an activation is no substitute for the batch normalization inside a residual block.",
    }


_AVERAGE = "the average over the last feature maps"
_TWO_POOLS = f"the one of its stem and {_AVERAGE}"


def _table_2(top1: float, which: str) -> Published:
    return Published(dataset="ImageNet", protocol="10 crops", top1=top1, source=f"He et al., 2015, {which}")


def _torchvision(top1: float, top5: float) -> Published:
    return Published(
        dataset="ImageNet", protocol="1 crop", top1=top1, top5=top5, source="torchvision's weights IMAGENET1K_V1"
    )


def _no_bottleneck(title: str, bottleneck: bool) -> dict[str, str]:
    """Why a network without bottleneck blocks has no `stride_in`."""
    return {} if bottleneck else {"stride_in": f"{title} has no bottleneck blocks: all its convolutions are 3×3."}


def _imagenet(
    depth: int,
    num_params: int,
    results: tuple[Published, ...],
    *,
    summary: str,
    facts: tuple[str, ...],
    cautions: tuple[str, ...] = (),
    bottleneck: bool = True,
) -> ModelSpec:
    """A row for 224 pixels: ResNet-`depth`."""
    title = f"ResNet-{depth}"
    return ModelSpec(
        title=title,
        family="resnet",
        year=2015,
        builder=_RESIDUAL,
        source=f"{_HE_2015}, Table 1, option B shortcuts.",
        summary=summary,
        native_size=224,
        min_size=8,
        published_min_size=32,
        small_stem=_SMALL_STEM,
        in_channels=3,
        num_classes=1_000,
        num_params=num_params,
        depth=depth,
        facts=facts,
        cautions=((_NOT_A_BOTTLENECK, _TWO_STRIDES) if bottleneck else (_NOT_A_BOTTLENECK,)) + cautions,
        results=results,
        torchvision=f"resnet{depth}",
        taps=("stem", "stage1", "stage2", "stage3", "stage4"),
        defaults={**_DEFAULTS, "stem": "auto", "shortcut": "B"} | ({"stride_in": "3x3"} if bottleneck else {}),
        choices=_CHOICES | _STEMS | _SHORTCUTS | (_STRIDES if bottleneck else {}),
        refusals=_refusals(title, _TWO_POOLS) | _no_bottleneck(title, bottleneck),
    )


def _plain_imagenet(depth: int, num_params: int, *facts: str, top1: float | None = None) -> ModelSpec:
    """A row for 224 pixels without shortcuts; only those of basic blocks are in the paper, with an accuracy."""
    title, twin = f"Plain-{depth}", f"ResNet-{depth}"
    paper = top1 is not None
    strides = {"stride_in": f"{title} has no bottleneck blocks: all its convolutions are 3×3."} if paper else {}
    return ModelSpec(
        title=title,
        family="resnet",
        year=2015,
        builder=_RESIDUAL,
        source=f"{_HE_2015}, " + ("Figure 3 (middle) and Table 2." if paper else "Table 1; without its shortcuts."),
        summary=f"{twin} without its shortcuts: the same convolutions, harder to train.",
        native_size=224,
        min_size=8,
        published_min_size=32,
        small_stem=_SMALL_STEM,
        in_channels=3,
        num_classes=1_000,
        num_params=num_params,
        depth=depth,
        facts=facts if paper else (*facts, f"Has as many parameters as {twin} with shortcuts of option A."),
        cautions=(_NOT_OVERFITTING,) if paper else (_PLAIN_BOTTLENECKS, _NOT_A_BOTTLENECK, _NOT_OVERFITTING),
        results=() if top1 is None else (_table_2(top1, "Table 2"),),
        taps=("stem", "stage1", "stage2", "stage3", "stage4"),
        defaults={**_DEFAULTS, "stem": "auto"} | ({} if paper else {"stride_in": "3x3"}),
        choices=_CHOICES | _STEMS | ({} if paper else _STRIDES),
        refusals=_refusals(title, _TWO_POOLS) | _no_shortcut(title, f"resnet{depth}") | strides,
    )


def _no_shortcut(title: str, twin: str) -> dict[str, str]:
    return {"shortcut": f"{title} has no shortcuts; its twin with shortcuts is {twin}."}


def _cifar(
    depth: int, num_params: int, top1: float, *facts: str, summary: str, which: str = "Table 6", norm: bool = True
) -> ModelSpec:
    """A row for CIFAR's 32 pixels; `norm` says whether the network bears to be without normalization."""
    title = f"ResNet-{depth}"
    refusals = _refusals(title, _AVERAGE) | ({} if norm else _only_with_norm(title))
    return ModelSpec(
        title=title,
        family="resnet",
        year=2015,
        builder=_RESIDUAL,
        source=f"{_HE_2015}, section 4.2, option A shortcuts.",
        summary=summary,
        native_size=32,
        min_size=8,
        in_channels=3,
        num_classes=10,
        num_params=num_params,
        depth=depth,
        facts=facts,
        cautions=(_OPTION_A, _NOT_OVERFITTING),
        results=(Published(dataset="CIFAR-10", protocol="test error", top1=top1, source=f"He et al., 2015, {which}"),),
        taps=("stem", "stage1", "stage2", "stage3"),
        defaults={**_DEFAULTS, "shortcut": "A"},
        choices=_CHOICES | _SHORTCUTS | ({} if norm else {"norm": ("batch",)}),
        refusals=refusals,
    )


def _only_with_norm(title: str) -> dict[str, str]:
    return {"norm=none": f"{title} adds up so many blocks that without batch normalization its values overflow."}


def _plain_cifar(depth: int, num_params: int, *facts: str) -> ModelSpec:
    """A row for CIFAR's 32 pixels without shortcuts."""
    title = f"Plain-{depth}"
    return ModelSpec(
        title=title,
        family="resnet",
        year=2015,
        builder=_RESIDUAL,
        source=f"{_HE_2015}, section 4.2 and Figure 6 (left).",
        summary=f"ResNet-{depth} without its shortcuts: the same convolutions and the same parameters.",
        native_size=32,
        min_size=8,
        in_channels=3,
        num_classes=10,
        num_params=num_params,
        depth=depth,
        facts=(*facts, "Has exactly as many parameters as its residual twin, whose shortcuts have none."),
        cautions=(_NOT_OVERFITTING,),
        taps=("stem", "stage1", "stage2", "stage3"),
        defaults=_DEFAULTS,
        choices=_CHOICES,
        refusals=_refusals(title, _AVERAGE) | _no_shortcut(title, f"resnet{depth}"),
    )


def _preactivation(
    depth: int, num_params: int, top1: float, *facts: str, summary: str, bottleneck: bool = True, norm: bool = True
) -> ModelSpec:
    """A row of the paper of 2016, for CIFAR's 32 pixels."""
    title = f"Pre-activation ResNet-{depth}"
    return ModelSpec(
        title=title,
        family="resnet",
        year=2016,
        builder=_PREACTIVATION,
        source=f"{_HE_2016}, section 4 and appendix.",
        summary=summary,
        native_size=32,
        min_size=8,
        in_channels=3,
        num_classes=10,
        num_params=num_params,
        depth=depth,
        facts=(
            "Normalization and activation come before each convolution; from sum to sum the shortcut carries the maps "
            "unchanged.",
            *facts,
        ),
        cautions=(_NOT_A_BOTTLENECK,) if bottleneck else (_OPTION_A,),
        results=(
            Published(dataset="CIFAR-10", protocol="test error, median of 5 runs", top1=top1, source="He et al., 2016"),
        ),
        taps=("stem", "stage1", "stage2", "stage3", "after"),
        defaults={**_DEFAULTS, "shortcut": "B", "stride_in": "1x1"} if bottleneck else {**_DEFAULTS, "shortcut": "A"},
        choices=_CHOICES | _SHORTCUTS | (_STRIDES if bottleneck else {}) | ({} if norm else {"norm": ("batch",)}),
        refusals=_refusals(title, _AVERAGE)
        | _no_bottleneck(title, bottleneck)
        | ({} if norm else _only_with_norm(title)),
    )


RESNET: dict[str, ModelSpec] = {
    "resnet18": _imagenet(
        18,
        11_689_512,
        (_torchvision(69.758, 89.078), _table_2(72.12, "Table 2 (option A shortcuts)")),
        summary="Eight residual blocks of two 3×3 convolutions: the smallest ResNet for photographs.",
        facts=(
            "With the small stem and 10 classes it is the common ResNet-18 for CIFAR, with 11,173,962 parameters.",
            "As deep as Plain-18 and hardly better (27.88 against 27.94 % error), but it converges sooner.",
        ),
        bottleneck=False,
    ),
    "resnet34": _imagenet(
        34,
        21_797_672,
        (_torchvision(73.314, 91.420), _table_2(74.97, "Table 2 (option A shortcuts)")),
        summary="Sixteen residual blocks: deeper than its plain twin can be with profit.",
        facts=("25.03 % error where its plain twin has 28.54 %, and better than ResNet-18, as depth should be.",),
        cautions=(_NOT_OVERFITTING,),
        bottleneck=False,
    ),
    "resnet50": _imagenet(
        50,
        25_557_032,
        (_torchvision(76.130, 92.862), _table_2(77.15, "Table 3")),
        summary="Sixteen bottleneck blocks: the backbone that most later work starts from.",
        facts=(
            "Each basic block of ResNet-34 became a bottleneck of three convolutions, for about the same work.",
            "4.09 billion multiply-accumulates with the stride in the 3×3 convolution, 3.86 billion in the 1×1.",
        ),
        cautions=(
            "Keras counts 25,636,712 parameters: 53,120 running statistics of batch normalization, which are not "
            "trained, and 26,560 biases that its convolutions have before it.",
        ),
    ),
    "resnet101": _imagenet(
        101,
        44_549_160,
        (_torchvision(77.374, 93.546), _table_2(78.25, "Table 3")),
        summary="ResNet-50 with 23 instead of 6 blocks in its third stage.",
        facts=("33 bottleneck blocks; about twice the work of ResNet-50.",),
    ),
    "resnet152": _imagenet(
        152,
        60_192_808,
        (_torchvision(78.312, 94.046), _table_2(78.57, "Table 3")),
        summary="Fifty bottleneck blocks: the deepest network for photographs of its paper.",
        facts=(
            "Deeper than VGG-19 by a factor of eight, with less work.",
            "An ensemble of six residual networks, two of them with 152 layers, won ILSVRC 2015 with 3.57 % "
            "top-5 error.",
        ),
        cautions=("The 3.57 % are those of an ensemble, not of one network.",),
    ),
    "plain18": _plain_imagenet(
        18, 11_515_688, "27.94 % error: at 18 layers the shortcuts hardly matter for accuracy.", top1=72.06
    ),
    "plain34": _plain_imagenet(
        34, 21_623_848, "28.54 % error: worse than Plain-18, in training as well. That is degradation.", top1=71.46
    ),
    "plain50": _plain_imagenet(50, 22_780_456, "Sixteen stacks of 1×1, 3×3 and 1×1, each narrow in its middle."),
    "plain101": _plain_imagenet(101, 41_772_584, "33 stacks of 1×1, 3×3 and 1×1, each narrow in its middle."),
    "plain152": _plain_imagenet(
        152,
        57_416_232,
        "Its first gradients do not vanish: backwards from layer to layer they grow, by many orders of magnitude.",
    ),
    "resnet20": _cifar(
        20,
        269_722,
        91.25,
        "8.75 % error on CIFAR-10 in the paper (Table 6), with 0.27 million parameters.",
        "Shortcuts add the block's input to its output; where the size changes they sub-sample and pad with zeros.",
        summary="Nine residual blocks with shortcuts: small, deep and accurate.",
    ),
    "resnet32": _cifar(
        32,
        464_154,
        92.49,
        "7.51 % error on CIFAR-10 with 0.46 million parameters.",
        summary="Fifteen residual blocks for small images.",
    ),
    "resnet44": _cifar(
        44,
        658_586,
        92.83,
        "7.17 % error on CIFAR-10 with 0.66 million parameters.",
        summary="Twenty-one residual blocks for small images.",
    ),
    "resnet56": _cifar(
        56,
        853_018,
        93.03,
        "6.97 % error on CIFAR-10 with 0.85 million parameters.",
        summary="Twenty-seven residual blocks: where the plain twin is already far worse.",
    ),
    "resnet110": _cifar(
        110,
        1_727_962,
        93.57,
        "6.43 % error on CIFAR-10 with 1.7 million parameters, the best of 5 runs (6.61 ± 0.16 %).",
        "The paper warms it up with a learning rate of 0.01 until the training error is under 80 %.",
        summary="Fifty-four residual blocks: over a hundred layers that still train.",
        which="Table 6, best of 5 runs",
    ),
    "resnet1202": _cifar(
        1202,
        19_421_274,
        92.07,
        "7.93 % error on CIFAR-10 although its training error is below 0.1 %: here it is overfitting, says the paper.",
        "It has no plain twin here: without shortcuts its first gradients overflow 32-bit numbers.",
        summary="Six hundred residual blocks: trains without trouble, and is too large for CIFAR-10.",
        norm=False,
    ),
    "plain20": _plain_cifar(20, 269_722, "The shallowest of Figure 6's plain networks, and the best of them."),
    "plain32": _plain_cifar(32, 464_154),
    "plain44": _plain_cifar(44, 658_586),
    "plain56": _plain_cifar(56, 853_018, "Worse than Plain-20 in training error too (Figure 6)."),
    "plain110": _plain_cifar(110, 1_727_962, "Not drawn in Figure 6: its error is over 60 %, says the paper."),
    "preresnet110": _preactivation(
        110,
        1_727_962,
        93.63,
        "6.37 % error on CIFAR-10, against 6.61 % with the activation after the sum.",
        summary="ResNet-110 with normalization and activation before each convolution.",
        bottleneck=False,
    ),
    "preresnet164": _preactivation(
        164,
        1_703_258,
        94.54,
        "5.46 % error on CIFAR-10, with 1.7 million parameters.",
        summary="Fifty-four pre-activated bottleneck blocks for small images.",
    ),
    "preresnet1001": _preactivation(
        1001,
        10_327_706,
        95.08,
        "4.92 % error on CIFAR-10; the paper speaks of 10.2 million parameters, counted they are 10.3.",
        summary="A thousand layers that train: 333 pre-activated bottleneck blocks.",
        norm=False,
    ),
    "resnet_tutorial": ModelSpec(
        title="ResNet (tutorial)",
        family="resnet",
        year=2016,
        builder="cnncore.models.preact_resnet:tutorial_network",
        source=f"The small ResNet of tutorials; after {_HE_2016}.",
        summary="Six pre-activated blocks and two dense layers for digits.",
        native_size=28,
        min_size=8,
        in_channels=1,
        num_classes=10,
        num_params=576_282,
        depth=15,
        facts=(
            "A 3×3 convolution with 8 filters; two blocks each with 16, 32 and 64 filters; 2×2 max pooling after the "
            "first two stages; 128 hidden units.",
            "70 % of its parameters sit in the first dense layer; the residual networks of the papers have none.",
        ),
        cautions=("Its projections change the number of channels only: the maps are halved by pooling.",),
        taps=("stem", "stage1", "stage2", "stage3", "fc1"),
        defaults={"activation": "relu", "norm": "batch", "dropout": 0.0, "init": "pytorch"},
        choices=_CHOICES,
        refusals={
            "pool": "The tutorials' ResNet takes maxima between its stages.",
            "norm=lrn": "LRN after an activation is no substitute for the batch normalization inside a residual block.",
            "shortcut": "The tutorials' ResNet has projections where the number of channels changes.",
        },
    ),
}
