from __future__ import annotations

import json

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnncore.arithmetic import conv_macs, receptive_field
from cnncore.catalog import MODELS
from cnncore.catalog.profiles import profile_key, shipped_profile
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError
from cnncore.models import build_model
from cnncore.models.profile import memory_bytes, preset_profiles, profile_model
from tests.models.members import NAMES


@pytest.mark.parametrize("name", NAMES)
def test_macs_are_half_the_flops_that_torch_counts(name: str) -> None:
    shape = (3, 32, 32)
    # LRN runs as a convolution, but is not counted.
    options = {"norm": "none"} if MODELS[name].defaults.get("norm") == "lrn" else {}
    config = ModelConfig.model_validate({"name": name, **options})
    profile = profile_model(config, shape, 10)
    model = build_model(config, shape, 10)
    with FlopCounterMode(display=False) as counter:
        model(torch.zeros(2, *shape))
    assert counter.get_total_flops() == 2 * 2 * profile.macs


@pytest.mark.parametrize("name", NAMES)
def test_parameters_and_statistics_add_up(name: str) -> None:
    profile = profile_model(ModelConfig(name=name), (3, 32, 32), 10)
    model = build_model(ModelConfig(name=name), (3, 32, 32), 10)
    assert profile.num_params == sum(parameter.numel() for parameter in model.parameters())
    statistics = sum(2 * layer.num_features for layer in model.modules() if isinstance(layer, nn.BatchNorm2d))
    assert sum(layer.norm_statistics for layer in profile.layers) == statistics
    assert len({layer.name for layer in profile.layers}) == len(profile.layers)


def test_layers_of_a_small_network() -> None:
    layers = {layer.name: layer for layer in profile_model(ModelConfig(name="cnn3"), (1, 28, 28), 10).layers}
    conv, pool = layers["conv2.conv"], layers["conv2.pool"]
    assert (conv.kind, conv.kernel, conv.stride, conv.padding) == ("convolution", (5, 5), (1, 1), (0, 0))
    assert (conv.in_shape, conv.out_shape) == ((16, 24, 24), (32, 20, 20))
    assert (conv.weights, conv.biases) == (12_800, 32)
    assert conv.macs == conv_macs(16, 32, 5, 20, 20)
    assert (pool.kind, pool.out_shape, pool.indices) == ("pooling", (32, 10, 10), 3_200)
    assert layers["fc1.linear"].receptive_field is None


def test_receptive_fields() -> None:
    def seen(name: str, layer: str) -> int | None:
        profile = profile_model(ModelConfig(name=name), (3, 32, 32), 10)
        return next(row.receptive_field for row in profile.layers if row.name == layer)

    assert seen("lenet_tutorial", "conv2.pool") == receptive_field([(5, 1), (2, 2), (5, 1), (2, 2)]).size
    # Residual and Inception branches: the widest one counts.
    assert seen("resnet20", "stage1.block3.conv2.conv") == receptive_field([(3, 1)] * 7).size
    widest = [(3, 1), (3, 2), (1, 1), (3, 1), (3, 2), (5, 1), (5, 1)]
    assert seen("googlenet_small", "inception3b.branch5.conv.conv") == receptive_field(widest).size


def test_activations_are_what_autograd_keeps() -> None:
    profile = profile_model(ModelConfig(name="cnn3"), (1, 28, 28), 10)
    # Image, first maps after ReLU, maps before both poolings, pooled maps twice, hidden units.
    assert profile.activations == 784 + 16 * 576 + 32 * 400 + 32 * 100 + 64 * 36 + 64 * 9 + 100
    assert profile.indices == 32 * 100 + 64 * 9


def test_memory_grows_with_the_batch_and_the_optimizer() -> None:
    profile = profile_model(ModelConfig(name="cnn3"), (1, 28, 28), 10)
    assert memory_bytes(profile, 0, "sgd", 4) == 8 * profile.num_params
    assert memory_bytes(profile, 0, "adam", 4) == 16 * profile.num_params
    one_image = memory_bytes(profile, 1, "sgd", 2) - memory_bytes(profile, 0, "sgd", 2)
    assert one_image == 2 * profile.activations + 8 * profile.indices
    with pytest.raises(ConfigError, match="no optimizer named"):
        memory_bytes(profile, 1, "lion", 2)


def test_shipped_profiles_are_current() -> None:
    """After a change to a network: `python -m cnncore.models.profile`."""
    for key, profile in preset_profiles().items():
        assert shipped_profile(key) == json.loads(json.dumps(profile)), key


def test_json_has_totals_and_layers() -> None:
    data = json.loads(profile_model(ModelConfig(), (1, 28, 28), 10).to_json())
    assert data["num_params"] == 431_080
    assert data["layers"][0]["name"] == "conv1.conv"


def test_keys_ignore_how_a_setting_was_given() -> None:
    key = profile_key(ModelConfig().model_dump(), (1, 28, 28), 10)
    assert key == profile_key(
        {"name": "lenet_tutorial", "activation": "relu", "dropout": 0, "width": 1}, (1, 28, 28), 10
    )
    assert key == profile_key({"name": "lenet_tutorial", "init": "glorot"}, (1, 28, 28), 10)
    assert shipped_profile(key) is not None
    for other in ({"norm": "batch"}, {"width": 0.5}, {"input_size": 32}, {"dropout": 0.5}):
        assert profile_key({"name": "lenet_tutorial", **other}, (1, 28, 28), 10) != key
    assert shipped_profile(profile_key({"name": "cnn3", "width": 0.5}, (1, 28, 28), 10)) is None
    with pytest.raises(ConfigError, match="no network named"):
        profile_key({"name": "lenet"}, (1, 28, 28), 10)
