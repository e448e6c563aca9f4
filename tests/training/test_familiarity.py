"""Familiarity: what is like the training images is near, what is not is far, and the threshold keeps its word."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cnncore.training.familiarity import (
    FALSE_ALARMS,
    load_familiarity,
    measure_familiarity,
    save_familiarity,
)

RNG = np.random.default_rng(0)
CENTERS = np.eye(8)[:3] * 4


def photographs(count: int, centers: np.ndarray = CENTERS) -> np.ndarray:
    return centers[RNG.integers(0, len(centers), count)] + RNG.normal(0, 1, (count, 8))


def names(count: int) -> np.ndarray:
    return np.arange(100, 100 + count).astype(np.str_)


def test_distance_is_one_minus_the_cosine_to_the_most_similar_training_image() -> None:
    known = np.array([[2.0, 0.0], [0.0, 3.0]])
    found = measure_familiarity(known, names(2), np.array([[1.0, 1.0]]))
    distances, nearest = found.distances(np.array([[5.0, 0.0], [1.0, 2.0], [-1.0, -1.0], [0.0, 0.0]]))
    expected = [0, 1 - 2 / 5**0.5, 1 + 1 / 2**0.5, 1]
    np.testing.assert_allclose(distances, expected, atol=1e-3)
    assert found.keys[nearest[:2]].tolist() == ["100", "101"]


def test_false_alarms_are_as_frequent_as_said_and_other_things_are_found_out() -> None:
    found = measure_familiarity(photographs(400), names(400), photographs(300))
    assert not found.own
    assert found.held_out == 300
    assert found.false_alarms == pytest.approx(FALSE_ALARMS, abs=0.004)
    alike, _ = found.distances(photographs(4_000))
    assert 0.02 < (alike > found.threshold).mean() < 0.09
    others, _ = found.distances(photographs(500, np.eye(8)[5:] * 4))
    assert (others > found.threshold).mean() > 0.9
    assert "95%" in found.explain()


@pytest.mark.parametrize("held_out", [0, 5])
def test_few_held_out_images_are_helped_by_each_training_image_against_the_others(held_out: int) -> None:
    found = measure_familiarity(photographs(40), names(40), photographs(held_out))
    assert found.own
    assert found.held_out == 40 + held_out
    assert found.threshold > 0.01
    assert "compared with the others" in found.explain()


def test_of_hardly_any_images_the_largest_distance_is_the_limit_and_its_alarms_are_told() -> None:
    found = measure_familiarity(photographs(3), names(3), photographs(0))
    assert found.false_alarms == pytest.approx(1 / 4)


def test_a_file_gives_it_back(tmp_path: Path) -> None:
    assert load_familiarity(tmp_path) is None
    before = measure_familiarity(photographs(50), names(50), photographs(30))
    save_familiarity(tmp_path, before)
    after = load_familiarity(tmp_path)
    assert after is not None
    assert vars(after).keys() == vars(before).keys()
    for name, value in vars(before).items():
        assert np.array_equal(getattr(after, name), value)
