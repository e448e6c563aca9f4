"""What positions of maps see: by formula against the gradients of the network itself, and which layers there are."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnncore.analysis.feature_maps import outputs_of
from cnncore.analysis.grad_cam import last_maps, layers_with_maps
from cnncore.analysis.layers import MapLayer, layout_of, map_layer, map_layers
from cnncore.analysis.seen import seen_by_steps
from cnncore.errors import ConfigError
from cnncore.models.recorder import record_model
from cnncore.training.trained import TrainedNetwork
from tests.analysis.made import made_network, noise
from tests.models.members import NAMES, SMALL

Box = tuple[int, int, int, int]

NARROW: dict[str, Any] = {"width": 1 / 8}
SEEN: list[tuple[str, int, dict[str, Any], tuple[str, ...]]] = [
    # network, side, options, layers
    ("lenet5", 32, {}, ("c1", "s2", "c3.conv", "s4", "c5")),
    ("lenet5", 27, {}, ("frame", "c1", "s4")),
    ("alexnet", 224, NARROW, ("conv1.conv", "conv1", "conv2", "conv3", "conv5")),
    ("vgg11", 64, {**NARROW, "stem": "published"}, ("stage1", "stage3.conv1", "stage5", "shrink")),
    ("vgg11_small", 37, NARROW, ("stage3", "stage5")),
    ("googlenet", 96, NARROW, ("stem", "inception3a.branch3.conv.conv", "inception3a", "inception4a", "inception5b")),
    ("resnet18", 96, NARROW, ("stem", "stage1.block1", "stage2.block1.shortcut.conv", "stage2", "stage4")),
    ("resnet18", 32, {**NARROW, "stem": "small"}, ("stem", "stage1", "stage2.block1", "stage3")),
    ("resnet20", 27, {"width": 0.25}, ("stem", "stage1", "stage2.block1", "stage3")),
    ("preresnet110", 25, {"width": 0.25}, ("stem", "stage1.block2", "stage2.block2.residual.conv1")),
    ("resnet50", 64, {**NARROW, "stem": "published"}, ("stage1.block1", "stage2.block1", "stage4")),
    ("inception_v3", 107, NARROW, ("stem", "inception5b", "inception6b.branch7x7.conv2.conv", "inception6b")),
    ("squeezenet1_1", 65, NARROW, ("conv1", "fire3", "fire9", "output")),
    (
        "efficientnet_lite0",
        96,
        {},
        ("conv_stem", "blocks.1.0.conv_dw", "blocks.2.0.conv_dw", "blocks.2.1", "conv_head"),
    ),
    ("cnn3", 48, {"input_size": 32}, ("resize", "conv1", "conv2.conv")),
    ("cnn3", 24, {"input_size": 32}, ("resize", "conv1.conv", "conv2")),
]


def averaging(network: TrainedNetwork) -> nn.Module:
    """The network with positive weights, averages for maxima and nothing below zero, so that no gradient is hidden."""
    model = network.model.double()
    for name, module in list(model.named_modules()):
        if isinstance(module, nn.MaxPool2d):
            window = (module.kernel_size, module.stride, module.padding)
            parent = model.get_submodule(name.rpartition(".")[0])
            setattr(parent, name.rpartition(".")[2], nn.AvgPool2d(*window, ceil_mode=module.ceil_mode))
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
    with torch.no_grad():
        for name, weights in model.named_parameters():
            weights.zero_() if name.endswith("bias") else weights.fill_(1 / max(weights[0].numel(), 1))
    return model


def gradient_box(maps: Tensor, image: Tensor, row: int, column: int) -> Box:
    """The smallest box around all pixels with a gradient of any channel at a position."""
    (gradient,) = torch.autograd.grad(maps[0, :, row, column].sum(), image, retain_graph=True)
    seen = gradient[0].abs().sum(dim=0) > 0
    if not seen.any():
        return 0, 0, 0, 0
    rows, columns = (seen.any(dim=axis).nonzero().flatten().tolist() for axis in (1, 0))
    return rows[0], columns[0], rows[-1] + 1, columns[-1] + 1


@pytest.mark.parametrize(("name", "side", "options", "names"), SEEN, ids=lambda value: str(value)[:24])
def test_positions_see_the_pixels_that_have_a_gradient(
    name: str, side: int, options: dict[str, Any], names: tuple[str, ...]
) -> None:
    network = made_network(name, side, **options)
    layers = map_layers(network)
    image = torch.rand(1, network.preprocessing.channels, side, side, dtype=torch.float64) * 1e-3
    image.requires_grad_()
    model, maps = averaging(network), dict[str, Tensor]()

    def keep(layer: str, _module: nn.Module, _inputs: object, output: Tensor) -> None:
        maps[layer] = output.clone()

    for layer in names:
        model.get_submodule(layer).register_forward_hook(partial(keep, layer))
    model(image)
    for layer in names:
        _, height, width = layers[layer].shape
        for row, column in {(0, 0), (height // 2, width - 1), (height - 1, width // 3), (height // 2, width // 2)}:
            top, left, bottom, right = layers[layer].seen_by(row, column, side)
            box = (top, left, bottom, right) if top < bottom and left < right else (0, 0, 0, 0)
            assert box == gradient_box(maps[layer], image, row, column), (layer, row, column)


def test_formulas_hold_in_the_middle() -> None:
    layers = map_layers(made_network("alexnet", 224, width=1 / 8))
    for name, field, jump in (("conv1.conv", 11, 4), ("conv2.conv", 51, 8), ("conv5.conv", 163, 16)):
        layer = layers[name]
        assert (layer.receptive_field, layer.jump) == (field, jump)
        middle = layer.shape[1] // 2
        top, left, bottom, right = layer.seen_by(middle, middle, 224)
        assert bottom - top == right - left == field
        assert layer.start is not None
        assert top == layer.start + middle * jump - field / 2
        assert layer.middle(middle, middle, 224) == ((top + bottom) / 2, (left + right) / 2)


def test_the_middle_of_what_is_seen_is_not_that_of_a_share_of_the_image() -> None:
    layer = map_layers(made_network("cnn3", 28))["conv1.conv"]
    assert layer.seen_by(0, 23, 28) == (0, 23, 5, 28)
    assert layer.middle(0, 23, 28) == (2.5, 25.5)
    padded = map_layers(made_network("lenet5", 28))["frame"]
    assert padded.middle(0, 31, 28) == (0.0, 28.0), "what sees padding only is at the edge"


@pytest.mark.parametrize(("side", "fields"), [(48, (3, 9, 15, 29)), (24, (2, 5, 8, 15)), (32, (1, 5, 9, 18))])
def test_what_resizing_takes_belongs_to_the_receptive_field(side: int, fields: tuple[int, ...]) -> None:
    """Resized to 32 pixels; the field is what a position sees that sees most."""
    layers = map_layers(made_network("cnn3", side, input_size=32))
    names = [name for name in ("resize", "conv1.conv", "conv2.conv", "conv3.conv") if name in layers]
    assert len(names) == 4
    for name, field in zip(names, fields, strict=True):
        rows, _ = layers[name].spans(side)
        assert layers[name].receptive_field == field == (rows[:, 1] - rows[:, 0]).max()


def test_windows_that_are_not_square_see_rectangles() -> None:
    network = made_network("inception_v3", 299, width=1 / 8)
    layers = map_layers(network)
    assert layers["inception6b.branch7x7.conv2.conv"].kernel == (1, 7)
    _, height, width = layers["inception6b.branch7x7.conv2.conv"].shape
    top, left, bottom, right = layers["inception6b.branch7x7.conv2.conv"].seen_by(height // 2, width // 2, 299)
    assert right - left > bottom - top


def test_windows_of_different_sizes_do_not_see_everything() -> None:
    """VGG pools 5 × 5 maps of 160 pixels to 7 × 7."""
    layer = map_layers(made_network("vgg11", 160, **NARROW))["shrink"]
    rows, _ = layer.spans(160)
    assert layer.receptive_field == (rows[:, 1] - rows[:, 0]).max() == 155
    assert (layer.jump, layer.start) == (None, None)
    whole = map_layers(made_network("resnet20", 32, width=0.25))["average"]
    assert whole.receptive_field is None


class Edges(nn.Module):
    """A window of padding only, and dilation."""

    def __init__(self) -> None:
        super().__init__()
        self.outside = nn.Conv2d(1, 1, 1, padding=1)
        self.wide = nn.Conv2d(1, 1, 3, padding=2, dilation=2, stride=2)

    def forward(self, x: Tensor) -> Tensor:
        return self.wide(self.outside(x))


def test_padding_is_no_pixel() -> None:
    with torch.device("meta"):
        steps = record_model(Edges().eval(), (1, 5, 7)).steps
    _, outside, wide = seen_by_steps(steps)
    assert outside is not None
    assert outside.rows.tolist() == [[0, 0], [0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [0, 0]]
    assert wide is not None
    # The first one takes the positions -2, 0 and 2 of 7, of which the second has seen padding: pixel 1 is left.
    assert wide.rows.tolist() == [[1, 2], [1, 4], [1, 4], [3, 4]]
    assert len(wide.columns) == 5


REPRESENTATIVES = [
    ("lenet_tutorial", 28, {}),
    ("lenet5", 28, {}),
    ("cnn3", 28, {}),
    ("alexnet_grouped", 227, NARROW),
    ("alexnet_small", 32, NARROW),
    ("vgg13_5x5_bn", 32, NARROW),
    ("nin", 32, {"width": 0.25}),
    ("googlenet", 64, NARROW),
    ("inception_bn", 64, NARROW),
    ("resnet_tutorial", 28, {"width": 0.5}),
    ("resnet20", 32, {"width": 0.5}),
    ("plain20", 32, {"width": 0.5}),
    ("resnet18", 64, NARROW),
    ("squeezenet1_1", 64, NARROW),
    ("efficientnet_lite0", 64, {}),
    *([("inception_resnet_v2", 75, {}), ("xception", 71, {})] if NAMES is not SMALL else []),
]
"""A member of each family, with small images; the two largest in `make zoo` only."""


@pytest.mark.parametrize(("name", "side", "options"), REPRESENTATIVES, ids=lambda value: str(value)[:20])
def test_every_layer_has_the_maps_it_is_said_to_have(name: str, side: int, options: dict[str, Any]) -> None:
    network = made_network(name, side, **options)
    layout, image = layout_of(network), noise(network)
    found = outputs_of(network.model, image, layout.layers)
    assert {layer: tuple(values.shape) for layer, values in found.items()} == {
        layer: facts.shape for layer, facts in layout.layers.items()
    }
    through = layers_with_maps(network.model, image)
    assert {layer for layer, facts in layout.layers.items() if facts.passes_all} == {
        layer for layer in through if layer in layout.layers
    }
    assert layout.last == last_maps(network.model, image)
    for layer, place in layout.made_by.items():
        assert layout.steps[place].name == layer or layout.steps[place].name.startswith(f"{layer}.")


def test_blocks_leave_what_their_last_step_leaves() -> None:
    """Of a block that ends in a sum or a stack there is no layer that could be asked instead."""
    network = made_network("resnet20", 32, width=0.25)
    found = outputs_of(network.model, noise(network), ("stage2.block2", "stage2.block2.activation"))
    assert torch.equal(*found.values())


def test_facts_are_plain_values() -> None:
    facts = map_layers(made_network("cnn3", 28))["conv2.conv"].to_dict()
    assert facts == {
        "name": "conv2.conv",
        "kind": "convolution",
        "shape": (32, 20, 20),
        "kernel": (5, 5),
        "stride": (1, 1),
        "padding": (0, 0),
        "receptive_field": 9,
        "jump": 1,
        "start": 4.5,
        "passes_all": True,
        "is_tap": False,
    }


def test_a_layer_without_maps_gets_one_sentence() -> None:
    network = made_network("cnn3", 28)
    with pytest.raises(ConfigError, match=r"The layer output has no maps to look at\. Choose one"):
        map_layer(network, "output")
    with pytest.raises(ConfigError, match="There is no layer named 'conv9'"):
        map_layer(network, "conv9")
    with pytest.raises(ConfigError, match="There is no layer named ''"):
        map_layer(network, "")


def test_a_position_that_there_is_not_gets_one_sentence() -> None:
    layer = map_layers(made_network("cnn3", 28))["conv2.conv"]
    with pytest.raises(ConfigError, match=r"conv2\.conv has no row 20\. Allowed: 0 to 19"):
        layer.seen_by(20, 0, 28)
    with pytest.raises(ConfigError, match="has no column -1"):
        layer.seen_by(0, -1, 28)


def test_a_layer_without_spans_sees_everything() -> None:
    layer = MapLayer(
        name="classes", kind="classes", shape=(3, 1, 2), kernel=None, stride=None, padding=None,
        receptive_field=None, jump=None, start=None, passes_all=True, is_tap=False,
    )  # fmt: skip
    assert layer.seen_by(0, 1, 9) == (0, 0, 9, 9)
    assert layer.middle(0, 1, 9) == (4.5, 6.75)
    assert [spans.tolist() for spans in layer.spans(9)] == [[[0, 9]], [[0, 9], [0, 9]]]
    assert np.array_equal(layer.spans(9)[0][0], [0, 9])
