"""Which networks the tests build: the small members of each family, or with CNNLAB_ZOO=1 (`make zoo`) all of them."""

from __future__ import annotations

import os

from cnncore.catalog import MODELS

SMALL = (
    "lenet_tutorial",
    "lenet5",
    "cnn3",
    "alexnet_small",
    "alexnet_grouped",
    "vgg11_small",
    "vgg13_5x5_bn",
    "nin",
    "googlenet_small",
    "googlenet",
    "inception_bn",
    "resnet20",
    "plain20",
    "resnet18",
    "resnet_tutorial",
    "squeezenet1_1",
    "efficientnet_lite0",
)

NAMES = tuple(MODELS) if os.environ.get("CNNLAB_ZOO") == "1" else SMALL

THOUSAND_LAYERS = frozenset({"resnet1202", "preresnet1001"})
UNFIT = frozenset({"plain44", "plain56", "plain110", "plain101", "plain152"})
"""Plain networks over 34 layers: no few steps fit them, as `benchmarks.zoo` shows; Plain-50 takes many."""

TRAINED = tuple(name for name in NAMES if name not in THOUSAND_LAYERS | UNFIT)
"""Those that some steps of training are tried on."""
LEARNING_RATES = {"alexnet": 1e-3, "vgg16_1x1": 5e-4, "vgg16": 5e-4, "vgg19": 5e-4}
"""Adam's, where the usual one is too high: deep VGGs without batch normalization, and PyTorch's first weights."""
QUICKLY_TRACED = (
    "lenet5", "cnn3", "alexnet_grouped", "vgg13_5x5_bn", "nin", "googlenet", "inception_bn", "resnet20",
    "resnet_tutorial", "squeezenet1_1",
)  # fmt: skip
TRACED = QUICKLY_TRACED if NAMES is SMALL else tuple(name for name in NAMES if name not in THOUSAND_LAYERS)
"""Those that torch.compile traces, which takes seconds each: in CI one of each file of networks."""


def training_width(name: str) -> float:
    """Factor on the filters that makes training quick: a quarter, unless a network is small or has one width only."""
    narrow = MODELS[name].num_params > 2_000_000 or name == "nin"
    return 0.25 if narrow and "width" not in MODELS[name].refusals else 1.0
