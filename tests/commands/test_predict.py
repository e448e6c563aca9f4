"""`predict` on the command line: a table, JSON, Grad-CAM as a picture, and what goes wrong in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from cnncore.__main__ import main
from cnncore.runs.store import RunStore
from tests.photographs import photo_config, trained, write_photographs

Told = tuple[int, str, str]
Call = Callable[..., Told]


@pytest.fixture
def run(store: RunStore, artifacts: Path, data_root: Path, tmp_path: Path) -> str:
    return trained(store, artifacts, data_root, photo_config(write_photographs(tmp_path / "photos"))).id


@pytest.fixture
def cnncore(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    def call(*arguments: object) -> Told:
        monkeypatch.setattr(sys, "argv", ["cnncore", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            main()
        assert isinstance(end.value.code, int)
        told = capsys.readouterr()
        return end.value.code, told.out, told.err

    return call


def test_a_folder_is_a_table_and_json_says_the_same(run: str, tmp_path: Path, cnncore: Call) -> None:
    folder = tmp_path / "photos" / "val"
    code, table, _ = cnncore("predict", run[:8], folder)
    assert code == 0
    lines = [line for line in table.splitlines() if ".jpg" in line]
    code, text, _ = cnncore("predict", run, folder, "--json")
    told = json.loads(text)
    assert told["run"] == run
    assert told["familiarity"]["held_out"] == 24
    assert len(lines) == len(told["images"]) == 24
    for line, each in zip(lines, told["images"], strict=True):
        first = next(iter(each["classes"]))
        assert f"  {first} {each['classes'][first]:.1%}" in line
        assert ("none of these" in line) == each["unfamiliar"]


def test_grad_cam_is_a_picture_of_what_the_network_saw(run: str, tmp_path: Path, cnncore: Call) -> None:
    photo, out = tmp_path / "photos/val/red/00.jpg", tmp_path / "heat.png"
    code, told, _ = cnncore("predict", run, photo, "--grad-cam", out, "--class", "green")
    assert code == 0
    assert "where it sees green" in told
    with Image.open(out) as image:
        assert (image.size, image.mode) == ((24, 24), "RGB")


def test_what_is_wrong_is_told_in_one_line(run: str, tmp_path: Path, cnncore: Call) -> None:
    photo = tmp_path / "photos/val/red/00.jpg"
    (tmp_path / "text.jpg").write_text("no")
    (tmp_path / "empty").mkdir()
    code, told, _ = cnncore("predict", run, tmp_path / "text.jpg", photo)
    assert code == 1
    assert "not an image" in told
    assert "00.jpg  " in told
    lines: tuple[tuple[tuple[object, ...], str], ...] = (
        ((run, tmp_path / "nowhere.jpg"), "There is no file or folder"),
        ((run, tmp_path / "empty"), "holds no image"),
        ((run, photo, photo, "--grad-cam", tmp_path / "x.png"), "--grad-cam shows one image"),
        ((run, photo, "--grad-cam", tmp_path / "x.png", "--class", "purple"), "no class 'purple'"),
        ((run, photo, "--grad-cam", tmp_path), "cannot be written"),
        (("nothing", photo), "There is no run"),
    )
    for arguments, words in lines:
        code, _, error = cnncore("predict", *arguments)
        assert code == 2, words
        assert error.startswith("error: ")
        assert words in error
        assert error.count("\n") == 1
