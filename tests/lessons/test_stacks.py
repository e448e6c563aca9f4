from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from cnncore.lessons.stacks import Layer, Stack, build_stack, size_formula


def random_layers(seed: int) -> tuple[tuple[int, int, int], list[Layer]]:
    rng = np.random.default_rng(seed)
    in_shape = (int(rng.choice([1, 3, 4])), int(rng.integers(6, 40)), int(rng.integers(6, 40)))
    layers: list[Layer] = []
    for _ in range(int(rng.integers(1, 7))):
        kernel = int(rng.integers(1, 6))
        window = {"kernel": kernel, "stride": int(rng.integers(1, 4))}
        if rng.random() < 0.7:
            groups = int(rng.choice([1, 1, 1, 2]))
            extra = {"padding": int(rng.integers(0, 4)), "dilation": int(rng.integers(1, 3)), "groups": groups}
            layers.append(Layer(kind="conv", units=int(rng.integers(1, 5)) * 2, **window, **extra))
        else:
            layers.append(Layer(kind="pool", padding=int(rng.integers(0, kernel // 2 + 1)), **window))
    if rng.random() < 0.5:
        layers += [Layer(kind="flatten"), Layer(kind="dense", units=int(rng.integers(1, 20)))]
    return in_shape, layers


def in_torch(layer: Layer, shape: tuple[int, ...]) -> nn.Module:
    if layer.kind == "conv":
        return nn.Conv2d(
            shape[0], layer.units, layer.kernel, layer.stride, layer.padding, layer.dilation, groups=layer.groups
        )
    if layer.kind == "pool":
        return nn.MaxPool2d(layer.kernel, layer.stride, layer.padding)
    return nn.Flatten() if layer.kind == "flatten" else nn.Linear(shape[0], layer.units)


def test_multiply_accumulates_are_those_that_torch_counts() -> None:
    compared = 0
    for seed in range(300, 370):
        in_shape, layers = random_layers(seed)
        stack = build_stack(in_shape, layers)
        modules = nn.Sequential(*(in_torch(row.layer, row.in_shape) for row in stack.rows))
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            modules(torch.zeros(1, *in_shape))
        assert counter.get_total_flops() == 2 * stack.macs
        compared += len(stack.rows) > 1
    assert compared > 35


def test_the_middle_output_sees_what_its_gradient_reaches() -> None:
    compared = 0
    for seed in range(450, 600):
        (channels, size, _), layers = random_layers(seed)
        stack = build_stack((channels, size, size), [layer for layer in layers if layer.kind in ("conv", "pool")])
        if not stack.rows or stack.rows[-1].middle_seen is None:
            continue
        image = torch.zeros(1, channels, size, size, requires_grad=True)
        maps = image
        for row in stack.rows:
            layer = row.layer
            # Windows of ones: every pixel that is seen gets a gradient. Channels see the same pixels.
            kernel = torch.ones(1, 1, layer.kernel, layer.kernel)
            maps = nn.functional.conv2d(
                maps.mean(1, keepdim=True), kernel, None, layer.stride, layer.padding, layer.dilation
            )
        middle = (maps.shape[-1] - 1) // 2
        maps[0, 0, middle, middle].backward()
        assert image.grad is not None
        reached = image.grad[0].sum(dim=(0, 1)).nonzero().flatten()
        first, end = stack.rows[-1].middle_seen
        if first < 0 or end > size:
            assert all(first <= pixel < end for pixel in reached)
            continue
        assert (int(reached[0]), int(reached[-1]) + 1) == (first, end)
        compared += 1
    assert compared > 30


@pytest.mark.parametrize("start", range(0, 300, 50))
def test_shapes_and_parameters_are_torchs(start: int) -> None:
    whole = 0
    for seed in range(start, start + 50):
        in_shape, layers = random_layers(seed)
        stack = build_stack(in_shape, layers)
        images = torch.zeros(2, *in_shape)
        for row in stack.rows:
            module = in_torch(row.layer, row.in_shape)
            with torch.no_grad():
                images = module(images)
            assert tuple(images.shape[1:]) == row.out_shape
            assert sum(each.numel() for each in module.parameters()) == row.params
        if stack.problem is None:
            whole += 1
        else:
            with pytest.raises((RuntimeError, ValueError)):
                in_torch(layers[stack.broken_at], tuple(images.shape[1:]))(images)
    assert whole > 5


def test_lenet_adds_up() -> None:
    layers = [
        Layer(kind="conv", units=20, kernel=5),
        Layer(kind="pool", kernel=2, stride=2),
        Layer(kind="conv", units=50, kernel=5),
        Layer(kind="pool", kernel=2, stride=2),
        Layer(kind="flatten"),
        Layer(kind="dense", units=500),
        Layer(kind="dense", units=10),
    ]
    stack = build_stack((1, 28, 28), layers)
    assert stack.params == 431_080
    assert [row.out_shape for row in stack.rows[:4]] == [(20, 24, 24), (20, 12, 12), (50, 8, 8), (50, 4, 4)]
    assert stack.rows[3].field is not None
    assert stack.rows[3].field.size == 16


@pytest.mark.parametrize(
    ("layers", "place", "says"),
    [
        ([Layer(kind="conv", kernel=3), Layer(kind="conv", kernel=9)], 1, "does not fit"),
        ([Layer(kind="dense", units=3)], 0, "takes a row of numbers"),
        ([Layer(kind="flatten"), Layer(kind="pool", kernel=2, stride=2)], 1, "takes maps"),
        ([Layer(kind="conv", units=4, groups=3)], 0, "groups"),
    ],
)
def test_impossible_stacks_say_where_they_break(layers: list[Layer], place: int, says: str) -> None:
    stack: Stack = build_stack((1, 10, 10), layers)
    assert stack.broken_at == place == len(stack.rows)
    assert says in str(stack.problem)


def test_the_formula_has_the_numbers_in_it() -> None:
    assert size_formula(28, 5, 2, 1) == "⌊(28 + 2 · 1 − 5) / 2⌋ + 1 = 13"
    assert size_formula(28, 3, 1, 0, 2) == "⌊(28 + 2 · 0 − 2 · (3 − 1) − 1) / 1⌋ + 1 = 24"
