from __future__ import annotations

import dataclasses

import pytest

from cnncore.catalog.profiles import profile_key, shipped_profile
from cnncore.config import ModelConfig
from cnncore.lessons.stack_presets import STACK_PRESETS, StackPreset
from cnncore.lessons.stack_text import parse_stack, stack_text
from cnncore.lessons.stacks import Stack, build_stack
from cnncore.models.profile import profile_model

KINDS = {"convolution": "conv", "pooling": "pool", "dense": "dense"}


def built(preset: StackPreset) -> Stack:
    return build_stack((preset.channels, preset.size, preset.size), parse_stack(preset.stack))


@pytest.mark.parametrize("preset", STACK_PRESETS.values(), ids=lambda preset: preset.title)
def test_presets_are_written_as_links_have_them(preset: StackPreset) -> None:
    assert stack_text(parse_stack(preset.stack)) == preset.stack
    assert (built(preset).broken_at >= 0) == (preset is STACK_PRESETS["breaks"])


@pytest.mark.parametrize("key", [key for key, preset in STACK_PRESETS.items() if preset.network])
def test_presets_cost_what_the_networks_cost(key: str) -> None:
    preset = STACK_PRESETS[key]
    stack = built(preset)
    in_shape = (preset.channels, preset.size, preset.size)
    profile = profile_model(ModelConfig(name=preset.network), in_shape, stack.rows[-1].out_shape[0])
    layers = [layer for layer in profile.layers if layer.kind in KINDS]
    rows = [row for row in stack.rows if row.layer.kind != "flatten"]
    assert len(rows) == len(layers) > 4
    for row, layer in zip(rows, layers, strict=True):
        assert row.layer.kind == KINDS[layer.kind]
        assert (row.out_shape, row.params, row.macs) == (layer.out_shape, layer.num_params, layer.macs)
        if row.field:
            assert row.field.size == layer.receptive_field
            assert dataclasses.astuple(row.field)[1:] == (layer.jump, layer.start)
    assert (stack.params, stack.macs) == (profile.num_params, profile.macs)


def test_the_first_preset_costs_what_the_shipped_profile_says() -> None:
    stack = built(STACK_PRESETS["lenet"])
    shipped = shipped_profile(profile_key({"name": "lenet_tutorial"}, (1, 28, 28), 10))
    assert shipped is not None
    assert (stack.params, stack.macs) == (shipped["num_params"], shipped["macs"])


def test_three_small_windows_see_as_much_as_a_large_one() -> None:
    three, large = built(STACK_PRESETS["three"]), build_stack((16, 32, 32), parse_stack("c16k7"))
    assert three.rows[-1].field is not None
    assert large.rows[-1].field is not None
    assert three.rows[-1].field.size == large.rows[-1].field.size == 7
    assert three.rows[-1].out_shape == large.rows[-1].out_shape
    assert three.params < large.params
