"""The differences between two versions of an image set."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cnncore.images.changes import Change, changes_between
from cnncore.images.image_set import ImageRecord, ImageSet

RECORDS = {
    key: ImageRecord(
        key=key, file=f"{key}.png", name=f"{key}.png", label="ab"[key % 2], width=8, height=8, num_bytes=64
    )
    for key in range(4)
}
BEFORE = ImageSet(id="0123456789ab", version=3, name="s", owner="", created=0.0, classes=("a", "b"), images=RECORDS)


def after(**changed: object) -> ImageSet:
    key = int(str(changed.pop("key", 0)))
    return replace(BEFORE, version=4, images=RECORDS | {key: replace(RECORDS[key], **changed)})  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"label": "b"}, [Change(kind="moved", keys=(0,), old="a", new="b")]),
        ({"excluded": True}, [Change(kind="excluded", keys=(0,), old="a")]),
        # What is left out concerns no training, whatever its class.
        ({"excluded": True, "label": "b"}, [Change(kind="excluded", keys=(0,), old="a")]),
        ({"split": "validation"}, [Change(kind="divided", keys=(0,), old="train", new="validation")]),
    ],
)
def test_one_image(changed: dict[str, object], expected: list[Change]) -> None:
    assert list(changes_between(BEFORE, after(**changed))) == expected


def test_images_that_changed_alike_are_one_change() -> None:
    images = {key: replace(record, label="b") for key, record in RECORDS.items()}
    assert changes_between(BEFORE, replace(BEFORE, images=images)) == (
        Change(kind="moved", keys=(0, 2), old="a", new="b"),
    )


def test_restored_and_added_images() -> None:
    without = replace(BEFORE, images={0: replace(RECORDS[0], excluded=True), 1: RECORDS[1], 2: RECORDS[2]})
    assert changes_between(without, BEFORE) == (
        Change(kind="restored", keys=(0,), new="a"),
        Change(kind="added", keys=(3,), new="b"),
    )
    gone = replace(BEFORE, images=RECORDS | {4: replace(RECORDS[0], key=4, excluded=True)})
    assert changes_between(BEFORE, gone) == ()
