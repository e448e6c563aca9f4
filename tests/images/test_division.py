"""The division of image sets: promises that hold for random sets, and a few sets worked out by hand."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from cnncore.images.division import divide, place
from cnncore.images.image_set import Division, ImageRecord, SplitName


def record(key: int, label: str, group: int = -1, split: SplitName = "train", *, excluded: bool = False) -> ImageRecord:
    return ImageRecord(
        key=key,
        file=f"{key:012x}.jpg",
        name="",
        label=label,
        width=9,
        height=9,
        num_bytes=9,
        group=key if group < 0 else group,
        split=split,
        excluded=excluded,
    )


def random_set(random: np.random.RandomState, *, mixed: bool) -> list[ImageRecord]:
    """Up to eight classes of 1 to 40 images, a part of them in groups, which span classes where `mixed`."""
    labels = [f"class {label}" for label in range(random.randint(1, 9)) for _ in range(random.randint(1, 41))]
    random.shuffle(labels)
    records: list[ImageRecord] = []
    for key, label in enumerate(labels):
        mates = [other for other in records if mixed or other.label == label]
        group = mates[random.randint(len(mates))].group if mates and random.rand() < 0.3 else key
        records.append(record(key, label, group, excluded=random.rand() < 0.1))
    return records


def random_division(random: np.random.RandomState) -> Division:
    shares = random.choice([0.0, 0.05, 0.1, 0.2, 0.3, 0.5], 2)
    return Division(validation=float(shares[0]), test=float(shares[1]), seed=int(random.randint(1_000)))


def groups_of(records: list[ImageRecord], label: str) -> set[int]:
    return {record.group for record in records if record.label == label and not record.excluded}


@pytest.mark.parametrize("mixed", [False, True])
@pytest.mark.parametrize("seed", range(40))
def test_promises_hold_for_random_sets(seed: int, mixed: bool) -> None:
    random = np.random.RandomState(seed)
    records, division = random_set(random, mixed=mixed), random_division(random)
    splits = divide(records, division)
    assert splits.keys() == {record.key for record in records}
    for group in {record.group for record in records}:
        assert len({splits[record.key] for record in records if record.group == group}) == 1
    for label in {record.label for record in records if not record.excluded}:
        found = {splits[record.key] for record in records if record.label == label and not record.excluded}
        assert "train" in found
        if not mixed:
            assert ("validation" in found) is (division.validation > 0 and len(groups_of(records, label)) > 1)
    assert division.test > 0 or "test" not in splits.values()
    # The order in which the images come does not matter.
    assert divide([records[index] for index in random.permutation(len(records))], division) == splits


@pytest.mark.parametrize("seed", range(40))
def test_placing_in_parts_keeps_the_promises_and_the_shares(seed: int) -> None:
    random = np.random.RandomState(100 + seed)
    records, division = random_set(random, mixed=False), random_division(random)
    standing: list[ImageRecord] = []
    for start in range(0, len(records), 13):
        new = records[start : start + 13]
        splits = place(standing, new, division)
        assert splits.keys() == {record.key for record in new}
        standing += [record(r.key, r.label, r.group, splits[r.key], excluded=r.excluded) for r in new]
    for group in {record.group for record in standing}:
        assert len({record.split for record in standing if record.group == group}) == 1
    for label in {record.label for record in standing if not record.excluded}:
        members = [record for record in standing if record.label == label and not record.excluded]
        counts = Counter(record.split for record in members)
        assert counts["train"] > 0
        largest = max(Counter(record.group for record in members).values())
        if division.validation + division.test <= 0.5:
            assert counts["validation"] <= max(1, round(division.validation * len(members))) + largest


def test_placing_into_nothing_is_dividing() -> None:
    records = random_set(np.random.RandomState(1), mixed=True)
    division = Division(validation=0.2, test=0.1, seed=5)
    assert place((), records, division) == divide(records, division)


def test_every_class_gives_its_share() -> None:
    records = [record(key, "a" if key < 100 else "b") for key in range(150)]
    splits = divide(records, Division(validation=0.2, test=0.1, seed=3))
    assert Counter((record.label, splits[record.key]) for record in records) == {
        ("a", "train"): 70,
        ("a", "validation"): 20,
        ("a", "test"): 10,
        ("b", "train"): 35,
        ("b", "validation"): 10,
        ("b", "test"): 5,
    }


def test_the_seed_decides() -> None:
    records = [record(key, "a") for key in range(50)]
    first = divide(records, Division(seed=1))
    assert divide(records, Division(seed=1)) == first
    assert divide(records, Division(seed=2)) != first
    # The first numbers of a seed never change: a set has the same division on another machine.
    assert [key for key, split in first.items() if split == "validation"] == [2, 3, 27, 29, 31, 35, 38, 40, 46, 48]


def test_more_validation_contains_less() -> None:
    records = [record(key, "ab"[key % 2]) for key in range(60)]
    chosen = [
        {key for key, split in divide(records, Division(validation=share)).items() if split == "validation"}
        for share in (0.1, 0.2, 0.4)
    ]
    assert chosen[0] < chosen[1] < chosen[2]


def test_two_images_train_and_validate_one_trains() -> None:
    assert sorted(divide([record(0, "a"), record(1, "a")], Division()).values()) == ["train", "validation"]
    assert divide([record(0, "a")], Division()) == {0: "train"}
    assert divide([record(0, "a", 0), record(1, "a", 0)], Division()) == {0: "train", 1: "train"}
    assert divide([], Division()) == {}


def test_one_image_after_the_other_is_placed_as_well_as_all_at_once() -> None:
    standing: list[ImageRecord] = []
    for key in range(50):
        split = place(standing, [record(key, "a")], Division(validation=0.2))[key]
        standing.append(record(key, "a", split=split))
    assert Counter(record.split for record in standing) == {"train": 40, "validation": 10}


def test_copies_follow_the_image_that_is_there() -> None:
    standing = [record(key, "a", split="validation" if key < 10 else "train") for key in range(20)]
    splits = place(standing, [record(30, "a", 3), record(31, "a", 15), record(32, "b", 4)], Division())
    assert splits == {30: "validation", 31: "train", 32: "validation"}


def test_a_class_that_shares_a_group_still_trains() -> None:
    # Each image of b is a copy of one of a.
    records = [record(key, "a") for key in range(10)] + [record(10 + key, "b", key) for key in range(3)]
    for seed in range(30):
        splits = divide(records, Division(validation=0.5, seed=seed))
        assert "train" in {splits[key] for key in (10, 11, 12)}
        assert "validation" in {splits[key] for key in (10, 11, 12)}


def test_excluded_images_have_the_shares_when_they_come_back() -> None:
    records = [record(key, "a", excluded=key >= 20) for key in range(70)]
    splits = divide(records, Division(validation=0.2))
    assert Counter(splits[key] for key in range(20)) == {"train": 16, "validation": 4}
    assert Counter(splits[key] for key in range(20, 70)) == {"train": 40, "validation": 10}
