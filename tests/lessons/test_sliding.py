"""Every number of the lessons on convolution and pooling is the one that torch computes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from cnncore.errors import ConfigError
from cnncore.lessons.kernels import KERNELS
from cnncore.lessons.sliding import Sliding, channel_sums, convolve, pool, seen_channels

SETTINGS = 300


def drawn(seed: int) -> tuple[np.random.Generator, np.ndarray, np.ndarray, Sliding, int]:
    rng = np.random.default_rng(seed)
    groups = int(rng.choice([1, 1, 2, 3]))
    inside, outside = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    size = (int(rng.integers(5, 14)), int(rng.integers(5, 14)))
    kernel = (int(rng.integers(1, 5)), int(rng.integers(1, 5)))
    same = rng.random() < 0.25
    sliding = Sliding(
        kernel=kernel,
        stride=1 if same else int(rng.integers(1, 4)),
        padding="same" if same else int(rng.integers(0, 4)),
        dilation=int(rng.integers(1, 3)),
        padding_mode="zeros" if same or rng.random() < 0.5 else "reflect",
    )
    image = rng.normal(size=(groups * inside, *size))
    kernels = rng.normal(size=(groups * outside, inside, *kernel))
    return rng, image, kernels, sliding, groups


@pytest.mark.parametrize("start", range(0, SETTINGS, 50))
def test_convolution_is_torchs(start: int) -> None:
    compared = 0
    for seed in range(start, start + 50):
        rng, image, kernels, sliding, groups = drawn(seed)
        bias = rng.normal(size=len(kernels))
        given = torch.from_numpy(image)[None]
        try:
            found = convolve(image, kernels, sliding, bias=bias, groups=groups)
        except ConfigError:
            with pytest.raises(RuntimeError):
                _torch(given, kernels, bias, sliding, groups)
            continue
        expected = _torch(given, kernels, bias, sliding, groups)
        np.testing.assert_allclose(found, expected, atol=1e-10)
        compared += 1
    assert compared > 30


def _torch(given: torch.Tensor, kernels: np.ndarray, bias: np.ndarray, sliding: Sliding, groups: int) -> np.ndarray:
    padding = sliding.padding
    if sliding.padding_mode == "reflect":
        assert isinstance(padding, int)
        given, padding = functional.pad(given, (padding,) * 4, mode="reflect"), 0
    if padding == "same":
        # torch's own warns of the copy that it makes for even kernels.
        sizes = [extent - 1 for extent in reversed(sliding.extent)]
        given, padding = functional.pad(given, [part for one in sizes for part in (one // 2, one - one // 2)]), 0
    weights = torch.from_numpy(kernels), torch.from_numpy(bias)
    return functional.conv2d(
        given, *weights, stride=sliding.stride, padding=padding, dilation=sliding.dilation, groups=groups
    )[0].numpy()


@pytest.mark.parametrize("start", range(0, SETTINGS, 100))
def test_what_each_channel_adds_is_torchs_for_that_channel_alone(start: int) -> None:
    compared = 0
    for seed in range(start, start + 100):
        _, image, kernels, sliding, groups = drawn(seed)
        try:
            sums = channel_sums(image, kernels, sliding, groups=groups, flip=True)
        except ConfigError:
            continue
        place = seed % len(kernels)
        turned = kernels[place, :, ::-1, ::-1].copy()
        for inside, channel in enumerate(seen_channels(len(image), len(kernels), groups, place)):
            alone = torch.from_numpy(image[channel][None, None])
            expected = _torch(alone, turned[inside][None, None], np.zeros(1), sliding, 1)[0]
            np.testing.assert_allclose(sums[place, inside], expected, atol=1e-10)
        compared += 1
    assert compared > 60


@pytest.mark.parametrize("seed", range(100))
def test_rows_and_columns_that_are_covered_are_those_of_the_windows(seed: int) -> None:
    _, image, _, sliding, _ = drawn(seed)
    try:
        rows, columns = sliding.covered((image.shape[1], image.shape[2]))
    except ConfigError:
        return
    padded = sliding.padded(image)[0]
    patches = padded[rows[:, None, :, None], columns[None, :, None, :]]
    np.testing.assert_array_equal(patches, sliding.windows(image)[0])


@pytest.mark.parametrize("seed", range(100))
def test_the_formula_ends_in_the_size(seed: int) -> None:
    _, image, _, sliding, _ = drawn(seed)
    size = (image.shape[1], image.shape[2])
    try:
        expected = sliding.output_size(size)[0]
    except ConfigError:
        return
    formula = sliding.formula(size)
    assert formula.endswith(f"= {expected}")
    said = formula.rpartition("=")[0].replace("−", "-").replace("·", "*").replace("⌊", "(").replace("⌋", "//1)")
    assert eval(said) == expected


@pytest.mark.parametrize("seed", range(100))
def test_pooling_is_torchs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    image = rng.normal(size=(2, int(rng.integers(4, 12)), int(rng.integers(4, 12))))
    kernel, stride = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    given = torch.from_numpy(image)[None]
    largest, mean = pool(image, kernel, stride, "max"), pool(image, kernel, stride, "average")
    np.testing.assert_allclose(largest, functional.max_pool2d(given, kernel, stride)[0], atol=1e-12)
    np.testing.assert_allclose(mean, functional.avg_pool2d(given, kernel, stride)[0], atol=1e-12)


def test_true_convolution_turns_the_kernel() -> None:
    image = np.zeros((1, 5, 5))
    image[0, 2, 2] = 1
    kernel = np.arange(9.0).reshape(1, 1, 3, 3)
    sliding = Sliding(kernel=(3, 3), padding=1)
    np.testing.assert_array_equal(convolve(image, kernel, sliding, flip=True)[0, 1:4, 1:4], kernel[0, 0])
    np.testing.assert_array_equal(convolve(image, kernel, sliding)[0, 1:4, 1:4], kernel[0, 0, ::-1, ::-1])


@pytest.mark.parametrize("key", KERNELS)
def test_kernels_do_what_they_say_on_a_plain_area(key: str) -> None:
    values = KERNELS[key].values
    plain = convolve(np.ones((1, 9, 9)), values[None, None], Sliding(kernel=values.shape))
    zero = key in ("edges", "sobel_x", "sobel_y")
    np.testing.assert_allclose(plain, 0.0 if zero else 1.0, atol=1e-12)


@pytest.mark.parametrize(
    ("sliding", "says"),
    [
        (Sliding(kernel=(9, 9)), "does not fit"),
        (Sliding(kernel=(3, 3), stride=0), "stride"),
        (Sliding(kernel=(3, 3), padding="same", stride=2), "Same padding"),
        (Sliding(kernel=(3, 3), padding=6, padding_mode="reflect"), "mirrored"),
    ],
)
def test_what_is_impossible_is_one_sentence(sliding: Sliding, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        convolve(np.ones((1, 6, 6)), np.ones((1, 1, *sliding.kernel)), sliding)
