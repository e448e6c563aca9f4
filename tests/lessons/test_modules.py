from __future__ import annotations

import pytest
import torch
from torch import nn

from cnncore.errors import ConfigError
from cnncore.lessons.modules import Module, Widths, factorized, naive, reduced


def in_torch(module: Module) -> nn.ModuleList:
    return nn.ModuleList(
        nn.Sequential(
            *(
                nn.Conv2d(each.inputs, each.filters, each.kernel, padding=(each.kernel[0] // 2, each.kernel[1] // 2))
                for each in branch.convolutions
            )
        )
        for branch in module.branches
    )


@pytest.mark.parametrize("module", [reduced(192, Widths()), naive(24, Widths()), *factorized(16, 7).values()])
def test_numbers_are_those_of_torchs_layers(module: Module) -> None:
    branches = in_torch(module)
    assert module.params == sum(each.numel() for each in branches.parameters())
    images = torch.zeros(1, module_inputs(module), 9, 9)
    with torch.no_grad():
        stacked = torch.cat([branch(images) for branch in branches], dim=1)
    assert tuple(stacked.shape) == (1, module.channels, 9, 9)


def module_inputs(module: Module) -> int:
    return module.branches[0].convolutions[0].inputs


def test_the_first_module_of_googlenet_has_the_papers_numbers() -> None:
    # Table 1 of the paper: 256 channels, "159K" parameters and "128M" operations at 28 × 28.
    module = reduced(192, Widths())
    assert module.channels == 256
    assert module.params - sum(each.filters for branch in module.branches for each in branch.convolutions) == 163_328
    assert module.macs(28) == 128_049_152


def test_naive_modules_grow() -> None:
    widths = Widths()
    first = naive(192, widths)
    assert first.channels == 64 + 128 + 32 + 192
    assert naive(first.channels, widths).channels > first.channels


def test_factorized_convolutions_see_as_much_with_fewer_numbers() -> None:
    five = factorized(64, 5)
    whole, stacked, split = (module.params for module in five.values())
    assert stacked < whole
    assert split < stacked
    assert [branch.channels for module in five.values() for branch in module.branches] == [64, 64, 64]


def test_impossible_widths_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match="There cannot be 0 channels"):
        reduced(192, Widths(fives=0))
    with pytest.raises(ConfigError, match="odd"):
        factorized(8, 4)
