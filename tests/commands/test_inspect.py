"""`inspect` on the command line: layers, maps and reasons as pictures, and what goes wrong in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cnncore.__main__ import main
from cnncore.analysis.attribution import METHODS as ATTRIBUTIONS
from cnncore.commands.inspect import MAPS, METHODS
from cnncore.images.drawing import drawing_text

Told = tuple[int, str, str]
Call = Callable[..., Told]

NETWORK = "untrained:lenet_tutorial"


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


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(np.random.default_rng(0).integers(255, size=(40, 60, 3), dtype=np.uint8)).save(path)
    return path


def test_its_methods_are_all_there_are() -> None:
    assert (*ATTRIBUTIONS, MAPS) == METHODS


@pytest.mark.parametrize("method", METHODS)
def test_every_method_writes_a_picture_and_says_what_it_shows(
    method: str, photo: Path, tmp_path: Path, cnncore: Call
) -> None:
    out = tmp_path / "out.png"
    code, told, _ = cnncore("inspect", NETWORK, photo, "--method", method, "--out", out)
    assert code == 0
    assert told.startswith(f"{out}: ")
    assert told.count("\n") == 1
    with Image.open(out) as image:
        assert image.mode == "RGB"
        assert (method == MAPS) or image.size == (224, 224)
        assert len(np.unique(np.asarray(image).reshape(-1, 3), axis=0)) > 3


def test_a_small_picture_is_enlarged_without_blurring(photo: Path, tmp_path: Path, cnncore: Call) -> None:
    out = tmp_path / "out.png"
    assert cnncore("inspect", NETWORK, photo, "--method", "occlusion", "--out", out)[0] == 0
    with Image.open(out) as image:
        pixels = np.asarray(image)
    assert np.array_equal(pixels, pixels[::8, ::8].repeat(8, axis=0).repeat(8, axis=1))


def test_json_says_the_class_that_was_asked_for_and_completeness(photo: Path, tmp_path: Path, cnncore: Call) -> None:
    options = ("--class", "daisy", "--set", "steps=64", "--json", "--out", tmp_path / "out.png")
    code, text, _ = cnncore("inspect", NETWORK, photo, "--method", "integrated_gradients", *options)
    told = json.loads(text)
    assert (code, told["network"], told["class"], told["signed"]) == (0, NETWORK, "daisy", True)
    complete = told["completeness"]
    rise = complete["image"] - complete["baseline"]
    assert complete["gap_percent"] == pytest.approx(100 * abs(complete["attributed"] - rise) / abs(rise))


def test_a_picture_by_name_and_one_map_of_a_layer(tmp_path: Path, cnncore: Call) -> None:
    digit = np.zeros((28, 28), np.uint8)
    digit[4:24, 12:16] = 255
    out = tmp_path / "out.png"
    options = ("--method", MAPS, "--layer", "conv1.conv", "--unit", 7, "--json", "--out", out)
    code, text, _ = cnncore("inspect", NETWORK, f"drawn:{drawing_text(digit)}", *options)
    told = json.loads(text)
    assert (code, told["layer"], told["units"]) == (0, "conv1.conv", [7])
    assert told["low"] < told["high"]
    assert out.is_file()


def test_without_a_place_the_picture_is_called_by_its_method(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cnncore: Call
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cnncore("inspect", NETWORK, photo, "--method", "gradient")[1].startswith("gradient.png: Gradient: ")
    assert (tmp_path / "gradient.png").is_file()


def test_layers_are_listed_with_the_one_that_grad_cam_takes(cnncore: Call) -> None:
    code, text, _ = cnncore("inspect", NETWORK, "--layers")
    assert code == 0
    rows = {line.split()[0]: line for line in text.splitlines()}
    assert list(rows) == [
        "layer",
        *(f"conv{n}{part}" for n in (1, 2) for part in (".conv", ".pool", ".activation", "")),
    ]
    told = json.loads(cnncore("inspect", NETWORK, "--layers", "--json")[1])
    assert rows[told["last"]].endswith("usual")
    assert [layer["name"] for layer in told["layers"]] == list(rows)[1:]


def test_what_is_wrong_is_told_in_one_line(photo: Path, tmp_path: Path, cnncore: Call) -> None:
    out = ("--out", tmp_path / "out.png")
    (tmp_path / "text.png").write_text("no")
    lines: tuple[tuple[tuple[object, ...], str], ...] = (
        ((NETWORK, *out), "No picture was named"),
        ((NETWORK, photo, "--out", tmp_path), "cannot be written"),
        ((NETWORK, tmp_path / "nowhere.png", *out), "There is no file"),
        ((NETWORK, tmp_path / "text.png", *out), "not an image"),
        ((NETWORK, "sample:1", *out), "no picture named 'sample:1'"),
        ((NETWORK, photo, *out, "--method", "cam"), "no method named 'cam'"),
        ((NETWORK, photo, *out, "--class", "daisies"), "no class named 'daisies'. Did you mean daisy"),
        ((NETWORK, photo, *out, "--layer", "fc1"), "Grad-CAM cannot take the layer fc1"),
        ((NETWORK, photo, *out, "--layer", "fc1", "--method", MAPS), "The layer fc1 has no maps"),
        ((NETWORK, photo, *out, "--layer", "conv1", "--method", "gradient"), "--layer is for gradcam and maps"),
        ((NETWORK, photo, *out, "--method", MAPS, "--class", "daisy"), "--class is for methods that explain a class"),
        ((NETWORK, photo, *out, "--unit", 1), "--unit is for --method maps"),
        ((NETWORK, photo, *out, "--unit", 50, "--method", MAPS), "has no map 50"),
        ((NETWORK, photo, *out, "--method", "occlusion", "--set", "windows=3"), "Did you mean window"),
        ((NETWORK, photo, *out, "--method", "occlusion", "--set", "window=99"), "cannot have 99 pixels"),
        (("backbone:lenet", photo, *out), "no backbone named 'lenet'"),
        (("nothing", photo, *out), "There is no run"),
    )
    for arguments, words in lines:
        code, _, error = cnncore("inspect", *arguments)
        assert code == 2, words
        assert error.startswith("error: ")
        assert words in error
        assert error.count("\n") == 1


def test_predict_takes_backbones(photo: Path, cnncore: Call) -> None:
    code, text, _ = cnncore("predict", "backbone:efficientnet_lite0", photo, "--json")
    told = json.loads(text)
    assert (code, told["backbone"], told["familiarity"]) == (0, "efficientnet_lite0", None)
    assert len(told["images"][0]["classes"]) == 5
    code, _, error = cnncore("predict", "backbone:efficientnet_lite9", photo)
    assert (code, error.count("\n")) == (2, 1)
    assert "Did you mean efficientnet_lite0" in error
