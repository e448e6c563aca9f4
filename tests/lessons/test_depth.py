from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.errors import ConfigError
from cnncore.lessons.depth import _DEVIATIONS, ACTIVATIONS, IMAGES, WIDTH, Stack, histograms, pass_through
from cnncore.lessons.normalizing import EPSILON

TORCH = {
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "none": lambda x: x,
}


def random_stack(seed: int) -> Stack:
    rng = np.random.default_rng(seed)
    return Stack(
        activation=list(ACTIVATIONS)[seed % len(ACTIVATIONS)],
        initialization=list(_DEVIATIONS)[seed // 4 % len(_DEVIATIONS)],
        bias=float(rng.choice([0.0, -0.5, 1.0])),
        residual=bool(seed % 2),
        normalized=bool(seed // 2 % 2),
    )


def torch_outputs(stack: Stack, layers: int, seed: int) -> tuple[list[torch.Tensor], torch.Tensor]:
    """What each layer puts out, the input first, and the gradient that starts at the top."""
    draws = np.random.default_rng(seed)
    outputs = [torch.from_numpy(draws.normal(size=(IMAGES, WIDTH))).requires_grad_()]
    top = torch.from_numpy(draws.normal(size=(IMAGES, WIDTH)))
    for place in range(layers):
        weight = torch.from_numpy(draws.normal(scale=_DEVIATIONS[stack.initialization](WIDTH), size=(WIDTH, WIDTH)))
        total = outputs[-1] @ weight
        if stack.normalized:
            total = functional.batch_norm(total, None, None, training=True, eps=EPSILON)
        total = total + stack.bias
        outputs.append(TORCH[stack.activation](total + outputs[-2] if stack.residual and place % 2 else total))
    return outputs, top / (top**2).mean().sqrt()


@pytest.mark.parametrize("key", ACTIVATIONS)
def test_activations_and_slopes_are_torchs(key: str) -> None:
    values = np.concatenate([np.linspace(-6, 6, 301), [0.0]])
    x = torch.from_numpy(values).requires_grad_()
    y = TORCH[key](x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    np.testing.assert_allclose(ACTIVATIONS[key].value(values), y.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(ACTIVATIONS[key].slope(values), slope.numpy(), atol=1e-12)


@pytest.mark.parametrize("seed", range(80))
def test_signals_and_gradients_of_every_depth_are_torchs(seed: int) -> None:
    stack = random_stack(seed)
    depths = [int(each) for each in 2 * np.random.default_rng(seed).integers(1, 8, size=3)]
    found = pass_through(stack, depths, [seed, seed + 1])
    for place, number in enumerate((seed, seed + 1)):
        outputs, top = torch_outputs(stack, max(depths), number)
        for layer, output in enumerate(outputs):
            np.testing.assert_allclose(found.outputs[layer, place], output.detach().numpy(), rtol=1e-6, atol=1e-9)
        for at, depth in enumerate(depths):
            gradients = torch.autograd.grad((outputs[depth] * top).sum(), outputs[: depth + 1], retain_graph=True)
            sizes = [float((each**2).mean().sqrt()) for each in gradients]
            np.testing.assert_allclose(found.gradients[at, : depth + 1, place], sizes, rtol=1e-6, atol=1e-300)
            assert np.isnan(found.gradients[at, depth + 1 :, place]).all()


def test_signals_and_dead_units_are_those_of_the_outputs() -> None:
    found = pass_through(Stack(bias=-1.0), [12], [0, 1, 2])
    np.testing.assert_allclose(found.signals, found.outputs.std(axis=(2, 3)))
    dead = [[(found.outputs[layer, seed] == 0).all(axis=0).mean() for seed in range(3)] for layer in range(1, 13)]
    np.testing.assert_array_equal(found.dead, dead)


@pytest.mark.parametrize("seed", range(20))
def test_histograms_are_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    outputs = rng.normal(scale=float(rng.uniform(0.1, 5)), size=(3, 2, 8, 5))
    low, bins = -float(rng.uniform(0, 3)), int(rng.integers(1, 50))
    high = low + float(rng.uniform(0.5, 4))
    found = histograms(outputs, low, high, bins)
    for layer, each in enumerate(outputs):
        clipped = torch.from_numpy(each).clamp(low, high)
        counts = torch.histc(clipped, bins, low, high).numpy()
        np.testing.assert_allclose(found[layer], counts / each.size, atol=1.01 / each.size)
        assert found[layer].sum() == pytest.approx(1)


def test_a_negative_bias_kills_relus_and_not_leaky_ones() -> None:
    assert pass_through(Stack(), [20]).dead.max() < 0.5
    killed = pass_through(Stack(bias=-1.0), [20])
    assert killed.dead[-1, 0] == 1
    assert killed.gradients[0, 1, 0] == 0
    leaky = pass_through(Stack(bias=-1.0, activation="leaky_relu"), [20])
    assert leaky.dead.max() == 0
    assert leaky.gradients[0, 1, 0] > 0


def test_sigmoids_let_gradients_vanish_and_shortcuts_keep_them() -> None:
    seeds = range(5)
    assert pass_through(Stack(activation="sigmoid", initialization="glorot"), [20], seeds).gradients[0, 1].max() < 1e-11
    plain = Stack(initialization="small")
    assert pass_through(plain, [60], seeds).gradients[0, 1].max() < 1e-24
    residual = pass_through(Stack(initialization="small", residual=True), [60], seeds).gradients[0, 1]
    assert ((residual > 0.2) & (residual < 1)).all()


def test_he_keeps_what_relus_halve() -> None:
    he, glorot = (pass_through(Stack(initialization=each), [50]) for each in ("he", "glorot"))
    assert 0.05 < he.signals[-1, 0] / he.signals[1, 0] < 20
    assert glorot.signals[-1, 0] < 1e-5


def test_normalized_gradients_do_not_vanish_in_plain_stacks() -> None:
    """They grow, by about 1.2 a layer (Yang et al. 2019), and with shortcuts far less."""
    plain = pass_through(Stack(normalized=True), [20, 40], range(5)).gradients[:, 1]
    assert ((plain[1] / plain[0]) ** (1 / 20) > 1.15).all()
    assert ((plain[1] / plain[0]) ** (1 / 20) < 1.35).all()
    residual = pass_through(Stack(normalized=True, residual=True), [40], range(5)).gradients[0, 1]
    assert (residual < plain[1] / 50).all()


@pytest.mark.parametrize(("layers", "residual"), [(0, False), (201, False), (3, True)])
def test_impossible_numbers_of_layers_are_one_sentence(layers: int, residual: bool) -> None:
    with pytest.raises(ConfigError, match="layers"):
        pass_through(Stack(residual=residual), [layers])
