"""Gradients of maps with channels last: with channels last too, and the same numbers."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cnncore.config import ModelConfig
from cnncore.models import build_model
from cnncore.models.layout import AdaptiveAvgPool2d, Flatten

LAYERS = [
    pytest.param(Flatten(), nn.Flatten(), id="flatten"),
    pytest.param(AdaptiveAvgPool2d(1), nn.AdaptiveAvgPool2d(1), id="global average"),
    pytest.param(AdaptiveAvgPool2d(2), nn.AdaptiveAvgPool2d(2), id="average"),
]


def gradient_of(layer: Callable[[Tensor], Tensor], maps: Tensor) -> Tensor:
    """The gradient that the layer before gets."""
    computed = maps.detach().requires_grad_() * 1
    result = layer(computed)
    weights = torch.arange(result.numel(), dtype=result.dtype).view(result.shape)
    return torch.autograd.grad((result * weights).sum(), computed)[0]


@pytest.mark.parametrize(("ours", "theirs"), LAYERS)
def test_the_gradient_lies_in_memory_as_the_maps_do(ours: nn.Module, theirs: nn.Module) -> None:
    for form in (torch.channels_last, torch.contiguous_format):
        maps = torch.randn(3, 5, 4, 6).contiguous(memory_format=form)
        found, expected = gradient_of(ours, maps), gradient_of(theirs, maps)
        assert torch.equal(found, expected)
        assert found.is_contiguous(memory_format=form)
    assert torch.equal(ours(maps), theirs(maps))


@pytest.mark.parametrize(("ours", "theirs"), LAYERS)
def test_nothing_stays_with_what_a_caller_made(ours: nn.Module, theirs: nn.Module) -> None:
    maps = torch.randn(3, 5, 4, 6).contiguous(memory_format=torch.channels_last).requires_grad_()
    ours(maps).sum().backward()
    assert not maps._backward_hooks


@pytest.mark.parametrize("name", ["lenet_tutorial", "cnn3", "resnet20", "vgg11_small", "googlenet_small"])
def test_no_activation_gets_a_gradient_of_another_layout(name: str) -> None:
    model = build_model(ModelConfig(name=name), (3, 32, 32), 10, seed=0).to(memory_format=torch.channels_last).train()
    other: list[str] = []

    def watch(layer: str) -> Callable[[nn.Module, object, Tensor], None]:
        def look(gradients: tuple[Tensor, ...]) -> None:
            # Of the branches of an inception module it is a part of the channels.
            if gradients[0].stride(1) != 1:
                other.append(layer)

        def hook(_module: nn.Module, _inputs: object, result: Tensor) -> None:
            if result.ndim == 4:
                assert result.grad_fn is not None
                # Not a hook of the tensor: the layer's own would only come after it.
                result.grad_fn.register_prehook(look)

        return hook

    activations = [(layer, module) for layer, module in model.named_modules() if isinstance(module, nn.ReLU)]
    for layer, module in activations:
        module.register_forward_hook(watch(layer))
    result = model(torch.randn(4, 3, 32, 32).to(memory_format=torch.channels_last))
    main = result[0] if isinstance(result, tuple) else result
    main.sum().backward()
    assert other == []
