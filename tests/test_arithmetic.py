from __future__ import annotations

import pytest
import torch
from torch import nn

from cnncore.arithmetic import (
    ReceptiveField,
    conv_macs,
    conv_output_size,
    conv_params,
    dense_macs,
    dense_params,
    pool_output_size,
    receptive_field,
)
from cnncore.errors import ConfigError


@pytest.mark.parametrize("size", [5, 8, 13, 28])
@pytest.mark.parametrize(
    ("kernel", "stride", "padding", "dilation"), [(1, 1, 0, 1), (3, 2, 1, 1), (5, 1, 2, 1), (2, 3, 0, 2)]
)
def test_output_size_is_what_a_convolution_gives(
    size: int, kernel: int, stride: int, padding: int, dilation: int
) -> None:
    output = nn.Conv2d(1, 1, kernel, stride, padding, dilation)(torch.zeros(1, 1, size, size))
    assert conv_output_size(size, kernel, stride, padding, dilation) == output.shape[-1]


@pytest.mark.parametrize("size", range(1, 12))
@pytest.mark.parametrize(("kernel", "stride", "padding"), [(2, 2, 0), (3, 2, 1), (3, 2, 0), (2, 3, 1)])
@pytest.mark.parametrize("ceil", [False, True])
def test_output_size_is_what_a_pooling_gives(size: int, kernel: int, stride: int, padding: int, ceil: bool) -> None:
    if kernel > size + 2 * padding:
        pytest.skip("does not fit")
    output = nn.MaxPool2d(kernel, stride, padding, ceil_mode=ceil)(torch.zeros(1, 1, size, size))
    assert pool_output_size(size, kernel, stride, padding, ceil=ceil) == output.shape[-1]


def test_parameters_are_what_layers_have() -> None:
    def count(layer: nn.Module) -> int:
        return sum(parameter.numel() for parameter in layer.parameters())

    assert conv_params(6, 16, 5) == count(nn.Conv2d(6, 16, 5)) == 2_416
    assert conv_params(8, 16, 3, groups=4, bias=False) == count(nn.Conv2d(8, 16, 3, groups=4, bias=False))
    assert dense_params(84, 10) == count(nn.Linear(84, 10)) == 850
    assert dense_params(84, 10, bias=False) == 840


def test_multiply_accumulates_of_known_layers() -> None:
    assert conv_macs(3, 96, 11, 55, 55) == 105_415_200  # AlexNet's first layer
    assert conv_macs(96, 256, 5, 27, 27, groups=2) == 223_948_800
    assert dense_macs(9_216, 4_096) == 37_748_736


def test_three_3x3_layers_see_what_one_7x7_sees() -> None:
    assert receptive_field([(3, 1)] * 3) == receptive_field([(7, 1)]) == ReceptiveField(7, 1, 3.5)
    assert receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)]) == ReceptiveField(16, 4, 8)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [((3, 5), "kernel"), ((0, 1), "size"), ((5, 3, 0), "stride"), ((5, 3, 1, -1), "padding"), ((5, 0), "kernel")],
)
def test_impossible_windows_are_refused(arguments: tuple[int, ...], field: str) -> None:
    with pytest.raises(ConfigError) as caught:
        conv_output_size(*arguments)
    assert caught.value.field == field


def test_pooling_windows_must_fit_as_well() -> None:
    with pytest.raises(ConfigError):
        pool_output_size(1, 2, 2)
