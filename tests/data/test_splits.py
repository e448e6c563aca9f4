from __future__ import annotations

import numpy as np
import pytest

from cnncore.data.splits import MIN_SPARE_VALIDATION, choose, divide, stratified_parts

LABELS = np.repeat(np.arange(4), (1_000, 2_000, 3_000, 4_000))


def counts(rows: np.ndarray | None, labels: np.ndarray = LABELS) -> list[int]:
    assert rows is not None
    return np.bincount(labels[rows], minlength=labels.max() + 1).tolist()


def test_share_is_stratified_and_leaves_nothing_out() -> None:
    division = divide(LABELS, 4, num_train=None, share=0.1, seed=0)
    assert counts(division.validation) == [100, 200, 300, 400]
    assert counts(division.train) == [900, 1_800, 2_700, 3_600]
    assert division.validation is not None
    assert sorted([*division.train, *division.validation]) == list(range(len(LABELS)))
    assert "10 %" in division.note


def test_the_same_seed_gives_the_same_division_and_another_one_another() -> None:
    first, again, other = (divide(LABELS, 4, num_train=500, share=0.1, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first.train, again.train)
    assert first.validation is not None
    assert again.validation is not None
    assert np.array_equal(first.validation, again.validation)
    assert not np.array_equal(first.train, other.train)


def test_images_left_over_validate() -> None:
    division = divide(LABELS, 4, num_train=2_000, share=0.1, seed=0)
    assert counts(division.train) == [200, 400, 600, 800]
    assert division.validation is not None
    assert len(division.validation) == MIN_SPARE_VALIDATION
    assert not set(division.train) & set(division.validation)
    assert "not chosen" in division.note


@pytest.mark.parametrize(("num_train", "expected"), [(9_990, 10), (8_000, 1_600), (1, 1_000)])
def test_validation_is_no_larger_than_what_is_left_over(num_train: int, expected: int) -> None:
    division = divide(LABELS, 4, num_train=num_train, share=0.2, seed=0)
    assert len(division.train) == num_train
    assert division.validation is not None
    assert len(division.validation) == expected


def test_more_training_images_contain_fewer_and_validation_stays() -> None:
    few, more, many = (divide(LABELS, 4, num_train=num, share=0.1, seed=0) for num in (1_000, 2_000, 5_000))
    assert set(few.train) <= set(more.train) <= set(many.train)
    assert few.validation is not None
    assert more.validation is not None
    assert np.array_equal(few.validation, more.validation)


def test_no_share_and_nothing_left_over_is_no_validation() -> None:
    division = divide(LABELS, 4, num_train=None, share=0.0, seed=0)
    assert division.validation is None
    assert len(division.train) == len(LABELS)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5])
@pytest.mark.parametrize("num_train", [None, 1, 2, 3, 5, 7])
def test_classes_of_one_image_keep_it_for_training(share: float, num_train: int | None) -> None:
    labels = np.array([0, 1, 1, 1, 2, 2, 4])
    division = divide(labels, 5, num_train=num_train, share=share, seed=1)
    validation = [] if division.validation is None else division.validation.tolist()
    assert not set(division.train) & set(validation)
    if num_train in (None, 7):
        assert set(labels[division.train]) == set(labels)
    else:
        assert len(division.train) == num_train


def test_every_class_is_there_when_there_is_room() -> None:
    labels = np.array([0] * 1_000 + [1, 2])
    assert counts(choose(labels, 3, num_train=3, seed=0), labels) == [1, 1, 1]
    assert counts(choose(labels, 3, num_train=10, seed=0), labels) == [8, 1, 1]
    assert len(choose(labels, 3, num_train=None, seed=0)) == len(labels)


def test_parts_are_disjoint_and_complete() -> None:
    labels = np.repeat(np.arange(10), 50)
    parts = stratified_parts(labels, (350, 50, 100), seed=0)
    assert [counts(part, labels) for part in parts] == [[35] * 10, [5] * 10, [10] * 10]
    assert sorted(np.concatenate(parts)) == list(range(500))
