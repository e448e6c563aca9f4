"""Calibration by closed cases: what is known without measuring."""

from __future__ import annotations

import numpy as np
import pytest

from cnncore.runs.calibration import (
    error_by_chance,
    error_with_temperature,
    fit_temperature,
    reliability,
    tempered,
)


def test_an_error_worked_out_by_hand() -> None:
    # Bins of a fifth: (0.4, 0.6] has 2 images of 0.5, one right; (0.8, 1] has 0.9 twice and 1.0 twice, three right.
    confidence = np.array([0.5, 0.5, 0.9, 0.9, 1.0, 1.0])
    right = np.array([True, False, True, True, True, False])
    bins = reliability(confidence, right, 5)
    assert bins.counts.tolist() == [0, 0, 2, 0, 4]
    assert bins.right.tolist() == [0, 0, 1, 0, 3]
    assert np.isnan(bins.accuracy).tolist() == [True, True, False, True, False]
    assert bins.confidence[[2, 4]].tolist() == pytest.approx([0.5, 0.95])
    assert bins.error == pytest.approx((2 * 0.0 + 4 * 0.2) / 6)


def test_a_bin_has_its_upper_end() -> None:
    confidence = np.array([0.0, 0.2, np.nextafter(0.2, 1), 1.0])
    assert reliability(confidence, np.ones(4, bool), 5).counts.tolist() == [2, 1, 0, 0, 1]


def test_who_always_says_the_share_it_is_right_in_has_no_error() -> None:
    right = np.arange(100) < 70
    assert reliability(np.full(100, 0.7), right).error == pytest.approx(0)
    assert reliability(np.full(100, 1.0), right).error == pytest.approx(0.3)


def test_without_images_nothing_is_claimed() -> None:
    none = np.zeros(0)
    bins = reliability(none, none.astype(bool))
    assert (bins.error, bins.counts.sum()) == (0.0, 0)
    assert reliability(none, none.astype(bool), equal_mass=True).error == 0.0
    assert error_by_chance(none) == 0.0
    assert fit_temperature(np.zeros((0, 3)), np.zeros(0, np.int64)) is None


def test_bins_of_equal_mass_hold_equally_many() -> None:
    random = np.random.default_rng(0)
    confidence = random.beta(8, 1, 1_500)
    bins = reliability(confidence, random.random(1_500) < confidence, equal_mass=True)
    assert bins.counts.tolist() == pytest.approx([100] * 15, abs=1)
    assert bins.counts.sum() == 1_500


@pytest.mark.parametrize(("count", "most", "least"), [(9, 1, 0), (40, 3, 2), (151, 11, 10), (200, 14, 13)])
def test_bins_of_equal_mass_differ_by_one_image_at_most(count: int, most: int, least: int) -> None:
    confidence = np.random.default_rng(count).permutation(np.linspace(0.2, 0.99, count))
    bins = reliability(confidence, np.ones(count, bool), equal_mass=True)
    assert bins.counts.sum() == count
    assert bins.counts.max() == most
    assert bins.counts.min() >= least
    assert (bins.counts == 0).sum() <= 1, "only behind the last image"


def test_bins_of_equal_mass_never_part_equal_confidences() -> None:
    confidence = np.concatenate((np.full(90, 1.0), np.linspace(0.1, 0.5, 10)))
    bins = reliability(confidence, np.ones(100, bool), 5, equal_mass=True)
    assert bins.counts.sum() == 100
    assert bins.counts.max() >= 90
    assert (bins.confidence >= bins.edges[:-1]).all()
    assert (bins.confidence <= bins.edges[1:]).all()


def test_chance_makes_more_of_few_images() -> None:
    few, many = (error_by_chance(np.full(count, 0.8)) for count in (50, 5_000))
    # One bin: the accuracy of n images is off by about 1.96 · √(0.8 · 0.2 / n) in 5 of 100 cases.
    assert many == pytest.approx(1.96 * (0.16 / 5_000) ** 0.5, rel=0.25)
    assert few == pytest.approx(1.96 * (0.16 / 50) ** 0.5, rel=0.25)


def sample(temperature: float, count: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn from softmax(logits), and what a network says whose logits are `temperature` times those."""
    random = np.random.default_rng(1)
    logits = random.normal(0, 2, (count, 4))
    truth = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = (truth.cumsum(axis=1) < random.random((count, 1))).sum(axis=1).clip(0, 3)
    said = np.exp(temperature * logits) / np.exp(temperature * logits).sum(axis=1, keepdims=True)
    return said.astype(np.float32), labels.astype(np.int64)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_the_temperature_that_was_put_in_is_found(temperature: float) -> None:
    said, labels = sample(temperature)
    found = fit_temperature(said, labels)
    assert found == pytest.approx(temperature, rel=0.05)


def test_a_temperature_mends_too_much_confidence() -> None:
    said, labels = sample(2.5)
    before = reliability(said.max(axis=1), said.argmax(axis=1) == labels).error
    after = error_with_temperature(said, labels)
    assert before > 0.1
    assert after is not None
    assert after < 0.02
    shares = tempered(said, 2.5)
    np.testing.assert_array_equal(shares.argmax(axis=1), said.argmax(axis=1))
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_without_a_mistake_no_temperature_is_best() -> None:
    said = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    assert fit_temperature(said, np.array([0, 1, 0, 1])) is None
    assert error_with_temperature(said, np.array([0, 1, 0, 1])) is None


def test_a_true_class_of_probability_zero_is_no_trouble() -> None:
    said = np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]], np.float32)
    found = fit_temperature(said, np.array([0, 1, 1, 0]))
    assert found is None or np.isfinite(found)
