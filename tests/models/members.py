"""Which networks the tests build: the small members of each family, or with CNNLAB_ZOO=1 (`make zoo`) all of them."""

from __future__ import annotations

import os

from cnncore.catalog import MODELS

SMALL = (
    "lenet_tutorial",
    "lenet5",
    "cnn3",
    "alexnet_small",
    "vgg11_small",
    "googlenet_small",
    "googlenet",
    "inception_bn",
    "resnet20",
)

NAMES = tuple(MODELS) if os.environ.get("CNNLAB_ZOO") == "1" else SMALL
