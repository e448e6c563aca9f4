"""Every edit: what it does, what it leaves alone, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from cnncore.errors import DataError
from cnncore.images.edits import (
    AddClass,
    AddImages,
    Divide,
    Edit,
    ExcludeImages,
    MergeClasses,
    MoveImages,
    MoveToSplit,
    RemoveClass,
    RenameClass,
    RestoreImages,
    StoredEdit,
    Undo,
)
from cnncore.images.image_set import Division, ImageSet
from tests.images.pictures import record

EMPTY = ImageSet(id="", name="", owner="", version=0, created=0)
LABELS = ("cats", "cats", "dogs", "dogs", "birds", "birds")
PETS = AddImages(
    images=tuple(record(key, label, split="validation" if key % 2 else "train") for key, label in enumerate(LABELS))
).apply(EMPTY)


def labels(state: ImageSet) -> str:
    return " ".join(f"{'-' * record.excluded}{record.label}" for _, record in sorted(state.images.items()))


def splits(state: ImageSet) -> list[str]:
    return [record.split for _, record in sorted(state.images.items())]


def test_images_bring_their_classes() -> None:
    assert PETS.classes == ("cats", "dogs", "birds")
    assert PETS.next_key == 6
    assert EMPTY.images == {}


def test_images_are_numbered_for_one_version() -> None:
    with pytest.raises(DataError, match="numbered for another version"):
        AddImages(images=(record(5),)).apply(PETS)
    more = AddImages(images=(record(6), record(7, "fish"))).apply(PETS)
    assert (more.classes, more.next_key) == (("cats", "dogs", "birds", "fish"), 8)


CHANGES: dict[str, tuple[Any, tuple[str, ...], str]] = {
    "add": (AddClass(name=" fish "), ("cats", "dogs", "birds", "fish"), "cats cats dogs dogs birds birds"),
    "rename": (
        RenameClass(old="dogs", new="hounds"),
        ("cats", "hounds", "birds"),
        "cats cats hounds hounds birds birds",
    ),
    "rename in case only": (
        RenameClass(old="cats", new="CATS"),
        ("CATS", "dogs", "birds"),
        "CATS CATS dogs dogs birds birds",
    ),
    "merge": (
        MergeClasses(names=("dogs", "birds"), into="birds"),
        ("cats", "birds"),
        "cats cats birds birds birds birds",
    ),
    "merge under a new name": (
        MergeClasses(names=("cats", "dogs"), into="Dogs"),
        ("Dogs", "birds"),
        "Dogs Dogs Dogs Dogs birds birds",
    ),
    "remove": (RemoveClass(name="cats"), ("dogs", "birds"), "-cats -cats dogs dogs birds birds"),
    "move": (MoveImages(keys=(0, 5, 0), label="dogs"), ("cats", "dogs", "birds"), "dogs cats dogs dogs birds dogs"),
    "exclude": (ExcludeImages(keys=(1, 2)), ("cats", "dogs", "birds"), "cats -cats -dogs dogs birds birds"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_keeps_every_split(name: str) -> None:
    edit, classes, expected = CHANGES[name]
    after = edit.apply(PETS)
    assert after.classes == classes
    assert labels(after) == expected
    assert splits(after) == splits(PETS)


def test_excluded_images_come_back_where_they_were() -> None:
    left_out = ExcludeImages(keys=(1, 2)).apply(PETS)
    assert RestoreImages(keys=(1, 2)).apply(left_out) == PETS


def test_images_of_a_removed_class_bring_it_back() -> None:
    removed = RemoveClass(name="cats").apply(PETS)
    back = RestoreImages(keys=(1,)).apply(removed)
    assert back.classes == ("dogs", "birds", "cats")
    assert labels(back) == "-cats cats dogs dogs birds birds"
    other = RestoreImages(keys=(1,)).apply(AddClass(name="Cats").apply(removed))
    assert (other.classes, other.images[1].label) == (("dogs", "birds", "Cats"), "Cats")


def test_images_move_to_a_split() -> None:
    assert splits(MoveToSplit(keys=(0, 1), split="test").apply(PETS))[:3] == ["test", "test", "train"]


def test_a_division_is_stored_with_what_it_assigned() -> None:
    state = AddImages(images=tuple(record(key, "cats" if key < 20 else "dogs") for key in range(40))).apply(EMPTY)
    state = ExcludeImages(keys=(0, 1)).apply(state)
    edit = Divide(division=Division(validation=0.25, test=0.25, seed=3)).settled(state)
    assert isinstance(edit, Divide)
    assert edit.splits is not None
    assert set(edit.splits) == set(range(40))
    after = edit.apply(state)
    assert after.division == Division(validation=0.25, test=0.25, seed=3)
    assert {split: splits(after).count(split) for split in ("train", "validation", "test")} == pytest.approx(
        {"train": 20, "validation": 10, "test": 10}, abs=2
    )


REFUSED: dict[str, tuple[Any, str]] = {
    "no such class": (RenameClass(old="fish", new="x"), "There is no class “fish”"),
    "class is there": (AddClass(name="cats"), "There is a class “cats” already"),
    "only case differs": (AddClass(name="CATS"), "the class “cats” differ only in upper and lower case"),
    "rename onto another": (RenameClass(old="cats", new="Dogs"), "the class “dogs” differ only"),
    "merge one": (MergeClasses(names=("cats", "cats"), into="kittens"), "at least two classes"),
    "merge into a third in case only": (
        MergeClasses(names=("cats", "dogs"), into="Birds"),
        "class “birds” differ only",
    ),
    "no such image": (MoveImages(keys=(99,), label="cats"), "There is no image 99"),
    "move to nowhere": (MoveImages(keys=(0,), label="fish"), "There is no class “fish”"),
    "images of a class in case only": (AddImages(images=(record(6, "CATS"),)), "the class “cats” differ only"),
    "a class that is not clean": (AddImages(images=(record(6, " fish"),)), "not in its clean form"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_impossible_is_one_sentence(name: str) -> None:
    edit, message = REFUSED[name]
    with pytest.raises(DataError, match=message):
        edit.apply(PETS)


@pytest.mark.parametrize("shares", [(0.5, 0.5), (-0.1, 0.2), (1.0, 0.0)])
def test_impossible_shares_are_refused(shares: tuple[float, float]) -> None:
    with pytest.raises(DataError, match="less than 100 %"):
        Divide(division=Division(validation=shares[0], test=shares[1])).settled(PETS)


@pytest.mark.parametrize(
    "edit", [*(edit for edit, _, _ in CHANGES.values()), Undo(to=0), Divide(division=Division(), splits={0: "test"})]
)
def test_an_edit_survives_json(edit: Edit) -> None:
    stored = TypeAdapter(StoredEdit)
    assert stored.validate_json(stored.dump_json(edit)) == edit
