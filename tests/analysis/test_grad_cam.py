"""Grad-CAM against its closed form and finite differences, on every network, and that it changes nothing."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from cnncore.analysis.grad_cam import LEAST_SIDE, grad_cam, last_maps, layers_with_maps
from cnncore.catalog import MODELS
from cnncore.config import ModelConfig, TrainConfig, TransferConfig
from cnncore.errors import ConfigError, DataError
from cnncore.models import build_model
from cnncore.transfer.network import build_network
from tests.models.members import NAMES, THOUSAND_LAYERS, training_width

SIZE = 12


def averaging() -> nn.Sequential:
    """Maps, their averages, a dense layer: the network of which Grad-CAM is the weighted sum of the maps."""
    torch.manual_seed(0)
    parts: dict[str, nn.Module] = {
        "conv": nn.Conv2d(3, 5, 3, padding=1),
        "activation": nn.ReLU(inplace=True),
        "average": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "output": nn.Linear(5, 4),
    }
    model = nn.Sequential()
    for name, part in parts.items():
        model.add_module(name, part)
    return model.eval()


def images(count: int = 3, channels: int = 3, side: int = SIZE) -> Tensor:
    return torch.rand(count, channels, side, side, generator=torch.Generator().manual_seed(1))


def scaled(sums: Tensor, side: int = SIZE) -> Tensor:
    """Weighted sums (N, h, w) as maps from 0 to 1."""
    large = functional.interpolate(sums[:, None].relu(), size=(side, side), mode="bilinear")[:, 0]
    return large / large.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)


def test_of_averages_and_a_dense_layer_it_is_the_weighted_sum_of_the_maps() -> None:
    model, batch, classes = averaging(), images(), [0, 2, 3]
    found = grad_cam(model, batch, classes)
    assert last_maps(model, batch) == "activation"
    maps = model[1](model[0](batch))
    weights = model.get_submodule("output").get_parameter("weight")[classes]
    expected = scaled(torch.einsum("nc,nchw->nhw", weights, maps))
    assert found.dtype == np.float32
    assert found.max() > 0.5
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)


def test_weights_of_the_maps_are_their_gradients_by_finite_differences() -> None:
    torch.manual_seed(3)
    head = nn.Sequential(nn.Tanh(), nn.Flatten(), nn.Linear(2 * 5 * 5, 3)).double()
    model = nn.Sequential(nn.Conv2d(1, 2, 2), head).double().eval()
    batch = images(1, 1, 6).double()
    found = grad_cam(model, batch, [1], "0")
    maps = model[0](batch).detach()
    step, means = 1e-6, torch.zeros(2, dtype=torch.float64)
    for channel in range(2):
        moved = torch.zeros_like(maps)
        moved[0, channel] = step
        # All positions at once: the sum of the gradients, of which the weight is the mean.
        rise = (head(maps + moved) - head(maps - moved))[0, 1] / (2 * step)
        means[channel] = rise / 25
    expected = scaled(torch.einsum("c,nchw->nhw", means, maps), 6)
    np.testing.assert_allclose(found, expected.detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in THOUSAND_LAYERS])
def test_every_network_has_a_layer_for_it(name: str) -> None:
    spec = MODELS[name]
    side = min(spec.native_size, max(spec.min_size, spec.published_min_size, 96))
    model = build_model(
        ModelConfig(name=name, width=training_width(name)), (spec.in_channels, side, side), spec.num_classes
    ).eval()
    batch = images(2, spec.in_channels, side)
    layer = last_maps(model, batch)
    _, height, width = layers_with_maps(model, batch)[layer]
    assert min(height, width) >= LEAST_SIDE
    found = grad_cam(model, batch, [1, 3])
    assert found.shape == (2, side, side)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


@pytest.mark.parametrize("head", ["linear", "hidden"])
@pytest.mark.parametrize(
    ("name", "layer"), [("resnet18", "stage3"), ("nin", "mlpconv2"), ("googlenet", "inception4e"), ("lenet5", "s4")]
)
def test_new_heads_are_seen_through(name: str, layer: str, head: Literal["linear", "hidden"]) -> None:
    spec = MODELS[name]
    side = min(spec.native_size, 96)
    config = TrainConfig(model=ModelConfig(name=name), transfer=TransferConfig(head=head))
    model = build_network(config, (spec.in_channels, side, side), 3).eval()
    torch.manual_seed(0)
    for parameter in list(model.parameters())[-2:]:
        # A new linear head starts at 0, where no class has a direction yet.
        nn.init.normal_(parameter)
    batch = images(4, spec.in_channels, side)
    assert last_maps(model, batch) == layer
    found = grad_cam(model, batch, [0, 1, 2, 0])
    assert found.max() == 1
    assert not np.array_equal(found, grad_cam(model, batch, [1, 2, 0, 1]))


def test_it_leaves_the_network_as_it_was_even_frozen_and_while_nothing_is_recorded() -> None:
    model = averaging()
    expected = grad_cam(model, images(), [0, 1, 2])
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    with torch.no_grad():
        found = grad_cam(model, images(), [0, 1, 2])
    assert np.array_equal(found, expected)
    assert not model.training
    assert all(not parameter.requires_grad and parameter.grad is None for parameter in model.parameters())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(not module._forward_hooks for module in model.modules())


def test_any_class_and_layer_can_be_asked_for_but_no_others() -> None:
    model, batch = averaging(), images()
    assert not np.array_equal(grad_cam(model, batch, [0, 0, 0]), grad_cam(model, batch, [3, 3, 3]))
    assert grad_cam(model, batch, [0, 1, 2], "conv").shape == (3, SIZE, SIZE)
    with pytest.raises(ConfigError, match="no layer named 'conv9'"):
        grad_cam(model, batch, [0, 1, 2], "conv9")
    with pytest.raises(ConfigError, match="no maps"):
        grad_cam(model, batch, [0, 1, 2], "flatten")
    with pytest.raises(ConfigError, match="There is no class 4"):
        grad_cam(model, batch, [0, 1, 4])
    assert all(not module._forward_hooks for module in model.modules())


def test_a_network_without_maps_gets_one_sentence() -> None:
    dense = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE * SIZE, 4)).eval()
    with pytest.raises(DataError, match="no maps that say where"):
        grad_cam(dense, images(), [0, 0, 0])
    shrunk = nn.Sequential(nn.Conv2d(3, 4, SIZE), nn.Flatten(), nn.Linear(4, 4)).eval()
    with pytest.raises(DataError, match="no maps that say where"):
        grad_cam(shrunk, images(), [0, 0, 0])


def test_a_class_that_nothing_speaks_for_has_an_empty_map() -> None:
    model = averaging()
    output = model.get_submodule("output")
    assert isinstance(output, nn.Linear)
    with torch.no_grad():
        output.weight.abs_().neg_()
    assert not grad_cam(model, images(), [0, 1, 2]).any()
