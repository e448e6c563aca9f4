"""Sums of convolutions against the values that the networks themselves compute."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnncore.analysis.feature_maps import outputs_of
from cnncore.analysis.layers import layout_of, map_layers
from cnncore.analysis.unit_sum import IMAGE, ConvolutionSum, PooledWindow, Stage, UnitSum, unit_sum
from cnncore.errors import ConfigError
from cnncore.models.blocks import PartialConv2d
from cnncore.training.trained import TrainedNetwork
from tests.analysis.made import made_network, noise

NARROW: dict[str, Any] = {"width": 1 / 8}
NETWORKS: list[tuple[str, int, dict[str, Any]]] = [
    ("lenet5", 28, {}),
    ("lenet_tutorial", 28, {}),
    ("cnn3", 32, {"pool": "average", "activation": "gelu"}),
    ("alexnet_grouped", 227, NARROW),
    ("vgg13_5x5_bn", 40, NARROW),
    ("nin", 32, {"width": 0.25}),
    ("googlenet", 64, NARROW),
    ("inception_bn", 64, NARROW),
    ("inception_v3", 75, NARROW),
    ("resnet18", 96, NARROW),
    ("resnet_tutorial", 28, {"width": 0.5}),
    ("squeezenet1_1", 64, NARROW),
    ("efficientnet_lite0", 64, {}),
]
MOST_LAYERS = 10


def near(found: float, expected: float, scale: float) -> bool:
    """Whether they are the same to 1e-5 of the largest of what was added up."""
    return abs(found - expected) <= 1e-5 * max(scale, abs(expected))


def check(network: TrainedNetwork, image: Tensor, found: UnitSum, left: dict[str, Tensor]) -> None:
    """Every value is the network's, and the sum adds up to the convolution's."""
    assert found.value == float(left[found.layer.name][found.unit, found.row, found.column])
    for stage in found.stages:
        expected = float(left[stage.name][stage.unit, stage.row, stage.column])
        assert stage.value == pytest.approx(expected, rel=1e-6, abs=1e-30)
        if stage.window is not None:
            check_window(network, stage, stage.window)
    if found.sum is None:
        return
    added = found.sum
    assert found.stages[0].name == added.layer
    assert near(added.value, found.stages[0].value, float(np.abs(added.products).max()))
    assert near(float(added.products.sum()) + added.bias, added.value, float(np.abs(added.products).max()))
    assert not added.patch[:, ~added.inside].any()
    if added.reads == IMAGE:
        check_patch(added, image[0])
    elif added.reads in left:
        check_patch(added, left[added.reads])


def check_window(network: TrainedNetwork, stage: Stage, window: PooledWindow) -> None:
    values = np.array(window.values)
    assert window.winner[0] in window.rows
    assert window.winner[1] in window.columns
    if window.takes == "max":
        assert stage.value == values.max()
    elif not hasattr(network.model.get_submodule(stage.name), "coefficient"):
        # Padding counts as zeros in some averages, and the window is cut off there.
        assert abs(stage.value) <= abs(values).max() + 1e-6


def check_patch(added: ConvolutionSum, maps: Tensor) -> None:
    """The patch is what lies under the window in the maps that are read."""
    reach_down, reach_right = added.dilation
    for row, column in np.argwhere(added.inside):
        there = maps[list(added.channels), added.top + row * reach_down, added.left + column * reach_right]
        assert np.array_equal(added.patch[:, row, column], there.numpy())


@pytest.mark.parametrize(("name", "side", "options"), NETWORKS, ids=[name for name, _, _ in NETWORKS])
def test_sums_add_up_to_what_the_network_computed(name: str, side: int, options: dict[str, Any]) -> None:
    network = made_network(name, side, **options)
    image, layers = noise(network), map_layers(network)
    left = outputs_of(network.model, image, [step.name for step in layout_of(network).steps if step.layer] + [*layers])
    random = np.random.default_rng(3)
    names = list(dict.fromkeys([*layers][:: max(1, len(layers) // MOST_LAYERS)]))
    sums = 0
    for layer in names:
        channels, height, width = layers[layer].shape
        places = {(0, 0), (height - 1, width - 1), (int(random.integers(height)), int(random.integers(width)))}
        for row, column in places:
            unit = int(random.integers(channels))
            found = unit_sum(network, image, layer, unit, row, column)
            check(network, image, found, left)
            assert (found.sum is None) == (not found.stages or found.stages[0].kind != "convolution")
            assert found.sum is not None or found.note
            sums += found.sum is not None
    assert sums >= len(names) / 2


class Convolutions(nn.Sequential):
    """Convolutions of every sort, one after the other."""

    def __init__(self) -> None:
        super().__init__()
        some = torch.rand(6, 4, generator=torch.Generator().manual_seed(0), device="cpu") < 0.6
        some[:, 0] = True
        parts: dict[str, nn.Module] = {
            "plain": nn.Conv2d(3, 4, 3),
            "strided": nn.Conv2d(4, 4, (3, 5), stride=(2, 1), padding=(1, 2)),
            "partial": PartialConv2d(some, 3),
            "grouped": nn.Conv2d(6, 8, 3, padding=1, groups=2, bias=False),
            "depthwise": nn.Conv2d(8, 16, 3, padding="same", groups=8, dilation=2),
            "tanh": nn.Tanh(),
            "pooled": nn.MaxPool2d(3, 2, padding=1, ceil_mode=True),
            "pointwise": nn.Conv2d(16, 5, 1),
        }
        for name, part in parts.items():
            self.add_module(name, part)


@pytest.fixture
def odd(monkeypatch: pytest.MonkeyPatch) -> TrainedNetwork:
    torch.manual_seed(0)
    model = Convolutions().eval()
    monkeypatch.setattr("cnncore.analysis.layers.build_network", lambda *_: Convolutions())
    # Another seed is another configuration, so that no layout of before is found.
    network = made_network("cnn3", 21, channels=3, width=1.9)
    return dataclasses.replace(network, model=model)


@pytest.mark.parametrize(
    ("layer", "seen"),
    [
        ("plain", 3),
        ("strided", 4),
        ("partial", None),
        ("grouped", 3),
        ("depthwise", 1),
        ("pooled", 1),
        ("pointwise", 16),
    ],
)
def test_every_sort_of_convolution_at_every_border(odd: TrainedNetwork, layer: str, seen: int | None) -> None:
    image, facts = noise(odd), map_layers(odd)[layer]
    left = outputs_of(odd.model, image, [*map_layers(odd)])
    channels, height, width = facts.shape
    for unit in range(0, channels, 3):
        for row, column in (
            (0, 0),
            (0, width - 1),
            (height - 1, 0),
            (height - 1, width - 1),
            (height // 2, width // 2),
        ):
            found = unit_sum(odd, image, layer, unit, row, column)
            check(odd, image, found, left)
            assert found.sum is not None
            partial = odd.model.get_submodule("partial")
            assert isinstance(partial, PartialConv2d)
            expected = seen or int((partial.rows[unit] < len(partial.weight)).sum())
            assert len(found.sum.channels) == len(found.sum.terms) == expected


def test_of_a_strided_window_at_the_corner_the_padding_is_outside(odd: TrainedNetwork) -> None:
    added = unit_sum(odd, noise(odd), "strided", 1, 0, 0).sum
    assert added is not None
    assert (added.top, added.left, added.reads) == (-1, -2, "plain")
    assert added.inside.tolist() == [[False] * 5, [False, False, True, True, True], [False, False, True, True, True]]


def test_grouped_filters_see_their_group_only(odd: TrainedNetwork) -> None:
    added = unit_sum(odd, noise(odd), "grouped", 5, 3, 3).sum
    assert added is not None
    assert added.channels == (3, 4, 5)
    assert added.bias == 0


def test_a_maximum_is_followed_to_the_value_that_won(odd: TrainedNetwork) -> None:
    found = unit_sum(odd, noise(odd), "pooled", 3, 0, 0)
    assert [stage.name for stage in found.stages] == ["depthwise", "tanh", "pooled"]
    window = found.stages[-1].window
    assert window is not None
    # Row and column -1 are padding.
    assert (window.rows, window.columns, window.takes) == ((0, 1), (0, 1), "max")
    assert max(map(max, window.values)) == found.value
    assert found.sum is not None
    assert (found.sum.row, found.sum.column) == window.winner
    assert np.tanh(found.sum.value) == pytest.approx(found.value, rel=1e-5)
    assert found.note == ""


def test_what_follows_a_convolution_is_told_too() -> None:
    network = made_network("resnet18", 64, **NARROW)
    found = unit_sum(network, noise(network), "stage1.block1.conv1.conv", 2, 3, 4)
    assert [(stage.kind, stage.chosen) for stage in found.stages] == [
        ("convolution", True),
        ("normalization", False),
        ("activation", False),
    ]
    assert found.stages[2].value == max(found.stages[1].value, 0)
    norm = network.model.get_submodule("stage1.block1.conv1.norm")
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_mean is not None
    assert norm.running_var is not None
    scale = float(norm.weight.detach()[2] / (norm.running_var[2] + norm.eps).sqrt())
    normalized = (found.stages[0].value - float(norm.running_mean[2])) * scale + float(norm.bias.detach()[2])
    assert found.stages[1].value == pytest.approx(normalized, rel=1e-4, abs=1e-6)


def test_where_branches_are_added_there_is_no_single_sum_but_the_parts() -> None:
    network = made_network("resnet20", 32, width=0.25)
    found = unit_sum(network, noise(network), "stage1.block2", 1, 5, 6)
    assert found.sum is None
    assert "no single convolution's sum" in found.note
    assert [name for name, _ in found.addends] == ["stage1.block2.conv2.norm", "stage1.block1.activation"]
    assert max(sum(value for _, value in found.addends), 0) == pytest.approx(found.value, abs=1e-6)


def test_sums_that_are_a_blocks_end_are_called_by_the_block() -> None:
    network = made_network("preresnet110", 16, width=0.25)
    found = unit_sum(network, noise(network), "stage1.block3", 1, 5, 6)
    assert [name for name, _ in found.addends] == ["stage1.block3.residual.conv2", "stage1.block2"]
    assert sum(value for _, value in found.addends) == pytest.approx(found.value, abs=1e-5)


class Scaled(nn.Module):
    """A block as timm's Inception-ResNet-v2 has them: what it adds to its input is scaled."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = 0.17
        self.conv2d = nn.Conv2d(3, 3, 3, padding=1)
        self.act = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        return self.act(self.conv2d(x) * self.scale + x)


def test_what_a_block_scales_before_it_adds_counts_as_scaled(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)

    def made() -> nn.Sequential:
        return nn.Sequential(OrderedDict(first=nn.Conv2d(3, 3, 1), block=Scaled())).eval()

    monkeypatch.setattr("cnncore.analysis.layers.build_network", lambda *_: made())
    network = dataclasses.replace(made_network("cnn3", 22, channels=3, width=1.7), model=made())
    image, spread = noise(network), 0.0
    for layer in ("block", "block.act"):
        for row in range(5):
            found = unit_sum(network, image, layer, 1, row, 3)
            assert [name for name, _ in found.addends] == ["block.conv2d", "first"]
            assert max(sum(value for _, value in found.addends), 0) == pytest.approx(found.value, abs=1e-6)
            assert "Of block.conv2d 0.17 times its value counts." in found.note
            spread = max(spread, found.value)
    assert spread > 0


def test_a_stacked_map_is_followed_into_its_branch() -> None:
    network = made_network("googlenet", 64, **NARROW)
    layout = layout_of(network)
    stacked = layout.steps[layout.made_by["inception3a"]]
    branches = [layout.steps[place] for place in stacked.inputs]
    first = branches[0].out_shape[0]
    found = unit_sum(network, noise(network), "inception3a", first + 1, 2, 2)
    assert found.stages[-1].unit == 1
    assert found.stages[-1].name == branches[1].name
    assert branches[1].name in found.note
    assert found.stages[-1].value == found.value


def test_an_average_is_followed_to_what_counts_most() -> None:
    network = made_network("cnn3", 28, pool="average")
    found = unit_sum(network, noise(network), "conv2.pool", 0, 1, 1)
    window = found.stages[-1].window
    assert window is not None
    assert window.takes == "average"
    values = np.array(window.values)
    assert values.mean() == pytest.approx(found.value, rel=1e-5)
    row, column = window.rows.index(window.winner[0]), window.columns.index(window.winner[1])
    assert abs(values[row, column]) == abs(values).max()
    assert "averages its window" in found.note


def test_before_the_first_convolution_there_is_no_sum() -> None:
    network = made_network("lenet5", 28)
    found = unit_sum(network, noise(network), "frame", 0, 5, 5)
    assert found.sum is None
    assert found.stages == ()
    assert "no convolution has seen yet" in found.note
    assert found.box == (3, 3, 4, 4)


def test_units_and_positions_that_there_are_not_get_one_sentence() -> None:
    network = made_network("cnn3", 28)
    image = noise(network)
    with pytest.raises(ConfigError, match=r"conv2\.conv has no unit 32\. Allowed: 0 to 31"):
        unit_sum(network, image, "conv2.conv", 32, 0, 0)
    with pytest.raises(ConfigError, match="has no column 20"):
        unit_sum(network, image, "conv2.conv", 0, 0, 20)
    with pytest.raises(ConfigError, match="has no maps"):
        unit_sum(network, image, "output", 0, 0, 0)
