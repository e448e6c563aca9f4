"""Feature maps against a forward pass by hand."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cnncore.analysis.feature_maps import feature_maps, outputs_of, values_around
from cnncore.errors import ConfigError, DataError
from tests.analysis.made import made_network, noise


def by_hand(model: nn.Module, image: Tensor, prefix: str = "") -> tuple[dict[str, Tensor], Tensor]:
    """What each layer of a chain of chains leaves, copied before the next one may write over it, and the output."""
    found: dict[str, Tensor] = {}
    for name, layer in model.named_children():
        if isinstance(layer, nn.Sequential):
            inside, image = by_hand(layer, image, f"{prefix}{name}.")
            found |= inside
        else:
            image = layer(image)
        found[f"{prefix}{name}"] = image[0].clone()
    return found, image


CHAINS: list[tuple[str, int, dict[str, Any]]] = [
    ("cnn3", 28, {}),
    ("cnn3", 28, {"activation": "leaky_relu", "norm": "batch"}),
    ("lenet5", 28, {}),
    ("alexnet_small", 32, {"width": 0.25}),
]


@pytest.mark.parametrize(("name", "side", "options"), CHAINS, ids=lambda value: str(value))
def test_maps_are_those_of_a_forward_pass_by_hand(name: str, side: int, options: dict[str, Any]) -> None:
    network = made_network(name, side, **options)
    image = noise(network)
    with torch.inference_mode():
        every, _ = by_hand(network.model, image)
    expected = {layer: values for layer, values in every.items() if values.ndim == 3}
    assert len(expected) >= 8
    for layer, values in expected.items():
        found = feature_maps(network, image, layer)
        assert found.maps.dtype == np.float32
        assert found.layer.shape == tuple(values.shape)
        np.testing.assert_allclose(found.maps, values[:64].numpy(), rtol=1e-5, atol=1e-5)
        assert found.units == tuple(range(min(64, len(values))))


def test_activations_in_place_do_not_write_over_the_maps_before_them() -> None:
    network = made_network("cnn3", 28)
    activation = network.model.get_submodule("conv1.activation")
    assert isinstance(activation, nn.ReLU)
    assert activation.inplace
    assert feature_maps(network, noise(network), "conv1.conv").low < 0
    assert feature_maps(network, noise(network), "conv1.activation").low == 0


def test_order_and_scale() -> None:
    network = made_network("cnn3", 28)
    image = noise(network)
    whole = feature_maps(network, image, "conv2.conv")
    ordered = feature_maps(network, image, "conv2.conv", order="strength")
    strengths = np.abs(whole.maps).mean(axis=(1, 2))
    assert sorted(ordered.units) == list(range(32))
    assert ordered.units == tuple(np.argsort(-strengths, kind="stable"))
    assert (np.diff(ordered.strengths) <= 0).all()
    np.testing.assert_allclose(ordered.maps, whole.maps[list(ordered.units)])
    np.testing.assert_allclose(ordered.strengths, strengths[list(ordered.units)], rtol=1e-6)
    part = feature_maps(network, image, "conv2.conv", first=5, count=3, order="strength")
    assert part.units == ordered.units[5:8]
    for name in ("lows", "highs", "means"):
        summary = {"lows": np.min, "highs": np.max, "means": np.mean}[name]
        np.testing.assert_allclose(getattr(part, name), summary(part.maps, axis=(1, 2)), rtol=1e-5)
    # The scale of the layer is that of all its maps, not only of those that are shown.
    assert (part.low, part.high) == (whole.low, whole.high) == (whole.maps.min(), whole.maps.max())
    assert feature_maps(network, image, "conv2.conv", first=30).units == (30, 31)


class Twice(nn.Module):
    """A layer that runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        self.activation = nn.ReLU(inplace=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.activation(self.conv(self.activation(self.conv(x)))) + self.never(x)

    def never(self, x: Tensor) -> Tensor:
        raise AssertionError("nothing behind the layer is computed")


def test_of_a_layer_that_runs_twice_the_first_time_counts_and_nothing_behind_it_is_computed() -> None:
    torch.manual_seed(0)
    model, image = Twice().eval(), torch.randn(1, 3, 6, 6)
    given, left = values_around(model, image, ["activation"], ["conv", "activation"])
    with torch.inference_mode():
        expected = model.conv(image)[0]
    torch.testing.assert_close(left["conv"], expected)
    torch.testing.assert_close(given["activation"], expected)
    torch.testing.assert_close(left["activation"], expected.relu())
    assert all(not module._forward_hooks and not module._forward_pre_hooks for module in model.modules())


def test_they_are_in_full_precision_and_the_network_stays_as_it_was() -> None:
    network = made_network("resnet20", 32, width=0.25)
    image = noise(network)
    before = {name: value.clone() for name, value in network.model.state_dict().items()}
    half = feature_maps(dataclasses.replace(network, precision="bf16"), image, "stage3")
    np.testing.assert_array_equal(half.maps, feature_maps(network, image, "stage3").maps)
    assert all(torch.equal(value, before[name]) for name, value in network.model.state_dict().items())
    assert all(not module._forward_hooks for module in network.model.modules())
    assert outputs_of(network.model, image, ["stage1"])["stage1"].shape == (4, 32, 32)


def test_what_there_is_not_gets_one_sentence() -> None:
    network = made_network("cnn3", 28)
    image = noise(network)
    with pytest.raises(ConfigError, match="The layer fc1 has no maps to look at"):
        feature_maps(network, image, "fc1")
    with pytest.raises(ConfigError, match="no layer named 'conv9'"):
        feature_maps(network, image, "conv9")
    with pytest.raises(ConfigError, match=r"conv1\.conv has no map 16\. Allowed: 0 to 15"):
        feature_maps(network, image, "conv1.conv", first=16)


def test_a_network_without_maps_gets_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    dense = nn.Sequential(nn.Flatten(), nn.Linear(3 * 20 * 20, 4)).eval()
    monkeypatch.setattr("cnncore.analysis.layers.build_network", lambda *_: dense.to("meta"))
    network = made_network("cnn3", 20, channels=3, width=1.8)
    with pytest.raises(DataError, match="No layer of this network has maps"):
        feature_maps(network, noise(network), "0")
