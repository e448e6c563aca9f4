"""Max pooling of narrow maps: torch's results, bit for bit, its gradients, and only where it is faster."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from cnncore.config import ModelConfig
from cnncore.models import build_model
from cnncore.models.pooling import NARROW, MaxPool2d


def maps(*size: int, dtype: torch.dtype = torch.bfloat16, scale: float = 1.0) -> Tensor:
    """Values of multiples of `1 / scale`; for a `scale` of 1 there are more windows with equal values than without."""
    drawn = (torch.randn(size) * scale).round() / scale
    return drawn.to(dtype).contiguous(memory_format=torch.channels_last).requires_grad_()


def distinct(*size: int) -> Tensor:
    """No two values of a map are equal."""
    batch, channels, height, width = size
    ranks = torch.rand(batch, channels, height * width).argsort(dim=2) - height * width // 2
    values = ranks.view(size).to(torch.bfloat16)
    return values.contiguous(memory_format=torch.channels_last).requires_grad_()


def windows(values: Tensor) -> Tensor:
    """(N, C, H, W) as (N, C, H / 2, W / 2, 4)."""
    return values.unfold(2, 2, 2).unfold(3, 2, 2).flatten(4)


def is_alone(values: Tensor) -> Tensor:
    """Whether no other value of the same window is the largest as well: bool, of the shape of `values`."""
    split = windows(values)
    alone = (split == split.amax(dim=-1, keepdim=True)).sum(dim=-1) == 1
    return alone.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)


def went_another_way(result: Tensor) -> bool:
    assert result.grad_fn is not None
    return "MaxPool2D" not in result.grad_fn.name()


@pytest.mark.parametrize("channels", [1, 3, 6, 20, NARROW - 1])
@pytest.mark.parametrize("scale", [1, 1_000, 1e-39])
def test_results_and_gradients_are_those_of_torch(channels: int, scale: float) -> None:
    values = maps(5, channels, 8, 12, scale=1.0 if scale < 1 else scale)
    if scale < 1:
        # Differences of values next to zero must not vanish.
        values = (values.detach() * scale).requires_grad_()
    ours, theirs = MaxPool2d(2, 2)(values), nn.MaxPool2d(2, 2)(values)
    assert went_another_way(ours)
    assert torch.equal(ours, theirs)
    into = torch.randn_like(ours)
    found, expected = (torch.autograd.grad(result, values, into)[0] for result in (ours, theirs))
    single = is_alone(values)
    assert single.any()
    assert torch.equal(found[single], expected[single])
    assert found.is_contiguous(memory_format=torch.channels_last)


def test_one_of_equal_values_gets_the_whole_gradient() -> None:
    values = maps(5, 20, 8, 12)
    assert not is_alone(values).all()
    pooled = MaxPool2d(2, 2)(values)
    into = torch.randn_like(pooled)
    (found,) = torch.autograd.grad(pooled, values, into)
    assert torch.equal(windows(found).abs().sum(dim=-1), into.abs()), "no more, no less, and no two places"
    reached = windows(found) != 0
    assert torch.equal(windows(values)[reached], pooled[into != 0]), "only the largest values"
    upper_of_left = torch.full((1, 20, 2, 2), 3.0, dtype=torch.bfloat16).to(memory_format=torch.channels_last)
    (found,) = torch.autograd.grad(MaxPool2d(2, 2)(upper_of_left.requires_grad_()).sum(), upper_of_left)
    assert found[0, 0].tolist() == [[1, 0], [0, 0]]


def test_gradients_may_come_in_another_memory_layout() -> None:
    values = maps(2, 20, 8, 8)
    into = torch.randn(2, 20, 4, 4, dtype=torch.bfloat16)
    found = torch.autograd.grad(MaxPool2d(2, 2)(values), values, into)[0]
    expected = torch.autograd.grad(MaxPool2d(2, 2)(values), values, into.contiguous(memory_format=torch.channels_last))[
        0
    ]
    assert torch.equal(found, expected)


def test_what_is_not_a_number_stays_so() -> None:
    values = maps(2, 20, 4, 4).detach()
    values[0, 3, 2, 1] = torch.nan
    pooled = MaxPool2d(2, 2)(values.requires_grad_())
    assert went_another_way(pooled)
    assert pooled.isnan().nonzero().tolist() == [[0, 3, 1, 0]]


def test_an_activation_in_place_may_follow() -> None:
    values = distinct(2, 20, 8, 8)
    results = [nn.ReLU(inplace=True)(layer(2, 2)(values)) for layer in (MaxPool2d, nn.MaxPool2d)]
    assert torch.equal(*results)
    found, expected = (torch.autograd.grad(result.sum(), values)[0] for result in results)
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("layer", "values"),
    [
        (MaxPool2d(2, 2), maps(2, 20, 8, 8, dtype=torch.float32)),
        (MaxPool2d(2, 2), maps(2, NARROW, 8, 8)),
        (MaxPool2d(2, 2), maps(2, 20, 7, 8)),
        (MaxPool2d(2, 2), maps(2, 20, 8, 7)),
        (MaxPool2d(2, 2), maps(20, 8, 8, 1).detach()[..., 0].requires_grad_()),
        (MaxPool2d(2, 2), maps(2, 20, 8, 8).detach().contiguous().requires_grad_()),
        (MaxPool2d(3, 2), maps(2, 20, 8, 8)),
        (MaxPool2d(2, 1), maps(2, 20, 8, 8)),
        (MaxPool2d(2, 2, padding=1), maps(2, 20, 8, 8)),
    ],
    ids=["fp32", "wide", "odd height", "odd width", "one image", "(N, C, H, W)", "3 × 3", "stride 1", "padding"],
)
def test_everything_else_is_left_to_torch(layer: MaxPool2d, values: Tensor) -> None:
    assert not went_another_way(layer(values))


def test_without_gradients_torch_pools() -> None:
    values = maps(2, 20, 8, 8)
    with torch.no_grad():
        assert torch.equal(MaxPool2d(2, 2)(values), nn.MaxPool2d(2, 2)(values))
        assert MaxPool2d(2, 2)(values).grad_fn is None


def test_lenets_first_pooling_is_such_a_layer_and_its_second_is_not() -> None:
    network = build_model(ModelConfig(name="lenet_tutorial"), (1, 28, 28), 10, seed=0)
    network = network.to(memory_format=torch.channels_last)
    seen: list[bool] = []

    def look(_module: nn.Module, _inputs: object, result: Tensor) -> None:
        seen.append(went_another_way(result))

    for name in ("conv1.pool", "conv2.pool"):
        network.get_submodule(name).register_forward_hook(look)
    images = torch.randn(4, 1, 28, 28).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        network(images)
    assert seen == [True, False]
