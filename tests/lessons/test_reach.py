"""What the figure on receptive fields is drawn from, against torch: where a gradient arrives, and how large it is."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.errors import ConfigError
from cnncore.lessons.contents import LESSONS
from cnncore.lessons.fields import Window, sizes_through, stack_params
from cnncore.lessons.reach import NO_TAP, STACKS, Reach, counts, deeper, middle_of, possible, reach
from tests.lessons.gradients import effective_field, random_windows, share_within


def torch_gradients(windows: list[Window], size: int, layer: int, unit: int) -> list[torch.Tensor]:
    """Gradients of one unit with respect to the image and to each layer up to its own, along one side."""
    maps = [torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)]
    for window in windows[: layer + 1]:
        ones = torch.ones(1, 1, window.kernel, dtype=torch.float64)
        maps.append(
            functional.conv1d(maps[-1], ones, stride=window.stride, padding=window.padding, dilation=window.dilation)
        )
    return [found[0, 0] for found in torch.autograd.grad(maps[-1][0, 0, unit], maps)]


@pytest.mark.parametrize("seed", range(120))
def test_what_every_layer_hands_on_is_where_torchs_gradient_arrives(seed: int) -> None:
    windows, size, _, _ = random_windows(seed)
    found = reach(windows, size)
    rng = np.random.default_rng(seed)
    for layer in range(len(windows)):
        unit = int(rng.integers(found.sizes[layer + 1]))
        for below, gradient in enumerate(torch_gradients(windows, size, layer, unit)):
            touched = np.flatnonzero(gradient.numpy())
            assert np.flatnonzero(found.touched[layer, unit, below]).tolist() == touched.tolist()
            first, end = found.spans[layer, unit, below]
            assert all(first <= place < end for place in touched)
            if below == 0:
                squares = gradient.numpy() / max(float(gradient.max()), 1)
                np.testing.assert_allclose(found.lines[layer, unit] ** 2, squares, atol=1e-12)
        direct = torch_gradients(windows, size, layer, unit)[layer].numpy()
        taps = found.taps[layer, unit]
        assert taps[taps != NO_TAP].tolist() == np.flatnonzero(direct).tolist()


def test_a_nan_in_a_pixel_reaches_just_the_units_that_see_it() -> None:
    for stack in STACKS.values():
        found = reach(stack.windows, stack.side)
        pixel = (stack.side // 2, 3)
        maps = torch.zeros(1, 1, stack.side, stack.side)
        maps[0, 0, pixel[0], pixel[1]] = torch.nan
        for layer, window in enumerate(stack.windows):
            kernel = torch.ones(1, 1, window.kernel, window.kernel)
            maps = functional.conv2d(
                maps, kernel, stride=window.stride, padding=window.padding, dilation=window.dilation
            )
            units = found.sizes[layer + 1]
            rows, columns = (found.touched[layer, :units, 0, place] for place in pixel)
            assert (torch.isnan(maps[0, 0]).numpy() == np.outer(rows, columns)).all()


def test_spans_shrink_by_one_layer_at_a_time() -> None:
    found = reach(STACKS["three"].windows, 48)
    assert found.spans[2, 20].tolist() == [[20, 27], [20, 25], [20, 23], [20, 21]]
    assert found.fields == (3, 5, 7)
    assert found.centers[3, 20] == 23.5


@pytest.mark.parametrize("name", STACKS)
def test_what_a_pixel_counts_is_the_root_mean_square_over_random_weights(name: str) -> None:
    stack = STACKS[name]
    windows, size = stack.windows, stack.side
    found = reach(windows, size)
    row = column = found.sizes[-1] // 2
    exact = counts(found, len(windows) - 1, row, column)
    # Equal weights add up all ways to a pixel: its square root is what random ones leave of them on average.
    uniform = effective_field(windows, size, row, column, weights="uniform")
    np.testing.assert_allclose(exact**2, uniform, atol=1e-12)
    drawn = effective_field(windows, size, row, column, draws=1_000)
    drawn *= (exact * drawn).sum() / (drawn**2).sum()
    assert np.abs(drawn - exact).mean() < 0.06 * exact[exact > 0].mean()


def test_torch_with_many_channels_and_rectifiers_agrees() -> None:
    """The figure leaves the activations out and has one channel: with both the middle counts about as much."""
    torch.manual_seed(0)
    windows, size, channels = [Window(kernel=3, padding=1)] * 4, 21, 48
    total = torch.zeros(size, size)
    for _ in range(12):
        image = torch.randn(1, 1, size, size, requires_grad=True)
        maps = image
        for window in windows:
            weight = torch.randn(channels, maps.shape[1], window.kernel, window.kernel)
            maps = functional.relu(functional.conv2d(maps, weight, padding=window.padding))
            maps = maps / maps.detach().std()
        for channel in range(channels):
            (gradient,) = torch.autograd.grad(maps[0, channel, 10, 10], image, retain_graph=True)
            total += gradient[0, 0] ** 2
    measured = share_within(total.sqrt().double().numpy(), middle_of(9))
    found = reach(windows, size)
    assert abs(float(found.shares[3, 10, 0] ** 2) - measured) < 0.06


def test_the_middle_of_three_small_windows_counts_more_than_that_of_a_large_one() -> None:
    three, one = (reach(STACKS[name].windows, 48) for name in ("three", "one"))
    assert middle_of(7) == 3
    middle = [float(found.shares[-1, 20, 0] ** 2) for found in (three, one)]
    assert middle[0] == pytest.approx((19 / 27) ** 2)
    assert middle[1] == pytest.approx(9 / 49)
    for found, expected in zip((three, one), middle, strict=True):
        assert found.shares[-1, 20, 1] ** 2 == pytest.approx(9 / 49)
        field = counts(found, len(found.fields) - 1, 20, 20)
        assert share_within(field, 3) == pytest.approx(expected)


def test_the_lessons_answer_says_what_the_figure_shows() -> None:
    answer = LESSONS["field"].answer
    found = reach(STACKS["three"].windows, 48)
    share, area = (100 * found.shares[-1, 20] ** 2).tolist()
    assert f"are {area:.0f} % of the pixels" in answer
    assert f"have {share:.0f} % of the influence" in answer
    assert f"{stack_params(3, 3, 1)} C² weights" in answer
    assert f"takes {stack_params(7, 1, 1)} C²" in answer
    seen = found.lines[-1, 20][found.lines[-1, 20] > 0]
    assert f"{(seen.max() / seen.min()) ** 2:.0f} paths lead to the middle pixel" in answer


@pytest.mark.parametrize("field", range(1, 60))
def test_a_middle_part_has_as_much_on_both_sides(field: int) -> None:
    middle = middle_of(field)
    assert 1 <= middle <= field
    assert (field - middle) % 2 == 0
    assert abs(middle - field / 2) <= 1


@pytest.mark.parametrize(("kernel", "layers"), [(3, 1), (3, 3), (3, 12), (5, 4), (2, 6), (7, 1)])
def test_deeper_stacks_are_those_of_the_figure(kernel: int, layers: int) -> None:
    deep = deeper(kernel, layers)[-1]
    windows = [Window(kernel=kernel)] * layers
    size = 2 * deep.field
    found = reach(windows, size)
    unit = found.sizes[-1] // 2
    first, end = found.spans[-1, unit, 0]
    assert end - first == deep.field
    np.testing.assert_allclose(found.lines[-1, unit, first:end], deep.line, atol=1e-12)
    field = np.sqrt(effective_field(windows, size, unit, unit, weights="uniform"))
    assert share_within(field, deep.effective) >= 0.95
    if deep.effective > 2:
        assert share_within(field, deep.effective - 2) < 0.95


def test_the_effective_field_grows_with_the_root_of_the_depth() -> None:
    deep = deeper(3, 40)
    assert [each.field for each in deep] == [2 * layers + 1 for layers in range(1, 41)]
    assert deep[39].field / deep[9].field > 3.8
    assert deep[39].effective / deep[9].effective < 2.2


def test_a_stack_goes_as_far_as_it_can() -> None:
    windows = [Window(kernel=3, stride=2)] * 4
    found, problem = possible(windows, 12)
    assert len(found) == 2
    assert isinstance(problem, ConfigError)
    assert "3 pixels does not fit into 2 pixels" in problem.message
    assert possible(windows[:2], 12) == (tuple(windows[:2]), None)
    assert isinstance(reach((), 8), Reach)


def test_every_stack_fits_its_image() -> None:
    for stack in STACKS.values():
        assert sizes_through(stack.windows, stack.side)[0] == stack.side
        assert all(window.kernel == window.stride for window in stack.windows if window.pooling)
    assert reach(STACKS["lenet5"].windows, 32).sizes == (32, 28, 14, 10, 5, 1)
