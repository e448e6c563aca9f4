"""The networks: one row each, with what its paper says, what can be changed, and which function builds it."""

from __future__ import annotations

from cnncore.catalog.models.alexnet import ALEXNET
from cnncore.catalog.models.cnn import CNN
from cnncore.catalog.models.efficientnet import EFFICIENTNET
from cnncore.catalog.models.inception import INCEPTION
from cnncore.catalog.models.lenet import LENET
from cnncore.catalog.models.nin import NIN
from cnncore.catalog.models.resnet import RESNET
from cnncore.catalog.models.spec import ModelSpec, Published
from cnncore.catalog.models.squeezenet import SQUEEZENET
from cnncore.catalog.models.vgg import VGG
from cnncore.catalog.models.xception import XCEPTION

__all__ = ["FAMILIES", "MODELS", "ModelSpec", "Published"]

MODELS: dict[str, ModelSpec] = {
    **LENET, **CNN, **ALEXNET, **VGG, **NIN, **INCEPTION, **RESNET, **XCEPTION, **SQUEEZENET, **EFFICIENTNET
}  # fmt: skip
"""Every network by its key, family by family."""

FAMILIES = {
    "lenet": "LeNet",
    "cnn": "Plain CNN",
    "alexnet": "AlexNet",
    "vgg": "VGG",
    "nin": "Network in Network",
    "inception": "Inception",
    "resnet": "ResNet",
    "xception": "Xception",
    "squeezenet": "SqueezeNet",
    "efficientnet": "EfficientNet",
}
"""Names of the families, by `ModelSpec.family`."""
