from __future__ import annotations

import pytest

from cnncore.images.layout import Place, is_junk, places, unread

LAYOUTS = {
    "classes": (["cats/0.png", "dogs/0.png"], [("cats", None), ("dogs", None)]),
    "below a folder": (["ds/cats/0.png", "ds/more/dogs/0.png"], [("cats", None), ("dogs", None)]),
    "train and test": (["ds/train/cats/0.png", "ds/test/cats/1.png"], [("cats", None), ("cats", "test")]),
    "train, val and test": (
        ["train/cats/0.png", "val/cats/1.png", "test/cats/2.png"],
        [("cats", "train"), ("cats", "validation"), ("cats", "test")],
    ),
    "other names": (["Train/cats/0.png", "valid/cats/1.png"], [("cats", "train"), ("cats", "validation")]),
    "no folder": (["0.png", "cats/1.png"], [(None, None), ("cats", None)]),
    "splits without classes": (["train/0.png", "ds/test/1.png", "2.png"], [(None, None)] * 3),
    "a class called train": (["vehicles/train/0.png", "vehicles/bus/0.png"], [("train", None), ("bus", None)]),
    "nothing": ([], []),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_folders_say_class_and_split(layout: str) -> None:
    names, expected = LAYOUTS[layout]
    assert places(names) == [Place(*place) for place in expected]


@pytest.mark.parametrize(
    "name", ["__MACOSX/cats/._0.png", "cats/.DS_Store", ".git/x.png", "cats/Thumbs.db", "notes.txt", "desktop.ini", "x"]
)
def test_what_computers_leave_behind_is_passed_over(name: str) -> None:
    assert is_junk(name)


def test_pictures_and_what_a_person_may_take_for_one_are_not() -> None:
    assert not any(map(is_junk, ["cats/0.JPG", "cats/0.heic", "cats/more.zip"]))
    assert unread("cats/0.JPG") == ""
    assert "HEIC are not read. Convert it" in unread("cats/0.heic")
    assert "Unpack it first" in unread("cats/more.tar.gz")
