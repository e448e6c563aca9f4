"""A batch in shares gives what the whole batch gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from cnncore.config import TrainConfig, replace
from cnncore.data import Batch
from cnncore.training.loop import forward_backward
from cnncore.training.shares import form_team
from cnncore.training.state import TrainState, new_state


@pytest.fixture(autouse=True)
def four_threads() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(threads)


def _state(precision: str = "fp32", **settings: Any) -> TrainState:
    config = replace(TrainConfig(), {name.replace("__", "."): value for name, value in settings.items()})
    return new_state(config, (1, 28, 28), 10, device=torch.device("cpu"), precision=precision)


def _batch(size: int, *, mixed: bool = False) -> Batch:
    generator = torch.Generator().manual_seed(size)
    images = torch.randn(size, 1, 28, 28, generator=generator).to(memory_format=torch.channels_last)
    labels = torch.randint(10, (size,), generator=generator)
    targets = torch.rand(size, 10, generator=generator).softmax(1) if mixed else labels
    return Batch(images, targets, labels)


@pytest.mark.parametrize("model", ["lenet_tutorial", "lenet5", "cnn3", "alexnet_small", "vgg11_small"])
@pytest.mark.parametrize("size", [128, 77, 2, 1])
def test_loss_logits_and_gradients_are_those_of_the_whole_batch(model: str, size: int) -> None:
    width = 0.25 if model in ("alexnet_small", "vgg11_small") else 1.0
    settings = {"model__width": width, "model__dropout": 0.0, "model__norm": "none", "training__label_smoothing": 0.1}
    state = _state(model__name=model, **settings)
    assert state.team is not None
    batch = _batch(size, mixed=size == 77)
    loss, logits = forward_backward(state, batch)
    shared = {name: weight.grad for name, weight in state.model.named_parameters()}
    state.optimizer.zero_grad()
    state.team = None
    whole_loss, whole_logits = forward_backward(state, batch)
    torch.testing.assert_close(loss, whole_loss)
    torch.testing.assert_close(logits, whole_logits, rtol=1e-4, atol=1e-5)
    for name, weight in state.model.named_parameters():
        gradient = shared[name]
        assert gradient is not None
        assert weight.grad is not None
        assert gradient.stride() == weight.stride(), name
        torch.testing.assert_close(gradient, weight.grad, rtol=1e-3, atol=1e-5 * float(weight.grad.abs().max()) + 1e-7)


def test_the_same_batch_gives_the_same_bits_every_time() -> None:
    state = _state("bf16")
    batch = _batch(128)
    batch = batch._replace(images=batch.images.bfloat16())
    first: list[torch.Tensor] = []
    for _ in range(10):
        forward_backward(state, batch)
        gradients = [weight.grad for weight in state.model.parameters() if weight.grad is not None]
        first = first or gradients
        assert all(torch.equal(a, b) for a, b in zip(first, gradients, strict=True))
        state.optimizer.zero_grad()


@pytest.mark.parametrize(
    ("settings", "size"),
    [
        ({}, 4),
        ({"training__batch_size": 64}, 2),
        ({"training__batch_size": 63}, None),
        ({"model__norm": "batch"}, None),
        ({"model__dropout": 0.5}, None),
        ({"training__precision": "fp16"}, None),
    ],
)
def test_who_gets_a_team(settings: dict[str, Any], size: int | None) -> None:
    state = _state(settings.get("training__precision", "fp32"), **{"model__name": "cnn3", **settings})
    assert (state.team.size if state.team else None) == size


def test_a_team_leaves_the_number_of_threads_as_it_was() -> None:
    team = form_team(torch.nn.Linear(2, 2), 64)
    assert team is not None
    assert team.size == 2
    assert torch.get_num_threads() == 4
    assert team.run(lambda _: torch.get_num_threads(), range(2)) == [2, 2]
