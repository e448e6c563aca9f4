"""What transfer learning begins with, and which settings pretrained weights forbid."""

from __future__ import annotations

import pytest

from cnncore.catalog import BACKBONES
from cnncore.config import check, differences, in_shape, preset, replace, transfer_base, transfer_from_run
from cnncore.errors import ConfigError

IMAGE_SET = "0123456789ab@3"
DEFAULT = transfer_base("efficientnet_lite0", IMAGE_SET)


@pytest.mark.parametrize("key", BACKBONES)
def test_the_base_is_possible_and_prepares_images_as_the_weights_expect(key: str) -> None:
    spec, config = BACKBONES[key], transfer_base(key, IMAGE_SET)
    check(config)
    assert in_shape(config) == (3, spec.image_size, spec.image_size)
    data = config.data
    assert (data.crop, data.interpolation, data.normalize) == (spec.crop, spec.interpolation, spec.normalize)
    assert (config.model.name, config.transfer.backbone, data.image_set) == (spec.network, key, IMAGE_SET)
    assert (config.transfer.head, config.transfer.frozen, config.augment.active) == ("linear", ("all",), ())


def test_links_need_few_settings() -> None:
    assert set(differences(transfer_base("resnet18", IMAGE_SET), DEFAULT)) == {
        "model.name", "transfer.backbone", "data.interpolation", "data.normalize", "transfer.stage_lr",
    }  # fmt: skip


def test_a_stage_that_is_unfrozen_later_learns_slower_than_the_head() -> None:
    assert transfer_base("resnet18", IMAGE_SET).transfer.stage_lr == (0.1,) * 5


@pytest.mark.parametrize("image_set", ["", "0123456789ab", "../etc@1", "0123456789ab@0"])
def test_no_image_set(image_set: str) -> None:
    with pytest.raises(ConfigError, match="is no image set"):
        transfer_base("resnet18", image_set)


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(ConfigError, match="Did you mean"):
        transfer_base("resnet19", IMAGE_SET)


@pytest.mark.parametrize(
    ("backbone", "settings", "field", "text"),
    [
        ("resnet18", {"model.name": "resnet34"}, "model.name", "of the network resnet18"),
        ("resnet18", {"model.width": 0.5}, "model.width", "full width"),
        ("resnet18", {"model.shortcut": "C"}, "model.shortcut", "trained with shortcut B, not C"),
        ("resnet50", {"model.stride_in": "1x1"}, "model.stride_in", "trained with stride_in 3x3"),
        ("vgg11", {"model.norm": "batch"}, "model.norm", "trained with norm none"),
        ("alexnet", {"model.activation": "gelu"}, "model.activation", "trained with activation relu"),
        ("squeezenet1_1", {"model.pool": "max"}, "model.pool", "trained with pool overlapping"),
        ("resnet18", {"model.stem": "small"}, "model.stem", "published first layers"),
        ("resnet18", {"data.image_size": 64}, "data.image_size", "images of 64 pixels get other ones"),
        ("resnet18", {"data.normalize": "standardize"}, "data.normalize", "Set data.normalize to imagenet"),
        ("googlenet", {"data.normalize": "imagenet"}, "data.normalize", "Set data.normalize to symmetric"),
        (
            "resnet18",
            {"data.dataset": "mnist", "data.image_set": None, "data.normalize": "unit"},
            "data.dataset",
            "color images, MNIST has gray ones",
        ),
        ("resnet18", {"training.start_from": "abcdef"}, "training.start_from", "not from both"),
        ("resnet18", {"transfer.frozen": ("stage5",)}, "transfer.frozen", "Allowed: all, stem, stage1"),
        ("resnet18", {"transfer.stage_lr": (1.0,) * 6}, "transfer.stage_lr", "6 factors for 5 stages"),
        ("resnet18", {"augment.mixup": 0.2}, "transfer.views", "Mixup"),
        ("resnet18", {"augment.cutmix": 0.2, "transfer.unfreeze_every": 2.0}, "transfer.views", "CutMix"),
    ],
)
def test_what_weights_forbid(backbone: str, settings: dict[str, object], field: str, text: str) -> None:
    with pytest.raises(ConfigError, match=text) as caught:
        replace(transfer_base(backbone, IMAGE_SET), settings)
    assert caught.value.field == field
    assert caught.value.hint


@pytest.mark.parametrize(
    "settings",
    [
        {"data.image_size": 288, "data.crop": 1.0},
        {"data.image_size": 64, "model.stem": "published"},
        {"model.input_size": 224, "data.image_size": 64},
        {"data.dataset": "cifar10", "data.image_set": None, "data.image_size": None, "model.input_size": 224},
        {"transfer.head": "network", "transfer.frozen": (), "model.init": "glorot"},
        {"augment.mixup": 0.2, "transfer.batch_norm": "adapting"},
    ],
)
def test_what_weights_allow(settings: dict[str, object]) -> None:
    check(replace(transfer_base("resnet18", IMAGE_SET), settings))


def test_a_run_as_backbone_keeps_its_network_and_preprocessing() -> None:
    run = replace(preset("lenet_20s"), {"data.dataset": "cifar10", "model.name": "resnet20", "model.width": 0.5})
    config = transfer_from_run(run, "0123456789abcdef", (3, 32, 32), IMAGE_SET)
    check(config)
    assert (config.model, config.training.start_from) == (run.model, "0123456789abcdef")
    assert in_shape(config) == (3, 32, 32)
    assert (config.data.normalize, config.data.crop) == (run.data.normalize, 1)
    assert (config.transfer.backbone, config.transfer.head, config.transfer.frozen) == (None, "linear", ("all",))


def test_a_transferred_run_as_backbone() -> None:
    config = transfer_from_run(DEFAULT, "0123456789abcdef", (3, 224, 224), "ba9876543210@1")
    check(config)
    assert config.data == DEFAULT.data.model_copy(update={"image_set": "ba9876543210@1"})
    assert config.transfer.backbone is None


def test_a_run_on_gray_images_is_refused() -> None:
    with pytest.raises(ConfigError, match="gray images"):
        transfer_from_run(preset("lenet_20s"), "0123456789abcdef", (1, 28, 28), IMAGE_SET)
