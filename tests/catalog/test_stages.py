"""The stages: every weight of a network is in exactly one of them, in its head or in an auxiliary head."""

from __future__ import annotations

import pytest
import torch

from cnncore.catalog import MODELS, frozen_stages, head_of, stages_of
from cnncore.config import ModelConfig
from cnncore.errors import ConfigError
from cnncore.models import build_model
from tests.models.members import NAMES, THOUSAND_LAYERS


@pytest.mark.parametrize("name", sorted({*NAMES, "inception_v3", "inception_resnet_v2", "xception"} - THOUSAND_LAYERS))
def test_every_weight_is_in_one_stage_and_stages_follow_each_other(name: str) -> None:
    spec = MODELS[name]
    with torch.device("meta"):
        model = build_model(
            ModelConfig(name=name), (spec.in_channels, spec.native_size, spec.native_size), spec.num_classes
        )
    order: list[str] = []
    for parameter, _ in model.named_parameters():
        if parameter.startswith((f"{head_of(name)}.", "aux")):
            continue
        stages = [stage.key for stage in stages_of(name) if stage.holds(parameter)]
        assert len(stages) == 1, parameter
        if order[-1:] != stages:
            order += stages
    assert order == [stage.key for stage in stages_of(name)]


def test_all_means_every_stage() -> None:
    assert frozen_stages("resnet18", ("all",)) == {"stem", "stage1", "stage2", "stage3", "stage4"}
    assert frozen_stages("resnet18", ("stem",)) == {"stem"}


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ConfigError, match="resnet19"):
        stages_of("resnet19")
