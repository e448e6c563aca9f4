"""LeNet."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, POOLS, ModelSpec, Published

LENET: dict[str, ModelSpec] = {
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
        depth=4,
        facts=(
            "20 and 50 filters of 5×5 without padding, 2×2 max pooling after each, 500 hidden units.",
            "93 % of its parameters sit in the first dense layer.",
            "The tutorial takes 3,000 digits, batches of 128 and 5 epochs of Adam.",
        ),
        cautions=(
            "Despite its name it is not the network of 1998: that one has 60,000 trainable parameters, a seventh of "
            "these.",
        ),
        results=(
            Published(
                dataset="MNIST",
                protocol="3,000 training images, 5 epochs, one run",
                top1=95.78,
                source="the tutorial",
            ),
        ),
        taps=("conv1", "conv2", "fc1"),
        defaults={"activation": "relu", "norm": "none", "pool": "max", "dropout": 0.0, "init": "pytorch"},
        choices=PLAIN,
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
        depth=5,
        facts=(
            "60,000 trainable parameters: the paper's output layer compares F6 with fixed bitmaps of the digits (RBF), "
            "which the output option has; the usual dense layer has 850 more.",
            "Each of the 16 maps of C3 sees three, four or all six of the maps before it: 1,516 parameters "
            "instead of 2,416.",
            "Takes 32×32 pixels; 28×28 digits are padded by two pixels on each side.",
        ),
        cautions=(
            "The paper counts seven layers, as its two sub-sampling layers have weights too: a coefficient and a "
            "bias a map.",
            "What tutorials call LeNet has max pooling, ReLU and up to 431,080 parameters; this is the published one.",
            "C5 is a convolution, although at 32×32 pixels it computes what a dense layer does.",
        ),
        results=tuple(
            Published(dataset="MNIST", protocol=protocol, top1=top1, source="LeCun et al., 1998, section III")
            for protocol, top1 in (("60,000 training images", 99.05), ("with distorted training images", 99.2))
        ),
        taps=("c1", "s2", "c3", "s4", "c5", "f6"),
        defaults={
            "activation": "tanh",
            "norm": "none",
            "pool": "subsample",
            "dropout": 0.0,
            "output": "dense",
            "init": "lecun",
        },
        choices={**PLAIN, "pool": POOLS, "output": ("dense", "rbf")},
    ),
}
