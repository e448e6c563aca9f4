"""Which images of a set train, validate and test: shares of every class, by seed, near duplicates always together."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from cnncore.images.image_set import Division, ImageRecord, SplitName

_LEAST_GROUPS: dict[SplitName, int] = {"validation": 2, "test": 3}
"""Groups a class must have for a split to get at least one image of it."""


@dataclass(frozen=True, eq=False)
class _Group:
    """Near duplicates, which go the same way.

    Attributes:
        keys: Of its images.
        label: Class that it counts for: that of its first image, of one that is not excluded if there is one.
        counts: Images of each class that are not excluded. Where all are, they count as classes of their own, so that
            they have the shares too when they come back.
    """

    keys: list[int] = field(default_factory=list[int])
    label: str = ""
    counts: Counter[str] = field(default_factory=Counter[str])


def divide(records: Iterable[ImageRecord], division: Division) -> dict[int, SplitName]:
    """The split of every image, by key.

    Every class keeps at least one training image, and validation (then test) gets at least one of each class that
    consists of two (three) groups or more, where its share is not 0. Only where near duplicates are in several classes
    may validation miss one. Excluded images go with their groups; those without any are divided by themselves.

    Args:
        records: Images of a set; their present splits do not matter.
        division: Shares and seed; the same ones give the same splits on every machine.
    """
    return place((), records, division)


def place(records: Iterable[ImageRecord], new: Iterable[ImageRecord], division: Division) -> dict[int, SplitName]:
    """The split of every new image, by key, such that the shares of all together are nearly those of `division`.

    Near duplicates of images that are in the set already go to their split. Without such images this is `divide`.

    Args:
        records: Images in the set, whose splits stay.
        new: Images to be added, with their labels and groups.
        division: Shares and seed.
    """
    standing = {record.key: record for record in records}
    added = {record.key: record for record in new}
    groups = _groups([*standing.values(), *added.values()])
    splits: dict[int, SplitName] = {}
    for number, group in groups.items():
        there = [key for key in group.keys if key in standing]
        if there:
            splits[number] = standing[min(there)].split
    movable = sorted(groups.keys() - splits.keys())
    # RandomState, not default_rng: numpy promises that its numbers never change.
    order = [movable[index] for index in np.random.RandomState(division.seed).permutation(len(movable))]
    _fill(groups, splits, order, division)
    _mend(groups, splits, order, division)
    return {key: splits[number] for number, group in groups.items() for key in group.keys if key in added}


def _groups(records: list[ImageRecord]) -> dict[int, _Group]:
    gathered: defaultdict[int, list[ImageRecord]] = defaultdict(list)
    for record in sorted(records, key=lambda record: (record.excluded, record.key)):
        gathered[record.key if record.group < 0 else record.group].append(record)
    return {
        number: _Group(
            [record.key for record in members],
            _class(members[0]),
            Counter(_class(record) for record in members if record.excluded == members[0].excluded),
        )
        for number, members in gathered.items()
    }


def _class(record: ImageRecord) -> str:
    return f"{record.label}\0excluded" if record.excluded else record.label


def _fill(groups: Mapping[int, _Group], splits: dict[int, SplitName], order: list[int], division: Division) -> None:
    """Divide the groups of `order` class by class: validation takes from the front, test from the back."""
    totals: Counter[str] = Counter()
    num_groups = Counter(group.label for group in groups.values())
    taken: Counter[tuple[str, SplitName]] = Counter()
    for number, group in groups.items():
        totals[group.label] += group.counts.total()
        if number in splits:
            taken[group.label, splits[number]] += group.counts.total()
    free: defaultdict[str, list[int]] = defaultdict(list)
    for number in order:
        splits[number] = "train"
        free[groups[number].label].append(number)
    for label, numbers in free.items():
        rest = numbers
        for split, least_groups in _LEAST_GROUPS.items():
            share = division.validation if split == "validation" else division.test
            wanted = math.floor(share * totals[label] + 0.5)
            if share > 0 and num_groups[label] >= least_groups:
                wanted = max(1, wanted)
            # Something has to be left to train on.
            spare = len(rest) - (taken[label, "train"] == 0)
            chosen = _chosen(rest, groups, wanted, taken[label, split])[:spare]
            splits.update(dict.fromkeys(chosen, split))
            rest = [number for number in rest if number not in set(chosen)][::-1]


def _chosen(numbers: list[int], groups: Mapping[int, _Group], wanted: int, have: int) -> list[int]:
    """Groups that together with `have` images come closest to `wanted`, in order; at least one while there is none."""
    chosen: list[int] = []
    total = have
    for number in numbers:
        size = groups[number].counts.total()
        if total + size - wanted <= wanted - total:
            chosen.append(number)
            total += size
    if wanted and not total and numbers:
        return [min(numbers, key=lambda number: groups[number].counts.total())]
    return chosen


def _mend(groups: Mapping[int, _Group], splits: dict[int, SplitName], order: list[int], division: Division) -> None:
    """Care for classes whose images are near duplicates of other classes' images, and so went where those went."""
    members: defaultdict[str, list[int]] = defaultdict(list)
    for number in splits:
        for label in groups[number].counts:
            members[label].append(number)
    free = set(order)
    for numbers in members.values():
        movable = [number for number in numbers if number in free]
        if movable and all(splits[number] != "train" for number in numbers):
            splits[movable[0]] = "train"
    for numbers in members.values() if division.validation > 0 else ():
        if len(numbers) > 1 and all(splits[number] != "validation" for number in numbers):
            spare = (number for number in numbers if number in free and _is_spare(groups, splits, members, number))
            splits.update({number: "validation" for number in list(spare)[:1]})


def _is_spare(
    groups: Mapping[int, _Group], splits: Mapping[int, SplitName], members: Mapping[str, list[int]], number: int
) -> bool:
    """Whether every class of a group has another group to train on."""
    return all(
        any(splits[other] == "train" for other in members[label] if other != number) for label in groups[number].counts
    )
