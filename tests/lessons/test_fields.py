from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.lessons.fields import Window, mean_maps, seen_by, stack_params
from tests.lessons.gradients import effective_field, random_windows, share_within


@pytest.mark.parametrize("seed", range(100))
def test_what_is_seen_is_where_torchs_gradient_is(seed: int) -> None:
    windows, size, row, column = random_windows(seed)
    image = torch.zeros(1, 1, size, size, dtype=torch.float64, requires_grad=True)
    output = image
    for window in windows:
        kernel = torch.full((1, 1, window.kernel, window.kernel), 1 / window.kernel, dtype=torch.float64)
        output = functional.conv2d(
            output, kernel, stride=window.stride, padding=window.padding, dilation=window.dilation
        )
    (gradient,) = torch.autograd.grad(output[0, 0, row, column], image)
    found = gradient[0, 0].numpy()
    expected = found / max(found.max(), 1e-300)
    np.testing.assert_allclose(effective_field(windows, size, row, column, weights="uniform"), expected, atol=1e-12)
    for axis, place in ((1, row), (0, column)):
        seen = np.flatnonzero(found.any(axis=axis))
        first, end = seen_by(windows, place).inside(size)
        if len(seen):
            # Dilation may leave gaps, also at the image's edge.
            assert first <= seen[0]
            assert seen[-1] < end
            if all(window.dilation == 1 and window.stride <= window.kernel for window in windows):
                assert (seen[0], seen[-1] + 1) == (first, end)


def test_three_small_windows_see_what_a_large_one_does_with_fewer_numbers() -> None:
    assert seen_by([Window(kernel=3)] * 3, 0) == seen_by([Window(kernel=7)], 0)
    assert stack_params(3, 3, 64) == 27 * 64 * 64
    assert stack_params(7, 1, 64) == 49 * 64 * 64


def test_the_edge_of_a_deep_stack_hardly_matters() -> None:
    windows = [Window(kernel=3, padding=1)] * 20
    field = effective_field(windows, 61, 30, 30)
    assert seen_by(windows, 30).end - seen_by(windows, 30).first == 41
    assert share_within(field, 21) > 0.9


@pytest.mark.parametrize("seed", range(20))
def test_maps_of_means_are_torchs(seed: int) -> None:
    windows, size, _, _ = random_windows(seed)
    gray = np.random.default_rng(seed).integers(0, 256, (size, size), dtype=np.uint8)
    maps = torch.from_numpy(gray).double()[None, None]
    found = mean_maps(gray, windows)
    for window, each in zip(windows, found, strict=True):
        kernel = torch.full((1, 1, window.kernel, window.kernel), 1 / window.kernel**2, dtype=torch.float64)
        maps = functional.conv2d(maps, kernel, stride=window.stride, padding=window.padding, dilation=window.dilation)
        np.testing.assert_allclose(each, maps[0, 0], atol=0.5 + 1e-9)
    assert mean_maps(gray, ()) == []
