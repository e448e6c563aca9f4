"""Ascent against a closed form, its determinism, units that are off and units that are dead."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnncore.analysis.synthesis import FEWEST_STEPS, MOST_STEPS, STILL, Shaking, Synthesis, default_steps
from cnncore.analysis.units import CLASSES, Units, check_unit, units_of
from cnncore.errors import ConfigError, DataError
from tests.analysis.made import made_network

SIDE = 16


def units(model: nn.Module, channels: int = 1, layer: str = CLASSES) -> Units:
    """The units of a model of one's own in place of a network of the catalog."""
    net = made_network("lenet_tutorial", 28, channels=channels)
    made = replace(net.preprocessing, size=SIDE)
    held = replace(net, model=model, backbone=model, head=nn.Identity(), preprocessing=made)
    return replace(units_of(net, CLASSES), network=held, module=model.get_submodule(layer) if layer else None)


def linear(weight: Tensor) -> nn.Module:
    model = nn.Sequential(nn.Flatten(), nn.Linear(weight.numel(), 4))
    dense = model[1]
    assert isinstance(dense, nn.Linear)
    with torch.no_grad():
        dense.weight[1] = weight.flatten()
    return model


def blocks(channels: int) -> Tensor:
    """Weights of ±1 in blocks of four pixels, (C, H, W)."""
    places = torch.arange(SIDE) // 4
    signs = 1.0 - 2 * ((places[:, None] + places[None]) % 2)
    return signs.expand(channels, SIDE, SIDE)


def correlation(picture: np.ndarray, weight: Tensor) -> float:
    return float(np.corrcoef(picture.transpose(2, 0, 1).ravel(), weight.flatten().numpy())[0, 1])


HALVES = torch.where(torch.arange(SIDE) < SIDE // 2, 1.0, -1.0).expand(3, SIDE, SIDE)


@pytest.mark.parametrize("weight", [blocks(1), HALVES], ids=["gray blocks", "colored halves"])
def test_a_linear_unit_gets_the_best_image_there_is(weight: Tensor) -> None:
    # The optimum within the bounds: 1 where the weight is positive, 0 where it is negative.
    channels = len(weight)
    made = Synthesis(units(linear(weight), channels), 1, steps=200, shaking=STILL)
    made.advance()
    picture = made.picture
    assert picture.shape == (SIDE, SIDE, channels)
    assert correlation(picture, weight) > 0.99
    best = float(((weight > 0).float() - 0.5).div(0.25).mul(weight).sum())
    assert 0.8 * best < made.value <= best + 1
    assert made.before < 0.1 * best


def test_one_seed_is_one_image_in_pieces_of_any_length() -> None:
    net = made_network("cnn3", 20, channels=3, width=0.25)

    def grown(seed: int, budget_s: float) -> np.ndarray:
        made = Synthesis(units_of(net, CLASSES), 2, steps=6, seed=seed)
        calls = 0
        while made.done < made.total:
            made.advance(budget_s)
            calls += 1
        assert calls == (1 if budget_s > 1 else 6)
        return made.picture

    assert np.array_equal(grown(3, 1e9), grown(3, 0.0))
    assert not np.array_equal(grown(3, 1e9), grown(4, 1e9))


@pytest.mark.parametrize("middle", [False, True])
def test_the_value_grows_and_the_network_is_left_as_it_was(middle: bool) -> None:
    net = made_network("cnn3", 20, channels=3, width=0.25)
    before = {name: value.clone() for name, value in net.model.state_dict().items()}
    found = units_of(net, next(name for name, _ in net.model.named_modules() if name.endswith("conv")))
    made = Synthesis(found, 1, steps=30, middle=middle)
    made.advance()
    assert made.value > made.before + 0.5
    seen = torch.from_numpy(net.preprocessing.normalized(made.picture))[None]
    with torch.inference_mode():
        strongest = float(net.model.get_submodule(found.layer.name)(seen)[0, 1].max())
    assert made.value == pytest.approx(strongest, rel=1e-5), "of the picture as it can be downloaded"
    assert all(torch.equal(value, before[name]) for name, value in net.model.state_dict().items())
    assert all(not module._forward_hooks for module in net.model.modules())
    assert all(weight.grad is None for weight in net.model.parameters())


class OneSided(nn.Module):
    """A map whose mean can only be raised through an activation that is off at first."""

    def __init__(self, activation: nn.Module, weight: float, bias: float) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, 4, 3)
        self.activation = activation
        nn.init.constant_(self.convolution.weight, weight)
        nn.init.constant_(self.convolution.bias, bias)  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> Tensor:
        return self.activation(self.convolution(images)).mean(dim=(2, 3))


@pytest.mark.parametrize("activation", [nn.ReLU(), nn.ReLU(inplace=True), nn.ReLU6(), nn.ReLU6(inplace=True)])
def test_a_unit_that_is_off_is_switched_on(activation: nn.Module) -> None:
    made = Synthesis(units(OneSided(activation, 1.0, -9.0), layer="activation"), 0, steps=60)
    made.advance()
    assert made.before == 0.0
    assert made.value > 1.0


def test_a_dead_unit_is_one_sentence() -> None:
    made = Synthesis(units(OneSided(nn.ReLU(), 0.0, -1.0), layer="activation"), 3, steps=60)
    with pytest.raises(DataError, match="No image changes unit 3: it is dead"):
        made.advance()


def test_a_unit_that_does_not_exist_is_one_sentence() -> None:
    layer = units(linear(blocks(1))).layer
    with pytest.raises(ConfigError, match="There is no class 4"):
        check_unit(layer, 4)
    with pytest.raises(ConfigError, match="There is no unit -1 in the layer conv1"):
        check_unit(replace(layer, name="conv1"), -1)


def test_shaking_moves_the_image_and_keeps_its_size() -> None:
    made = Synthesis(units(linear(blocks(1))), 1, steps=1, shaking=Shaking(shift=0.25, turn=0.0, zoom=0.0))
    image = torch.zeros(1, SIDE, SIDE)
    image[0, 6:10, 6:10] = 1
    seen = torch.stack([made._shaken(image) for _ in range(20)])
    assert seen.shape == (20, 1, SIDE, SIDE)
    assert torch.allclose(seen.sum(dim=(1, 2, 3)), torch.tensor(16.0), atol=1e-3)
    middles = [(each[0] * torch.arange(SIDE)).sum() / each.sum() for each in seen]
    assert max(middles) - min(middles) > 2


@pytest.mark.parametrize("macs", [0, 1, 10**6, 4 * 10**8, 4 * 10**9, 10**12])
def test_steps_are_bounded(macs: Any) -> None:
    assert FEWEST_STEPS <= default_steps(macs) <= MOST_STEPS
