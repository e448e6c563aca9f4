from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.errors import ConfigError
from cnncore.lessons.depth import _DEVIATIONS, ACTIVATIONS, IMAGES, WIDTH, pass_through

TORCH = {
    "relu": torch.relu,
    "leaky_relu": functional.leaky_relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "none": lambda x: x,
}


@pytest.mark.parametrize("key", ACTIVATIONS)
def test_activations_and_slopes_are_torchs(key: str) -> None:
    values = np.concatenate([np.linspace(-6, 6, 301), [0.0]])
    x = torch.from_numpy(values).requires_grad_()
    y = TORCH[key](x)
    (slope,) = torch.autograd.grad(y.sum(), x)
    np.testing.assert_allclose(ACTIVATIONS[key].value(values), y.detach().numpy(), atol=1e-12)
    np.testing.assert_allclose(ACTIVATIONS[key].slope(values), slope.numpy(), atol=1e-12)


@pytest.mark.parametrize("seed", range(60))
def test_signals_and_gradients_are_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    key = str(rng.choice(list(ACTIVATIONS)))
    initialization: Literal["glorot", "he", "small"] = ("glorot", "he", "small")[seed % 3]
    residual = bool(seed % 2)
    layers = 2 * int(rng.integers(1, 8))
    found = pass_through(layers, key, initialization=initialization, residual=residual, seed=seed)
    draws = np.random.default_rng(seed)
    outputs = [torch.from_numpy(draws.normal(size=(IMAGES, WIDTH))).requires_grad_()]
    for place in range(layers):
        weight = torch.from_numpy(draws.normal(scale=_DEVIATIONS[initialization](WIDTH), size=(WIDTH, WIDTH)))
        total = outputs[-1] @ weight
        outputs.append(TORCH[key](total + outputs[-2] if residual and place % 2 else total))
    gradients = torch.autograd.grad(outputs[-1].sum(), outputs)
    np.testing.assert_allclose(found.signals, [float(each.detach().numpy().std()) for each in outputs], rtol=1e-9)
    np.testing.assert_allclose(
        found.gradients, [float((each**2).mean().sqrt()) for each in gradients], rtol=1e-8, atol=1e-300
    )


def test_sigmoids_let_gradients_vanish_and_shortcuts_keep_them() -> None:
    plain = pass_through(40, "sigmoid", initialization="glorot")
    assert plain.gradients[0] < 1e-15
    deep, residual = (
        pass_through(60, "tanh", initialization="small"),
        pass_through(60, "tanh", initialization="small", residual=True),
    )
    assert residual.gradients[0] > 1e6 * deep.gradients[0]


def test_he_keeps_what_relus_halve() -> None:
    he, glorot = (pass_through(50, "relu", initialization=each) for each in ("he", "glorot"))
    assert 0.05 < he.signals[-1] / he.signals[1] < 20
    assert glorot.signals[-1] < 1e-5


@pytest.mark.parametrize(("layers", "residual"), [(0, False), (201, False), (3, True)])
def test_impossible_numbers_of_layers_are_one_sentence(layers: int, residual: bool) -> None:
    with pytest.raises(ConfigError, match="layers"):
        pass_through(layers, "relu", residual=residual)
