"""The networks: one row each, with what its paper says, what can be changed, and which function builds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

ACTIVATIONS = ("relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid")
NORMS = ("none", "lrn", "batch")
POOLS = ("max", "average", "overlapping", "subsample")
INITS = ("pytorch", "kaiming", "glorot", "lecun", "normal")


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """One network: its facts, its defaults and the options it has.

    Attributes:
        family: Name of the family; charts color by it.
        builder: `module:function`, called as `function(options, in_shape, num_classes)`; see `cnncore.models`.
        native_size: Input height and width in pixels the published form takes.
        min_size: Smallest input height and width in pixels that leaves something to classify.
        in_channels: Channels of the published form.
        num_classes: Classes of the published form.
        num_params: Trainable parameters of the published form, auxiliary heads included.
        facts: What the source says, one sentence each.
        taps: Names of the layers worth seeing, input side first.
        defaults: The published value of every option the network has.
        choices: The allowed values of the options that are names; an option that is missing does not exist here.
        refusals: Why an option's value is impossible here, keyed `option` or `option=value`.
        aux_weight: Weight of each auxiliary head's loss; 0 without such heads.
    """

    title: str
    family: str
    year: int
    builder: str
    source: str
    summary: str
    native_size: int
    min_size: int
    in_channels: int
    num_classes: int
    num_params: int
    facts: tuple[str, ...] = ()
    taps: tuple[str, ...] = ()
    defaults: Mapping[str, str | float] = field(default_factory=dict[str, str | float])
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    refusals: Mapping[str, str] = field(default_factory=dict[str, str])
    aux_weight: float = 0.0


_PLAIN = {"activation": ACTIVATIONS, "norm": NORMS, "pool": ("max", "average", "overlapping"), "init": INITS}

MODELS: dict[str, ModelSpec] = {
    "lenet_tutorial": ModelSpec(
        title="LeNet (tutorial)",
        family="lenet",
        year=1998,
        builder="cnncore.models.lenet:lenet_tutorial",
        source="The LeNet of widespread Keras tutorials; after LeCun et al., Gradient-based learning, 1998.",
        summary="Two convolutions and two dense layers: the quickest way to see a network learn digits.",
        native_size=28,
        min_size=16,
        in_channels=1,
        num_classes=10,
        num_params=431_080,
        facts=(
            "20 and 50 filters of 5×5 without padding, 2×2 max pooling after each, 500 hidden units.",
            "93 % of its parameters sit in the first dense layer.",
            "Despite its name it is not the network of 1998: that one has 60,000 trainable parameters.",
        ),
        taps=("conv1", "conv2", "fc1"),
        defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.0, "init": "pytorch"},
        choices=_PLAIN,
    ),
    "lenet5": ModelSpec(
        title="LeNet-5",
        family="lenet",
        year=1998,
        builder="cnncore.models.lenet:lenet5",
        source="LeCun, Bottou, Bengio, Haffner: Gradient-based learning applied to document recognition, 1998, Fig. 2.",
        summary="The network that read checks: trainable sub-sampling and a partly connected third layer.",
        native_size=32,
        min_size=20,
        in_channels=1,
        num_classes=10,
        num_params=60_850,
        facts=(
            "60,000 trainable parameters up to layer F6; the paper's output layer compares with fixed bitmaps (RBF), "
            "here it is a dense layer with 850 more.",
            "Takes 32×32 pixels; 28×28 digits are padded by two pixels on each side.",
            "0.95 % test error on MNIST, 0.8 % with distorted training images.",
        ),
        taps=("c1", "s2", "c3", "s4", "c5", "f6"),
        defaults={"activation": "tanh", "norm": "none", "pool": "subsample", "dropout": 0.0, "init": "lecun"},
        choices={**_PLAIN, "pool": POOLS},
    ),
    "cnn3": ModelSpec(
        title="Three-layer CNN",
        family="cnn",
        year=2017,
        builder="cnncore.models.cnn:cnn3",
        source="The three-layer CNN of widespread TensorFlow tutorials.",
        summary="Three 5×5 convolutions and two dense layers: 98.66 % on MNIST in the tutorial, over 99 % when tuned.",
        native_size=28,
        min_size=20,
        in_channels=1,
        num_classes=10,
        num_params=123_222,
        facts=(
            "16, 32, 64 filters of 5×5 without padding; 2×2 max pooling after the second and third; 100 hidden units.",
            "The tutorial trains it for 10 epochs with Adam at 2e-4, batch 256, and reports 98.66 % on MNIST.",
        ),
        taps=("conv1", "conv2", "conv3", "fc1"),
        defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.0, "init": "pytorch"},
        choices=_PLAIN,
    ),
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
        facts=(
            "The original has two towers and 60 million parameters, most of them in its dense layers; "
            "this form has the filters of one tower and 1,024 instead of 4,096 hidden units.",
            "ReLU, dropout 0.5, local response normalization and overlapping pooling are its four famous choices.",
        ),
        taps=("conv1", "conv2", "conv3", "conv4", "conv5"),
        defaults={"activation": "relu", "norm": "lrn", "pool": "overlapping", "dropout": 0.5, "init": "kaiming"},
        choices=_PLAIN,
    ),
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
        facts=(
            "Column A of the paper: 8 convolutions of 3×3 with 64 to 512 filters, 5 poolings.",
            "The original's three dense layers hold 123.6 of its 132.9 million parameters; "
            "with 512 instead of 4,096 hidden units they hold 0.5 of 9.8 million here.",
            "Without batch normalization it needs a careful initialization to start learning at all.",
        ),
        taps=("stage1", "stage2", "stage3", "stage4", "stage5"),
        defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.5, "init": "kaiming"},
        choices=_PLAIN,
    ),
    "googlenet_small": ModelSpec(
        title="GoogLeNet (small images)",
        family="googlenet",
        year=2014,
        builder="cnncore.models.googlenet:googlenet_small",
        source="Szegedy et al.: Going deeper with convolutions, 2014, Table 1; stem adapted to 28-64 pixels.",
        summary="Nine Inception modules that look at 1×1, 3×3 and 5×5 neighborhoods at once.",
        native_size=32,
        min_size=28,
        in_channels=3,
        num_classes=10,
        num_params=10_333_886,
        facts=(
            "Two auxiliary heads, on modules 4a and 4d, help the gradient while training; each counts 0.3 in the loss.",
            "22 layers with parameters, yet the original has far fewer parameters than AlexNet; "
            "here the auxiliary heads hold 4.4 of 10.3 million.",
            "The paper normalizes by local response; with batch normalization, the default here, it learns sooner.",
        ),
        taps=("inception3a", "inception3b", "inception4a", "inception4d", "inception5b"),
        defaults={"activation": "relu", "norm": "batch", "pool": "max", "dropout": 0.4, "init": "kaiming"},
        choices={**_PLAIN, "pool": ("max", "average")},
        refusals={"pool=overlapping": "GoogLeNet's poolings between stages already overlap (3×3, stride 2)."},
        aux_weight=0.3,
    ),
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
