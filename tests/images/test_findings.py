"""What is found in an image set, and that nothing is where nothing is wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from cnncore.images.division import divide
from cnncore.images.findings import SEVERITIES, Finding, balance, findings
from cnncore.images.image_set import Division, ImageRecord, ImageSet


def image_set(*counts: int, **changes: Any) -> ImageSet:
    """Classes a, b, c... with so many images each, divided; `changes` are of every image."""
    classes = "abcdefghij"[: len(counts)]
    labels = [label for label, count in zip(classes, counts, strict=True) for _ in range(count)]
    records = [
        ImageRecord(key=key, file=f"{key}.png", name="", label=label, width=200, height=100, num_bytes=1, group=key)
        for key, label in enumerate(labels)
    ]
    splits = divide(records, Division())
    images = {r.key: dataclasses.replace(r, **({"split": splits[r.key]} | changes)) for r in records}
    return ImageSet(id="0" * 12, name="Set", owner="", version=1, created=0, classes=tuple(classes), images=images)


def changed(base: ImageSet, *keys: int, **values: Any) -> ImageSet:
    images = {key: dataclasses.replace(r, **values) if key in keys else r for key, r in base.images.items()}
    return dataclasses.replace(base, images=images)


def kinds(state: ImageSet) -> list[str]:
    return [finding.kind for finding in findings(state)]


def only(state: ImageSet, kind: str) -> Finding:
    return next(finding for finding in findings(state) if finding.kind == kind)


def test_nothing_is_wrong_with_a_good_set() -> None:
    assert findings(image_set(20, 25, 30)) == ()


def _emptied(base: ImageSet) -> ImageSet:
    return changed(base, *range(15), excluded=True)


CASES: dict[str, tuple[ImageSet, list[str]]] = {
    "empty": (image_set(), ["empty"]),
    "all excluded": (image_set(20, 20, excluded=True), ["empty"]),
    "one class": (image_set(30), ["one_class"]),
    "a class whose images are all excluded": (_emptied(image_set(15, 50)), ["empty_class", "excluded"]),
    "four": (image_set(4, 12), ["very_few"]),
    "one": (image_set(1, 3), ["one_image", "very_few"]),
    "nine": (image_set(9, 12), ["few"]),
    "three times": (image_set(10, 30), []),
    "more than three times": (image_set(10, 31), ["imbalance"]),
    "no validation": (image_set(20, 20, split="train"), ["no_validation"]),
    "nothing trains": (image_set(20, 20, split="validation"), ["no_training"]),
    "small": (image_set(20, 20, width=28, height=28), ["small"]),
    "an exact copy": (changed(image_set(20, 20), 1, 25, file="same.png"), ["same_image"]),
    "a near copy": (changed(image_set(20, 20), 1, 2, group=1, split="train"), ["near_duplicates"]),
    "a near copy in another class": (
        changed(image_set(20, 20), 1, 25, group=1, split="train"),
        ["near_across_classes", "near_duplicates"],
    ),
    "a third is excluded": (changed(image_set(20, 20), *range(5), *range(20, 25), excluded=True), ["excluded"]),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_found(name: str) -> None:
    state, expected = CASES[name]
    assert kinds(state) == expected
    for finding in findings(state):
        assert finding.message.endswith(".")
        assert finding.hint.endswith(".")
        assert finding.message.count(". ") == 0
        assert set(finding.keys) <= state.images.keys()


def test_a_near_pair_over_two_splits_leaks() -> None:
    base = changed(image_set(20, 20), 1, 2, group=1, split="train")
    state = changed(base, 2, split="validation")
    finding = only(state, "leaking")
    assert finding.keys == (1, 2)
    assert finding.severity == "warning"
    assert "leaking" not in kinds(changed(state, 2, excluded=True))


@pytest.mark.parametrize(
    ("state", "kind", "keys"),
    [
        (image_set(3, 12), "very_few", (0, 1, 2)),
        (image_set(10, 40), "imbalance", tuple(range(10))),
        (changed(image_set(20, 20), 3, 30, file="x.png"), "same_image", (3, 30)),
        (changed(image_set(20, 20), 7, width=31), "small", (7,)),
        (image_set(1, 12), "one_image", (0,)),
        (changed(image_set(20, 20), *range(20), split="train"), "class_not_validated", tuple(range(20))),
    ],
)
def test_the_images_it_is_about(state: ImageSet, kind: str, keys: tuple[int, ...]) -> None:
    assert only(state, kind).keys == keys


def test_grave_things_come_first() -> None:
    found = findings(changed(image_set(30, width=10), 1, 2, group=1, split="train"))
    grades = [SEVERITIES.index(finding.severity) for finding in found]
    assert len(set(grades)) > 1
    assert grades == sorted(grades)


def test_many_and_long_names_stay_readable() -> None:
    assert "“a”, “b”, “c” and 3 more classes have fewer" in only(image_set(2, 2, 2, 2, 2, 2), "very_few").message
    assert "“a”, “b” and “c” have" in only(image_set(2, 2, 2), "very_few").message
    long = dataclasses.replace(image_set(30), classes=("x" * 80,))
    long = changed(long, *long.images, label="x" * 80)
    assert len(only(long, "one_class").message) < 100


def test_the_balance_counts_every_image_once() -> None:
    state = changed(image_set(20, 10), 0, 25, excluded=True)
    table = balance(state)
    assert list(table.columns) == ["class", "train", "validation", "test", "excluded"]
    assert list(table["class"]) == ["a", "b"]
    assert table["excluded"].tolist() == [1, 1]
    assert table[["train", "validation", "test", "excluded"]].sum(axis=1).tolist() == [20, 10]
    assert len(balance(image_set())) == 0


@pytest.mark.parametrize("look", [findings, balance])
def test_excluded_images_of_removed_classes_do_no_harm(look: Callable[[ImageSet], object]) -> None:
    state = changed(image_set(20, 20), *range(20, 40), label="gone", excluded=True)
    look(dataclasses.replace(state, classes=("a",)))
