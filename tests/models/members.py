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
    "resnet20",
)

NAMES = tuple(MODELS) if os.environ.get("CNNLAB_ZOO") == "1" else SMALL
