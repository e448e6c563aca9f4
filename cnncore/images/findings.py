"""What one should know about an image set before training on it: warnings in a sentence each, and what to do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import pandas as pd

from cnncore.images.image_set import SPLITS, ImageRecord, ImageSet

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Grave ones first. An error stops training."""

VERY_FEW, FEW = 5, 10
"""Images of a class below which its results say next to nothing, or little."""
LARGEST_RATIO = 3
"""Images of the largest class as a multiple of those of the smallest."""
SMALL_SIDE = 32
"""Shorter side in pixels; networks for photographs get 224."""
LARGE_SHARE = 0.2
"""Share of excluded images that is worth a word."""
_MOST_NAMES, _LONGEST_NAME = 3, 40


@dataclass(frozen=True)
class Finding:
    """One thing that was found.

    Attributes:
        kind: What it is, as a key.
        severity: Of `SEVERITIES`.
        message: One sentence.
        hint: What to do.
        keys: The images that it is about.
    """

    kind: str
    severity: Severity
    message: str
    hint: str
    keys: tuple[int, ...] = ()


def findings(image_set: ImageSet) -> tuple[Finding, ...]:
    """Everything that was found, grave things first; nothing about an empty set but that it is."""
    records = image_set.included()
    if not records:
        return (Finding("empty", "error", "There are no images yet.", "Add some, or restore excluded ones."),)
    by_class: dict[str, list[ImageRecord]] = {label: [] for label in image_set.classes}
    for record in records:
        by_class[record.label].append(record)
    found = [finding for look in _BY_CLASS for finding in look(by_class)]
    found += [finding for look in _BY_RECORDS for finding in look(records)]
    found += _excluded(image_set)
    return tuple(sorted(found, key=lambda finding: SEVERITIES.index(finding.severity)))


def balance(image_set: ImageSet) -> pd.DataFrame:
    """Counts of images: a row a class in the set's order, columns `class`, those of `SPLITS` and `excluded`."""
    counts = {label: dict.fromkeys((*SPLITS, "excluded"), 0) for label in image_set.classes}
    for record in image_set.images.values():
        # Excluded images may be of a class that was removed.
        if record.label in counts:
            counts[record.label]["excluded" if record.excluded else record.split] += 1
    rows = [{"class": label, **parts} for label, parts in counts.items()]
    return pd.DataFrame(rows, columns=["class", *SPLITS, "excluded"])


Classes = dict[str, list[ImageRecord]]


def _one_class(classes: Classes) -> Iterable[Finding]:
    if len(classes) == 1:
        yield Finding(
            "one_class",
            "error",
            f"All images are of one class, {_names(classes)}.",
            "Add a second class: a classifier has to tell at least two kinds of thing apart.",
        )


def _empty_classes(classes: Classes) -> Iterable[Finding]:
    empty = [label for label, records in classes.items() if not records]
    if empty:
        yield Finding(
            "empty_class", "error", f"There is no image of {_names(empty)}.", "Add images of it, or remove the class."
        )


def _single_images(classes: Classes) -> Iterable[Finding]:
    single = [label for label, records in classes.items() if len(records) == 1]
    if single:
        yield Finding(
            "one_image",
            "error",
            f"{_names(single)} {'has' if len(single) == 1 else 'have'} only one image, but one to train and one to "
            "validate are needed.",
            "Add more images, or remove the class.",
            _keys(record for label in single for record in classes[label]),
        )


def _untrained_classes(classes: Classes) -> Iterable[Finding]:
    missing = [label for label, records in classes.items() if records and not any(r.split == "train" for r in records)]
    if missing:
        yield Finding(
            "no_training",
            "error",
            f"No image of {_names(missing)} is left to train on.",
            "Move some to training, or divide the set anew.",
            _keys(record for label in missing for record in classes[label]),
        )


def _few(classes: Classes) -> Iterable[Finding]:
    very_few = [label for label, records in classes.items() if 1 < len(records) < VERY_FEW]
    few = [label for label, records in classes.items() if VERY_FEW <= len(records) < FEW]
    grades: tuple[tuple[list[str], int, str, Severity, str], ...] = (
        (very_few, VERY_FEW, "very_few", "warning", "what is learned and measured will depend on chance"),
        (few, FEW, "few", "note", "more of them will help more than any setting"),
    )
    for labels, limit, kind, severity, outcome in grades:
        if labels:
            yield Finding(
                kind,
                severity,
                f"{_names(labels)} {'has' if len(labels) == 1 else 'have'} fewer than {limit} images.",
                f"Add more: {outcome}.",
                _keys(record for label in labels for record in classes[label]),
            )


def _imbalance(classes: Classes) -> Iterable[Finding]:
    filled = [label for label, records in classes.items() if records]
    large, small = (choose(filled, key=lambda label: len(classes[label])) for choose in (max, min))
    if len(classes[large]) > LARGEST_RATIO * len(classes[small]):
        yield Finding(
            "imbalance",
            "warning",
            f"{_names([large])} has {len(classes[large]):,} images, {_names([small])} only {len(classes[small]):,}.",
            "Add images to the smaller classes, or exclude some of the larger ones: else the network learns to guess "
            "the larger ones.",
            _keys(classes[small]),
        )


def _unvalidated_classes(classes: Classes) -> Iterable[Finding]:
    filled = {label: records for label, records in classes.items() if len(records) > 1}
    missing = [label for label, records in filled.items() if not any(r.split == "validation" for r in records)]
    if missing and len(missing) == len(filled):
        yield Finding(
            "no_validation",
            "warning",
            "No image validates, so nothing will tell how good the network is while it learns.",
            "Divide the set with a share for validation.",
        )
    elif missing:
        yield Finding(
            "class_not_validated",
            "warning",
            f"No image of {_names(missing)} validates, so mistakes with it will not be seen.",
            "Move one to validation, or divide the set anew.",
            _keys(record for label in missing for record in filled[label]),
        )


def _same_image_twice(records: Iterable[ImageRecord]) -> Iterable[Finding]:
    doubled = _spread(records, lambda record: record.file, lambda record: record.label)
    if doubled:
        yield Finding(
            "same_image",
            "warning",
            f"{_count(doubled, 'image')} {'is' if len(doubled) == 1 else 'are'} in two classes or more.",
            "Keep each in the class it belongs to, and exclude it from the others.",
            _keys(record for members in doubled for record in members),
        )


def _near_across_classes(records: Iterable[ImageRecord]) -> Iterable[Finding]:
    grouped = _spread(records, _group, lambda record: record.label)
    # Exact copies have a finding of their own.
    spread = [members for members in grouped if not _spread(members, lambda r: r.file, lambda r: r.label)]
    if spread:
        yield Finding(
            "near_across_classes",
            "warning",
            f"{_count(spread, 'group')} of near duplicates {'is' if len(spread) == 1 else 'are'} spread over classes.",
            "Look whether each is where it belongs; almost equal images with different names confuse the network.",
            _keys(record for members in spread for record in members),
        )


def _leaking(records: Iterable[ImageRecord]) -> Iterable[Finding]:
    leaking = _spread(records, _group, lambda record: record.split)
    if leaking:
        yield Finding(
            "leaking",
            "warning",
            f"{_count(leaking, 'group')} of near duplicates {'is' if len(leaking) == 1 else 'are'} spread over splits, "
            "so the results will look better than they are.",
            "Move each group to one split, or divide the set anew.",
            _keys(record for members in leaking for record in members),
        )


def _duplicates(records: Iterable[ImageRecord]) -> Iterable[Finding]:
    grouped = _spread(records, _group, lambda record: record.key)
    if grouped:
        extra = sum(len(members) - 1 for members in grouped)
        yield Finding(
            "near_duplicates",
            "note",
            f"{extra:,} image{' is a near duplicate' if extra == 1 else 's are near duplicates'} of others.",
            "They stay in one split; exclude those that add nothing.",
            _keys(record for members in grouped for record in members),
        )


def _small(records: Iterable[ImageRecord]) -> Iterable[Finding]:
    small = [record for record in records if min(record.width, record.height) < SMALL_SIDE]
    if small:
        yield Finding(
            "small",
            "note",
            f"{_count(small, 'image')} {'is' if len(small) == 1 else 'are'} smaller than {SMALL_SIDE} pixels.",
            "They will be enlarged and blurred; use larger originals if there are any.",
            _keys(small),
        )


def _excluded(image_set: ImageSet) -> Iterable[Finding]:
    excluded = [record for record in image_set.images.values() if record.excluded]
    if len(excluded) > LARGE_SHARE * len(image_set.images):
        yield Finding(
            "excluded",
            "note",
            f"{len(excluded):,} of {len(image_set.images):,} images are excluded.",
            "They are neither trained on nor counted; restore them if that was not meant.",
            _keys(excluded),
        )


_BY_CLASS: tuple[Callable[[Classes], Iterable[Finding]], ...] = (
    _one_class,
    _empty_classes,
    _single_images,
    _untrained_classes,
    _unvalidated_classes,
    _imbalance,
    _few,
)
_BY_RECORDS: tuple[Callable[[Iterable[ImageRecord]], Iterable[Finding]], ...] = (
    _leaking,
    _same_image_twice,
    _near_across_classes,
    _small,
    _duplicates,
)


def _group(record: ImageRecord) -> int:
    return record.key if record.group < 0 else record.group


def _spread(
    records: Iterable[ImageRecord], same: Callable[[ImageRecord], object], differs: Callable[[ImageRecord], object]
) -> list[list[ImageRecord]]:
    """Records that are the same in one respect and differ in another, together."""
    gathered: defaultdict[object, list[ImageRecord]] = defaultdict(list)
    for record in records:
        gathered[same(record)].append(record)
    return [members for members in gathered.values() if len({differs(record) for record in members}) > 1]


def _keys(records: Iterable[ImageRecord]) -> tuple[int, ...]:
    return tuple(sorted({record.key for record in records}))


def _names(labels: Iterable[str]) -> str:
    shown = [f"“{label if len(label) <= _LONGEST_NAME else label[: _LONGEST_NAME - 1] + '…'}”" for label in labels]
    if len(shown) > _MOST_NAMES + 1:
        shown[_MOST_NAMES:] = [f"{len(shown) - _MOST_NAMES} more classes"]
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _count(found: list[list[ImageRecord]] | list[ImageRecord], what: str) -> str:
    return f"{len(found):,} {what}{'' if len(found) == 1 else 's'}"
