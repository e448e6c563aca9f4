from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.catalog.zoo import zoo
from cnncore.errors import ConfigError
from cnncore.lessons.contents import LESSONS
from cnncore.lessons.modules import GOOGLENET, Module, Widths, build_module, chained, factorized
from cnncore.models.googlenet import INCEPTION


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


def random_module(seed: int) -> Module:
    rng = np.random.default_rng(seed)
    widths = Widths(**{name: int(rng.integers(1, 40)) for name in vars(Widths())})
    return build_module("reduced" if seed % 2 else "naive", int(rng.integers(1, 60)), widths)


@pytest.mark.parametrize("seed", range(100))
def test_modules_of_random_widths_are_torchs(seed: int) -> None:
    module = random_module(seed)
    branches = in_torch(module)
    assert module.params == sum(each.numel() for each in branches.parameters())
    assert module.weights == sum(each.numel() for each in branches.parameters() if each.ndim > 1)
    for branch, layers in zip(module.branches, branches, strict=True):
        assert isinstance(layers, nn.Sequential)
        for convolution, layer in zip(branch.convolutions, layers, strict=True):
            assert isinstance(layer, nn.Conv2d)
            assert convolution.macs(13) == layer.weight.numel() * 13 * 13


@pytest.mark.parametrize("name", GOOGLENET)
def test_modules_of_googlenet_are_those_of_the_network(name: str) -> None:
    place = GOOGLENET[name]
    assert tuple(vars(place.widths).values()) == INCEPTION[name]
    costs = [cost for cost in zoo()["googlenet"].costs if cost.stage == f"inception{name}"]
    module = build_module("reduced", place.inputs, place.widths)
    assert module.params == sum(cost.num_params for cost in costs)
    assert module.macs(place.side) == sum(cost.macs for cost in costs)


def test_one_module_takes_what_the_one_before_it_leaves() -> None:
    channels = [build_module("reduced", place.inputs, place.widths).channels for place in GOOGLENET.values()]
    assert [place.inputs for place in GOOGLENET.values()] == [192, *channels[:-1]]


def test_the_lessons_answer_says_what_the_figure_shows() -> None:
    answer, place = LESSONS["inception"].answer, GOOGLENET["3a"]
    chains = {kind: chained(kind, place.inputs, place.widths, 9) for kind in ("naive", "reduced")}
    naive_ones, reduced_ones = chains["naive"], chains["reduced"]
    ratio = naive_ones[0].macs(28) / reduced_ones[0].macs(28)
    fives = [sum(each.macs(28) for each in chain[0].branches[2].convolutions) for chain in (naive_ones, reduced_ones)]
    whole = sum(each.macs(28) for each in naive_ones) / sum(each.macs(28) for each in reduced_ones)
    assert f"takes {ratio:.1f} times the multiplications" in answer
    assert f"alone {fives[0] / fives[1]:.1f} times" in answer
    assert f"{naive_ones[0].channels} after the first, {naive_ones[-1].channels:,} after nine" in answer
    assert f"stay at {reduced_ones[-1].channels}." in answer
    assert f"take {whole:.1f} times" in answer


def test_a_row_of_modules_may_pile_up_more_channels_than_one_can_choose() -> None:
    chain = chained("naive", 1_024, Widths(ones=512, threes=512, fives=512), 9)
    assert chain[-1].channels == 1_024 + 9 * 3 * 512
    with pytest.raises(ConfigError, match="There cannot be 0 channels"):
        chained("naive", 0, Widths(), 9)


@pytest.mark.parametrize(
    "module", [build_module("reduced", 192, Widths()), build_module("naive", 24, Widths()), *factorized(16, 7).values()]
)
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
    module = build_module("reduced", 192, Widths())
    assert module.channels == 256
    assert module.params - sum(each.filters for branch in module.branches for each in branch.convolutions) == 163_328
    assert module.macs(28) == 128_049_152


def test_naive_modules_grow() -> None:
    widths = Widths()
    first = build_module("naive", 192, widths)
    assert first.channels == 64 + 128 + 32 + 192
    assert build_module("naive", first.channels, widths).channels > first.channels


def test_factorized_convolutions_see_as_much_with_fewer_numbers() -> None:
    five = factorized(64, 5)
    whole, stacked, split = (module.params for module in five.values())
    assert stacked < whole
    assert split < stacked
    assert [branch.channels for module in five.values() for branch in module.branches] == [64, 64, 64]


@pytest.mark.parametrize("kernel", [3, 5, 7, 9, 11])
def test_the_parts_of_a_window_see_what_the_window_does(kernel: int) -> None:
    for module in factorized(4, kernel).values():
        assert module.branches[0].field == (kernel, kernel)
        # Where the gradient of one output arrives, says torch.
        image = torch.zeros(1, 4, 15, 15, requires_grad=True)
        maps = image
        for layer in in_torch(module)[0].children():
            assert isinstance(layer, nn.Conv2d)
            nn.init.ones_(layer.weight)
            maps = layer(maps)
        (gradient,) = torch.autograd.grad(maps[0, 0, 7, 7], image)
        seen = gradient[0, 0].nonzero()
        assert (seen.amax(0) - seen.amin(0) + 1).tolist() == [kernel, kernel]
    whole, _, split = (module.weights for module in factorized(4, kernel).values())
    assert split / whole == pytest.approx(2 / kernel)


def test_impossible_widths_are_one_sentence() -> None:
    with pytest.raises(ConfigError, match="There cannot be 0 channels"):
        build_module("reduced", 192, Widths(fives=0))
    with pytest.raises(ConfigError, match="odd"):
        factorized(8, 4)
