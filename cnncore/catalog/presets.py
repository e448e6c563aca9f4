"""Ready-made configurations: dotted settings on top of the defaults, with what to expect and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_PRESET = "lenet_20s"


@dataclass(frozen=True, kw_only=True)
class PresetSpec:
    """One preset; `settings` are dotted names of `cnncore.config.TrainConfig` with their values."""

    title: str
    summary: str
    settings: Mapping[str, object]
    source: str = ""


_TUTORIAL_LENET = {
    "model.name": "lenet_tutorial",
    "data.dataset": "mnist",
    "data.train_images": 3_000,
    "training.batch_size": 128,
    "training.epochs": 5,
}
_THREE_LAYERS = {"model.name": "cnn3", "data.dataset": "mnist", "training.batch_size": 256}
_CIFAR_RECIPE = {
    "data.dataset": "cifar10",
    "augment.crop_padding": 4,
    "augment.flip_horizontal": 0.5,
    "training.batch_size": 128,
}

PRESETS: dict[str, PresetSpec] = {
    "lenet_20s": PresetSpec(
        title="LeNet in 20 seconds",
        summary="The tutorial LeNet learns the built-in digits: about 97 % before the coffee is poured.",
        settings={
            "model.name": "lenet_tutorial",
            "data.dataset": "mnist5k",
            "data.normalize": "standardize",
            "optimizer.lr": 3e-3,
            "schedule.name": "one_cycle",
            "training.batch_size": 64,
            "training.epochs": 8,
        },
    ),
    "lenet_tutorial": PresetSpec(
        title="Tutorial LeNet, as in the tutorial",
        summary="3,000 MNIST images, batch 128, Adam, 5 epochs. One run of the tutorial gave 95.78 %.",
        settings={
            **_TUTORIAL_LENET,
            "model.init": "glorot",
            "data.normalize": "unit",
            "optimizer.eps": 1e-7,
        },
        source="Keras tutorials of LeNet",
    ),
    "lenet_tuned": PresetSpec(
        title="Tutorial LeNet, tuned",
        summary="The same network, images and five epochs with standardized inputs and a one-cycle schedule.",
        settings={
            **_TUTORIAL_LENET,
            "data.normalize": "standardize",
            "optimizer.lr": 3e-3,
            "schedule.name": "one_cycle",
        },
    ),
    "cnn3_tutorial": PresetSpec(
        title="Three-layer CNN, as in the tutorial",
        summary="All of MNIST, batch 256, Adam at 2e-4 for 10 epochs. The tutorial reports 98.66 %.",
        settings={
            **_THREE_LAYERS,
            "model.init": "glorot",
            "data.normalize": "unit",
            "data.validation": 0.0,
            "optimizer.lr": 2e-4,
            "optimizer.eps": 1e-7,
            "training.epochs": 10,
        },
        source="TensorFlow tutorials of a three-layer CNN",
    ),
    "cnn3_fast": PresetSpec(
        title="Three-layer CNN, fast to 98.66 %",
        summary="More than the tutorial's accuracy in one epoch: one-cycle schedule, standardized inputs, large steps.",
        settings={
            **_THREE_LAYERS,
            "data.normalize": "standardize",
            "data.validation": 0.0,
            "optimizer.lr": 3e-3,
            "schedule.name": "one_cycle",
            "training.batch_size": 128,
            "training.epochs": 1,
        },
    ),
    "fashion_cnn3": PresetSpec(
        title="Three-layer CNN on Fashion-MNIST",
        summary="The same small network on clothes: about 89 %, and mistakes worth looking at.",
        settings={
            **_THREE_LAYERS,
            "data.dataset": "fashion_mnist",
            "data.normalize": "standardize",
            "augment.flip_horizontal": 0.5,
            "optimizer.lr": 2e-3,
            "schedule.name": "one_cycle",
            "training.epochs": 5,
        },
    ),
    "lenet5_1998": PresetSpec(
        title="LeNet-5 of 1998 on MNIST",
        summary="Tanh, trainable sub-sampling and a partly connected layer, trained by plain gradient steps.",
        settings={
            "model.name": "lenet5",
            "data.dataset": "mnist",
            "optimizer.name": "sgd",
            "optimizer.lr": 0.05,
            "schedule.name": "cosine",
            "training.batch_size": 32,
            "training.epochs": 10,
        },
        source="LeCun et al., 1998",
    ),
    "resnet20_cifar10": PresetSpec(
        title="ResNet-20 on CIFAR-10",
        summary="15 epochs with a one-cycle schedule: a good network soon. The paper's 164 epochs are the next preset.",
        settings={
            "model.name": "resnet20",
            **_CIFAR_RECIPE,
            "optimizer.name": "nesterov",
            "optimizer.lr": 0.2,
            "optimizer.weight_decay": 5e-4,
            "schedule.name": "one_cycle",
            "training.epochs": 15,
        },
    ),
    "resnet20_paper": PresetSpec(
        title="ResNet-20 on CIFAR-10, as in the paper",
        summary="64,000 steps at batch 128 with milestones at half and three quarters: 8.75 % error. Better on a GPU.",
        settings={
            "model.name": "resnet20",
            **_CIFAR_RECIPE,
            "data.validation": 0.1,
            "optimizer.name": "momentum",
            "optimizer.lr": 0.1,
            "optimizer.weight_decay": 1e-4,
            "schedule.name": "multistep",
            "schedule.milestones": (91, 136),
            "training.epochs": 182,
        },
        source="He et al., 2015, section 4.2",
    ),
    "alexnet_cifar10": PresetSpec(
        title="AlexNet on CIFAR-10",
        summary="The small-image form with ReLU, dropout, LRN and overlapping pooling.",
        settings={
            "model.name": "alexnet_small",
            **_CIFAR_RECIPE,
            "optimizer.lr": 1e-3,
            "schedule.name": "one_cycle",
            "training.epochs": 15,
        },
    ),
    "vgg11_cifar10": PresetSpec(
        title="VGG-11 on CIFAR-10",
        summary="The small-image form with batch normalization, which spares it the careful start.",
        settings={
            "model.name": "vgg11_small",
            "model.norm": "batch",
            **_CIFAR_RECIPE,
            "optimizer.name": "nesterov",
            "optimizer.lr": 0.05,
            "optimizer.weight_decay": 5e-4,
            "schedule.name": "one_cycle",
            "training.epochs": 15,
        },
    ),
    "googlenet_cifar10": PresetSpec(
        title="GoogLeNet on CIFAR-10",
        summary="The small-image form with both auxiliary heads. Patient on a laptop, comfortable on a GPU.",
        settings={
            "model.name": "googlenet_small",
            **_CIFAR_RECIPE,
            "optimizer.name": "nesterov",
            "optimizer.lr": 0.05,
            "optimizer.weight_decay": 5e-4,
            "schedule.name": "one_cycle",
            "training.epochs": 15,
        },
    ),
}
