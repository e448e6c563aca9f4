"""`images` on the command line: a set from nothing to divided, deleted and restored; mistakes are one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cnncore.__main__ import main
from tests.photographs import write_photographs

Told = tuple[int, str, str]
Call = Callable[..., Told]


@pytest.fixture(autouse=True)
def _own_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CNNLAB_DATA", str(tmp_path / "data"))


@pytest.fixture
def images(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["cnncore", "images", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        assert isinstance(end.value.code, int)
        told = capsys.readouterr()
        return end.value.code, told.out, told.err

    return call


def facts(told: Told) -> list[dict[str, Any]]:
    assert told[0] == 0, told[2]
    return [json.loads(line) for line in told[1].splitlines()]


def test_a_set_from_pictures_to_restored(tmp_path: Path, images: Call) -> None:
    folder = write_photographs(tmp_path / "photos") / "train"
    code, text, _ = images("add", "Things", folder)
    assert code == 0
    assert "added" in text
    (made,) = facts(images("list", "--json"))
    labels = [row["class"] for row in made["classes"]]
    assert made["name"] == "Things"
    assert len(labels) > 1
    assert facts(images("show", made["set"][:6], "--json")) == [made]

    (again,) = facts(images("add", "Things", folder, "--json"))
    assert again == made

    (divided,) = facts(images("divide", "Things", "--validation", "0.5", "--seed", "3", "--json"))
    assert sum(row["validation"] for row in divided["classes"]) == pytest.approx(made["images"] / 2, abs=len(labels))
    (undone,) = facts(images("undo", "Things", "--json"))
    assert undone["classes"] == made["classes"]

    (merged,) = facts(images("merge", "Things", *labels, "--into", "one", "--json"))
    assert [row["class"] for row in merged["classes"]] == ["one"]
    assert merged["findings"][0]["kind"] == "one_class"
    assert facts(images("show", made["reference"], "--json")) == [made]

    (renamed,) = facts(images("rename", "Things", "Other things", "--json"))
    assert renamed["name"] == "Other things"
    assert "restore" in images("delete", made["set"])[1]
    assert facts(images("list", "--json")) == []
    assert [each["set"] for each in facts(images("list", "--deleted", "--json"))] == [made["set"]]
    assert facts(images("restore", made["set"], "--json"))[0]["set"] == made["set"]


def test_a_sample_set_and_what_stands_out(images: Call) -> None:
    code, text, _ = images("sample", "digits")
    assert code == 0
    assert "Three digits" in text
    assert "note: 300 images are smaller than 32 pixels." in text
    assert "Three digits" in images()[1]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "nothing"), "There is no image set 'nothing'"),
        (("sample", "digitz"), "Did you mean digits?"),
        (("add", "New", "/no/such/folder"), "folder"),
        (("merge", "nothing", "a"), "There is no image set"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], expected: str, images: Call) -> None:
    code, text, error = images(*arguments)
    assert (code, text) == (2, "")
    assert expected in error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    # Nothing half made is left over.
    assert images("list", "--json")[1] == ""
