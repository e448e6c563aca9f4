"""Signals that slide over one another give what numpy and torch compute."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.lessons.signals import LENGTH, SIGNALS, SLIDING_SIGNALS, slide


@pytest.mark.parametrize("seed", range(100))
def test_sliding_signals_are_numpys_and_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    signal, other = rng.normal(size=int(rng.integers(1, 20))), rng.normal(size=int(rng.integers(1, 9)))
    true, cross = slide(signal, other, flip=True), slide(signal, other, flip=False)
    np.testing.assert_allclose(true.result, np.convolve(signal, other), atol=1e-12)
    given = torch.from_numpy(signal)[None, None], torch.from_numpy(other)[None, None]
    expected = functional.conv1d(*given, padding=len(other) - 1)[0, 0].numpy()
    np.testing.assert_allclose(cross.result, expected, atol=1e-12)
    np.testing.assert_allclose(true.products.sum(axis=1), true.result)


@pytest.mark.parametrize("flip", [True, False])
def test_each_product_is_of_the_numbers_that_lie_over_one_another(flip: bool) -> None:
    rng = np.random.default_rng(1)
    signal, other = rng.normal(size=7), rng.normal(size=3)
    found = slide(signal, other, flip=flip)
    for start, products in zip(found.starts, found.products, strict=True):
        below = [signal[start + at] if 0 <= start + at < 7 else 0.0 for at in range(3)]
        np.testing.assert_allclose(products, np.array(below) * found.moving)


def test_an_impulse_leaves_the_signal_where_it_stands() -> None:
    other = np.array(SLIDING_SIGNALS["decay"].values)
    impulse = np.array(SIGNALS["impulse"].values)
    at = int(impulse.argmax())
    for flip, copy in ((True, other), (False, other[::-1])):
        found = slide(impulse, other, flip=flip)
        np.testing.assert_allclose(found.result[found.result != 0], copy)
        assert found.marks[np.flatnonzero(found.result == 1.0)[0]] == at


def test_every_signal_has_the_same_length() -> None:
    assert {len(each.values) for each in SIGNALS.values()} == {LENGTH}
