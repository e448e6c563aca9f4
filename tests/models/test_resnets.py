"""Residual networks: counts by hand, costs, shortcuts, twins, the order inside blocks."""

from __future__ import annotations

import math

import pytest
import torch
import torchvision
from torch import Tensor, nn

from cnncore.arithmetic import conv_params, dense_params
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError
from cnncore.models import build_model
from cnncore.models.preact_resnet import PreactivationBlock
from cnncore.models.profile import profile_model
from cnncore.models.resnet import ResidualBlock

PHOTO, THUMBNAIL = (3, 224, 224), (3, 32, 32)


def built(name: str, shape: tuple[int, int, int] = THUMBNAIL, classes: int = 10, **options: object) -> nn.Module:
    return build_model(ModelConfig.model_validate({"name": name, **options}), shape, classes)


def count(name: str, shape: tuple[int, int, int] = THUMBNAIL, classes: int = 10, **options: object) -> int:
    with torch.device("meta"):
        return sum(parameter.numel() for parameter in built(name, shape, classes, **options).parameters())


def macs(name: str, **options: object) -> int:
    return profile_model(ModelConfig.model_validate({"name": name, **options}), PHOTO, 1_000).macs


def normalized(inputs: int, filters: int, kernel: int = 3) -> int:
    """Parameters of a convolution without biases and of the batch normalization after it."""
    return conv_params(inputs, filters, kernel, bias=False) + 2 * filters


def cifar_by_hand(blocks: int) -> int:
    total, channels = normalized(3, 16), 16
    for filters in (16, 32, 64):
        total += normalized(channels, filters) + (2 * blocks - 1) * normalized(filters, filters)
        channels = filters
    return total + dense_params(64, 10)


def preactivated_by_hand(blocks: int) -> int:
    def unit(inputs: int, filters: int) -> int:
        windows = ((inputs, filters, 1), (filters, filters, 3), (filters, 4 * filters, 1))
        return sum(2 * each[0] + conv_params(*each, bias=False) for each in windows)

    total, channels = conv_params(3, 16, 3, bias=False), 16
    for filters in (16, 32, 64):
        total += unit(channels, filters) + conv_params(channels, 4 * filters, 1, bias=False)
        total += (blocks - 1) * unit(4 * filters, filters)
        channels = 4 * filters
    return total + 2 * 256 + dense_params(256, 10)


@pytest.mark.parametrize("depth", [20, 32, 44, 56, 110, 1202])
def test_cifar_networks_by_hand(depth: int) -> None:
    blocks = (depth - 2) // 6
    assert 6 * blocks + 2 == depth == MODELS[f"resnet{depth}"].depth
    assert MODELS[f"resnet{depth}"].num_params == cifar_by_hand(blocks)


@pytest.mark.parametrize("depth", [164, 1001])
def test_preactivated_bottlenecks_by_hand(depth: int) -> None:
    assert (depth - 2) % 9 == 0
    assert MODELS[f"preresnet{depth}"].num_params == preactivated_by_hand((depth - 2) // 9)


def test_the_tutorials_network_by_hand() -> None:
    total, channels = conv_params(1, 8, 3), 8
    for filters in (16, 32, 64):
        total += 2 * channels + conv_params(channels, filters, 3) + conv_params(channels, filters, 1)
        total += 3 * (2 * filters + conv_params(filters, filters, 3))
        channels = filters
    total += dense_params(64 * 7 * 7, 128) + dense_params(128, 10)
    assert MODELS["resnet_tutorial"].num_params == total


@pytest.mark.parametrize("key", [key for key, spec in MODELS.items() if spec.family == "resnet" and spec.depth < 1_000])
def test_depth_is_the_number_of_layers_with_weights(key: str) -> None:
    spec = MODELS[key]
    with torch.device("meta"):
        model = built(key, (spec.in_channels, spec.native_size, spec.native_size), spec.num_classes)
    layers = [name for name, layer in model.named_modules() if isinstance(layer, (nn.Conv2d, nn.Linear))]
    assert sum("shortcut" not in name for name in layers) == spec.depth


@pytest.mark.parametrize("key", [key for key in MODELS if key.startswith("plain")])
def test_plain_twins_are_residual_networks_without_shortcuts(key: str) -> None:
    spec, twin = MODELS[key], key.replace("plain", "resnet")
    shape = (3, spec.native_size, spec.native_size)
    assert spec.num_params == count(twin, shape, spec.num_classes, shortcut="A")
    with torch.device("meta"):
        plain, residual = built(key, shape), built(twin, shape, shortcut="A")
    assert list(plain.state_dict()) == list(residual.state_dict())
    assert not any(isinstance(layer, ResidualBlock) for layer in plain.modules())


def test_shortcuts_differ_in_their_projections() -> None:
    a, b, c = (count("resnet20", shortcut=option) for option in "ABC")
    projections = normalized(16, 32, 1) + normalized(32, 64, 1)
    assert b - a == projections
    everywhere = 3 * normalized(16, 16, 1) + 2 * normalized(32, 32, 1) + 2 * normalized(64, 64, 1)
    assert c - b == everywhere
    # Bottlenecks widen in the first stage too, where the maps keep their size.
    a, b = (count("resnet50", PHOTO, 1_000, shortcut=option) for option in "AB")
    assert b - a == sum(normalized(*sizes, 1) for sizes in ((64, 256), (256, 512), (512, 1_024), (1_024, 2_048)))


def test_option_a_samples_every_other_pixel_and_pads_with_zeros() -> None:
    shortcut = built("resnet20").get_submodule("stage2.block1.shortcut")
    maps = torch.randn(2, 16, 8, 8)
    result = shortcut(maps)
    assert result.shape == (2, 32, 4, 4)
    assert torch.equal(result[:, :16], maps[:, :, ::2, ::2])
    assert not result[:, 16:].any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_gradients_of_option_a_go_to_those_pixels_and_keep_the_memory_layout(dtype: torch.dtype) -> None:
    shortcut = built("resnet20").get_submodule("stage2.block1.shortcut")
    maps = torch.randn(2, 16, 7, 8, dtype=dtype).to(memory_format=torch.channels_last).requires_grad_()
    result = shortcut(maps)
    into = torch.randn_like(result)
    (gradient,) = torch.autograd.grad(result, maps, into)
    assert gradient.is_contiguous(memory_format=torch.channels_last)
    expected = torch.zeros_like(maps)
    expected[:, :, ::2, ::2] = into[:, :16]
    assert torch.equal(gradient, expected)


def test_the_stride_decides_about_the_operations_but_not_the_parameters() -> None:
    assert round(macs("resnet50", stride_in="3x3") / 1e9, 3) == 4.089
    assert round(macs("resnet50", stride_in="1x1") / 1e9, 3) == 3.858
    with torch.device("meta"):
        ours, paper = (built("resnet50", PHOTO, 1_000, stride_in=option) for option in ("3x3", "1x1"))
    shapes = [{name: values.shape for name, values in model.state_dict().items()} for model in (ours, paper)]
    assert shapes[0] == shapes[1]


@pytest.mark.parametrize("key", [key for key, spec in MODELS.items() if spec.family == "resnet" and spec.torchvision])
def test_operations_are_those_of_torchvision(key: str) -> None:
    weights = torchvision.models.get_model_weights(MODELS[key].torchvision)
    assert round(macs(key) / 1e9, 3) == weights["IMAGENET1K_V1"].meta["_ops"]


def test_keras_counts_more_for_the_same_network() -> None:
    """25,636,712 is what `keras.applications.ResNet50().count_params()` gives: its convolutions have biases."""
    profile = profile_model(ModelConfig(name="resnet50"), PHOTO, 1_000)
    statistics = sum(layer.norm_statistics for layer in profile.layers)
    biases = statistics // 2
    assert (statistics, biases) == (53_120, 26_560)
    assert profile.num_params + statistics + biases == 25_636_712


def test_the_small_stem_makes_the_common_resnet18_for_cifar() -> None:
    assert count("resnet18") == 11_173_962
    model = built("resnet18", width=0.25)
    stem = model.get_submodule("stem")(torch.zeros(2, 3, 32, 32))
    assert stem.shape[-2:] == (32, 32)
    large = built("resnet18", width=0.25, stem="published").get_submodule("stem")(torch.zeros(2, 3, 32, 32))
    assert large.shape[-2:] == (8, 8)


@pytest.mark.parametrize("key", ["resnet20", "resnet18", "resnet50"])
def test_a_block_whose_weights_are_zero_changes_nothing(key: str) -> None:
    block = built(key, width=0.25).get_submodule("stage2.block2")
    assert isinstance(block, ResidualBlock)
    convolutions = [layer for layer in block.modules() if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        nn.init.zeros_(layer.weight)
    maps = torch.rand(2, convolutions[0].in_channels, 4, 4)
    assert torch.equal(block(maps), maps)


@pytest.mark.parametrize("key", ["preresnet110", "preresnet164", "resnet_tutorial"])
def test_a_preactivated_block_whose_weights_are_zero_hands_on_negative_values_too(key: str) -> None:
    block = built(key, width=0.25).get_submodule("stage2.block2")
    assert isinstance(block, PreactivationBlock)
    convolutions = [layer for layer in block.residual if isinstance(layer, nn.Conv2d)]
    for layer in convolutions:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
    maps = torch.randn(2, convolutions[0].in_channels, 4, 4)
    assert torch.equal(block(maps), maps)


@pytest.mark.parametrize(("key", "convolutions"), [("preresnet110", 2), ("preresnet164", 3), ("resnet_tutorial", 2)])
def test_normalization_and_activation_come_before_each_convolution(key: str, convolutions: int) -> None:
    block = built(key, width=0.25).get_submodule("stage1.block2")
    leaves = [type(layer) for layer in block.modules() if next(layer.children(), None) is None]
    assert leaves == [nn.BatchNorm2d, nn.ReLU, nn.Conv2d] * convolutions + [nn.Identity]
    after = built(key, width=0.25).get_submodule("stage3" if key == "resnet_tutorial" else "after")
    assert isinstance(list(after.modules())[-1], nn.Identity if key == "resnet_tutorial" else nn.ReLU)


def test_the_first_block_of_a_stage_shares_its_activation_with_the_shortcut() -> None:
    block = built("preresnet164", width=0.25).get_submodule("stage2.block1")
    assert isinstance(block, PreactivationBlock)
    for parameter in block.residual.parameters():
        nn.init.zeros_(parameter)
    maps = torch.randn(2, 16, 8, 8)
    torch.testing.assert_close(block(maps), block.shortcut(block.before(maps)))


@pytest.mark.parametrize("norm", ["batch", "none"])
@pytest.mark.parametrize("key", ["preresnet110", "resnet_tutorial", "resnet20", "resnet50"])
def test_blocks_leave_their_input_as_it_was(key: str, norm: str) -> None:
    model = built(key, width=0.25, norm=norm)
    kept: list[tuple[Tensor, Tensor]] = []

    def note(_layer: nn.Module, _inputs: object, output: Tensor) -> None:
        kept.append((output, output.detach().clone()))

    for stage in (1, 2, 3):
        model.get_submodule(f"stage{stage}").register_forward_hook(note)
    model(torch.randn(2, 3, 32, 32))
    assert len(kept) == 3
    assert all(torch.equal(output, before) for output, before in kept)


@pytest.mark.parametrize("key", ["resnet1202", "preresnet1001"])
def test_a_thousand_layers_run(key: str) -> None:
    model = built(key, (3, 8, 8), width=0.125)
    loss = model(torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))).square().mean()
    loss.backward()
    gradients = [parameter.grad for parameter in model.parameters()]
    assert all(gradient is not None and gradient.isfinite().all() for gradient in gradients)
    assert math.isfinite(loss.item())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"name": "plain20", "shortcut": "A"}, "its twin with shortcuts is resnet20"),
        ({"name": "plain34", "shortcut": "B"}, "its twin with shortcuts is resnet34"),
        ({"name": "resnet34", "stride_in": "1x1"}, "no bottleneck blocks"),
        ({"name": "resnet1202", "norm": "none"}, "overflow"),
        ({"name": "preresnet1001", "norm": "none"}, "overflow"),
        ({"name": "resnet56", "stem": "small"}, "no option stem"),
        ({"name": "resnet50", "pool": "average"}, "the one of its stem"),
    ],
)
def test_impossible_options_are_refused_with_the_reason(options: dict[str, str], reason: str) -> None:
    with pytest.raises(ConfigError, match=reason):
        build_model(ModelConfig.model_validate(options), THUMBNAIL, 10)
