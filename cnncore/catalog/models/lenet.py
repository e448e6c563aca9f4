"""LeNet."""

from __future__ import annotations

from cnncore.catalog.models.spec import PLAIN, POOLS, ModelSpec

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
            "Despite its name it is not the network of 1998: that one has 60,000 trainable parameters.",
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
            "60,000 trainable parameters up to layer F6; the paper's output layer compares with fixed bitmaps (RBF), "
            "here it is a dense layer with 850 more.",
            "Takes 32×32 pixels; 28×28 digits are padded by two pixels on each side.",
            "0.95 % test error on MNIST, 0.8 % with distorted training images.",
        ),
        taps=("c1", "s2", "c3", "s4", "c5", "f6"),
        defaults={"activation": "tanh", "norm": "none", "pool": "subsample", "dropout": 0.0, "init": "lecun"},
        choices={**PLAIN, "pool": POOLS},
    ),
}
