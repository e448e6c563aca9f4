"""New heads, and the network as backbone and head."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from cnncore.catalog import MODELS, stages_of
from cnncore.config import ModelConfig, TrainConfig, TransferConfig
from cnncore.transfer.network import HEAD, build_network, split_network, stage_modules, stage_weights
from tests.models.members import NAMES, THOUSAND_LAYERS

HEADS = {
    "network": TransferConfig(),
    "linear": TransferConfig(head="linear", head_dropout=0.2),
    "hidden": TransferConfig(head="hidden", hidden_units=7, head_dropout=0.5),
}


def small(name: str, transfer: TransferConfig) -> tuple[TrainConfig, tuple[int, int, int]]:
    spec = MODELS[name]
    side = max(spec.min_size, 32 if spec.native_size < 100 else 64)
    width = 1.0 if "width" in spec.refusals else 0.25
    return TrainConfig(model=ModelConfig(name=name, width=width), transfer=transfer), (spec.in_channels, side, side)


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("name", sorted(set(NAMES) - THOUSAND_LAYERS))
def test_backbone_and_head_together_are_the_network(name: str, head: str) -> None:
    config, in_shape = small(name, HEADS[head])
    model = build_network(config, in_shape, 3, seed=1).eval()
    images = torch.randn(2, *in_shape)
    backbone, last = split_network(model, name)
    for weight in last.parameters():
        nn.init.normal_(weight)
    with torch.inference_mode():
        features = backbone(images)
        assert torch.equal(last(features), model(images))
    if head != "network":
        assert features.ndim == 2
    assert model(images).shape == (2, 3)


@pytest.mark.parametrize("name", sorted(set(NAMES) - THOUSAND_LAYERS))
def test_every_layer_and_weight_is_in_one_stage(name: str) -> None:
    config, in_shape = small(name, HEADS["hidden"])
    with torch.device("meta"):
        model = build_network(config, in_shape, 3)
    modules, weights = stage_modules(model, name), stage_weights(model, name)
    assert list(modules) == list(weights) == [*(stage.key for stage in stages_of(name)), HEAD]
    assert all(weights.values())
    layers = [
        module
        for module in model.modules()
        if not list(module.children()) or vars(module)["_parameters"] or vars(module)["_buffers"]
    ]
    assert sorted(map(id, layers)) == sorted(id(each) for found in modules.values() for each in found)
    assert sorted(map(id, model.parameters())) == sorted(id(each) for found in weights.values() for each in found)
    assert len(weights[HEAD]) == 4


def test_the_head_depends_on_the_seed_alone() -> None:
    config, in_shape = small("resnet20", HEADS["hidden"])
    torch.manual_seed(5)
    first = build_network(config, in_shape, 3, seed=1).state_dict()
    torch.manual_seed(6)
    again, other = (build_network(config, in_shape, 3, seed=seed).state_dict() for seed in (1, 2))
    assert all(torch.equal(value, again[name]) for name, value in first.items())
    assert not torch.equal(first["output.1.weight"], other["output.1.weight"])


def test_a_linear_head_starts_at_zero() -> None:
    config, in_shape = small("resnet20", HEADS["linear"])
    first, other = (build_network(config, in_shape, 3, seed=seed).eval() for seed in (1, 2))
    assert not first(torch.randn(2, *in_shape)).any()
    _, head = split_network(other, "resnet20")
    assert [tuple(weight.shape) for weight in head.parameters() if not weight.any()] == [(3, 64 // 4), (3,)]


def test_transfer_leaves_auxiliary_heads_out() -> None:
    config, in_shape = small("googlenet_small", HEADS["linear"])
    assert not [name for name in build_network(config, in_shape, 3).state_dict() if name.startswith("aux")]
