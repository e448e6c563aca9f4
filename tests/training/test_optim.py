"""The optimizers against torch's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cnncore.catalog import OPTIMIZERS
from cnncore.config import OptimizerConfig
from cnncore.training.optim import Optimizer

_ADAM = {"betas": (0.85, 0.99), "eps": 1e-6}
PEERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": torch.optim.SGD,
    "momentum": lambda weights, **options: torch.optim.SGD(weights, momentum=0.8, **options),
    "nesterov": lambda weights, **options: torch.optim.SGD(weights, momentum=0.8, nesterov=True, **options),
    "adam": lambda weights, **options: torch.optim.Adam(weights, **_ADAM, **options),
    "adamw": lambda weights, **options: torch.optim.AdamW(weights, **_ADAM, **options),
    "rmsprop": lambda weights, **options: torch.optim.RMSprop(weights, alpha=0.9, eps=1e-6, momentum=0.8, **options),
}


def _config(name: str, **settings: Any) -> OptimizerConfig:
    base = {"name": name, "lr": 0.02, "beta1": 0.85, "beta2": 0.99, "eps": 1e-6, "alpha": 0.9, "momentum": 0.8}
    return OptimizerConfig.model_validate(base | settings)


def _weights() -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    kernels = torch.randn(8, 4, 3, 3, generator=generator).to(memory_format=torch.channels_last)
    return [nn.Parameter(kernels), nn.Parameter(torch.randn(40, 7, generator=generator))]


def _give_gradients(weights: list[nn.Parameter], step: int) -> None:
    generator = torch.Generator().manual_seed(step)
    for weight in weights:
        weight.grad = torch.empty_like(weight).copy_(torch.randn(weight.shape, generator=generator))


def test_every_optimizer_of_the_catalog_is_compared() -> None:
    assert set(PEERS) == set(OPTIMIZERS)


@pytest.mark.parametrize("weight_decay", [0.0, 0.03])
@pytest.mark.parametrize("name", PEERS)
def test_twenty_steps_lead_where_torch_optim_leads(name: str, weight_decay: float) -> None:
    ours, theirs = _weights(), _weights()
    optimizer = Optimizer(ours, _config(name, weight_decay=weight_decay))
    peer = PEERS[name](theirs, lr=0.02, weight_decay=weight_decay)
    for step in range(20):
        optimizer.lr = peer.param_groups[0]["lr"] = 0.02 / (1 + step)
        for weights, each in ((ours, optimizer), (theirs, peer)):
            _give_gradients(weights, step)
            each.step()
            each.zero_grad()
    for mine, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(mine, other, rtol=2e-6, atol=2e-7)


@pytest.mark.parametrize("name", PEERS)
def test_a_restored_optimizer_goes_on_bit_for_bit(name: str) -> None:
    weights = _weights()
    optimizer = Optimizer(weights, _config(name))
    for step in range(3):
        _give_gradients(weights, step)
        optimizer.step()
    copied = [nn.Parameter(weight.detach().clone(memory_format=torch.preserve_format)) for weight in weights]
    restored = Optimizer(copied, _config(name))
    restored.load_state_dict(optimizer.state_dict())
    for step in range(3, 6):
        for each, values in ((optimizer, weights), (restored, copied)):
            _give_gradients(values, step)
            each.step()
    assert all(torch.equal(a, b) for a, b in zip(weights, copied, strict=True))


def test_a_weight_without_a_gradient_is_not_passed_over_in_silence() -> None:
    weights = _weights()
    optimizer = Optimizer(weights, _config("adam"))
    weights[0].grad = torch.zeros_like(weights[0])
    with pytest.raises(ValueError, match="1 of 2 weights have no gradient"):
        optimizer.step()


def test_zero_grad_frees_the_gradients() -> None:
    weights = _weights()
    optimizer = Optimizer(weights, _config("sgd"))
    _give_gradients(weights, 0)
    optimizer.zero_grad()
    gradients: list[Tensor | None] = [weight.grad for weight in weights]
    assert gradients == [None, None]
