"""What is in a bundle, and that its script says in a bare interpreter what PyTorch says here."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

from cnncore.bundle.writing import script, write_bundle
from cnncore.errors import RunError
from cnncore.images.decode import decode_image
from cnncore.places import PROJECT_ROOT
from cnncore.runs.artifacts import run_dir
from cnncore.runs.bundle_files import BUNDLE, CONTENTS, bundle_card
from cnncore.runs.store import RunStore
from cnncore.training.checkpoint import card_preprocessing, load_model
from tests.bundle.conftest import Lab, pictures, train

ALLOWED = ("onnxruntime", "PIL", "numpy", "flatbuffers", "google", "packaging")
"""Packages the script may import: those it names and what they need."""


def unpacked(bundle: Path, folder: Path) -> Path:
    with zipfile.ZipFile(bundle) as archive:
        assert archive.testzip() is None
        archive.extractall(folder)
    return folder


def bare_interpreter(folder: Path) -> list[str]:
    """A Python that sees the standard library and `ALLOWED` only, and ends with an error if torch was there."""
    place = folder / "site"
    place.mkdir()
    for name in ALLOWED:
        spec = importlib.util.find_spec(name)
        for found in (spec.submodule_search_locations or ()) if spec else ():
            libraries = {"PIL": "pillow.libs"}.get(name, f"{name}.libs")
            for path in (Path(found), Path(found).with_name(libraries)):
                if path.is_dir():
                    (place / path.name).symlink_to(path)
    code = (
        "import runpy, sys; "
        f"sys.path.append({str(place)!r}); sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__'); "
        "import importlib.util; "
        "assert not [name for name in ('torch', 'cnncore', 'torchvision') if importlib.util.find_spec(name)]"
    )
    return [sys.executable, "-I", "-S", "-c", code]


def said(text: str) -> dict[str, dict[str, float]]:
    """Probabilities by class, by image, as the script prints them."""
    found: dict[str, dict[str, float]] = {}
    current: dict[str, float] = {}
    for line in text.splitlines():
        if not line.startswith(" "):
            current = found.setdefault(line, {})
        else:
            share, _, name = line.strip().partition("%  ")
            current[name] = float(share) / 100
    return found


@torch.inference_mode()
def expected(lab: Lab, paths: list[Path]) -> dict[str, dict[str, float]]:
    model, card = load_model(run_dir(lab.artifacts, lab.run.id))
    how = card_preprocessing(card)
    batch = np.stack([how.normalized(decode_image(path, how)) for path in paths])
    shares = model(torch.from_numpy(batch)).softmax(dim=1).numpy()
    return {
        str(path): dict(zip(card["classes"], row.tolist(), strict=True))
        for path, row in zip(paths, shares, strict=True)
    }


@pytest.mark.slow
def test_the_script_says_what_pytorch_says_without_torch(lab: Lab, tmp_path: Path) -> None:
    folder = unpacked(lab.bundle, tmp_path / "taken away")
    paths = pictures(tmp_path / "pictures")
    command = [*bare_interpreter(tmp_path), str(folder / "classify.py"), *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    ours, theirs = expected(lab, paths), said(done.stdout)
    assert list(theirs) == [str(path) for path in paths]
    for name, shares in theirs.items():
        assert list(shares.values()) == sorted(shares.values(), reverse=True)
        for label, share in shares.items():
            assert share == pytest.approx(ours[name][label], abs=2e-3), name
    spread = np.array([list(shares.values()) for shares in ours.values()])
    assert np.ptp(spread, axis=0).max() > 0.3


def test_the_script_is_short() -> None:
    code = [line for line in script().splitlines() if line and not line.lstrip().startswith(('"""', "#"))]
    assert len(code) <= 32
    assert "cnncore" not in script()


def test_everything_is_in_it_and_described(lab: Lab) -> None:
    with zipfile.ZipFile(lab.bundle) as archive:
        names = archive.namelist()
        sizes = {member.filename: member.file_size for member in archive.infolist()}
        card = archive.read("MODEL_CARD.md").decode()
    assert set(names) == set(CONTENTS)
    assert all(f"`{name}`" in card for name in names)
    facts = bundle_card(run_dir(lab.artifacts, lab.run.id))
    assert facts is not None
    assert facts["files"] == sizes
    assert facts["bytes"] == lab.bundle.stat().st_size
    assert facts["max_difference"] < 1e-4


def test_the_card_tells_what_was_measured(lab: Lab) -> None:
    with zipfile.ZipFile(lab.bundle) as archive:
        card = archive.read("MODEL_CARD.md").decode()
        record = json.loads(archive.read("record.json"))
        rows = archive.read("log.csv").decode().splitlines()
    summary = lab.run.summary
    assert f"**{summary['test_accuracy']:.1%}** of 12 test images" in card
    assert "95 % interval" in card
    assert "# My \\*things\\*" in card
    assert "| one | 6 | 2 | 4 |" in card
    assert "| all | 18 | 6 | 12 |" in card
    assert "It was trained from random weights." in card
    assert "hidden layer of 24 units" in card
    assert "resized to 37 pixels (bilinear)" in card
    assert record["results"]["test_count"] == 12
    assert record["counts"] == {"train": [6] * 3, "validation": [2] * 3, "test": [4] * 3}
    assert len(rows) > 3


def test_no_path_of_this_machine_leaves_it(lab: Lab) -> None:
    with zipfile.ZipFile(lab.bundle) as archive:
        texts = [archive.read(name) for name in archive.namelist() if not name.endswith((".onnx", ".safetensors"))]
        onnx = archive.read("model.onnx")
    assert lab.run.config["data"]["path"]
    for content in (*texts, onnx):
        assert str(lab.artifacts.parent).encode() not in content
        assert str(PROJECT_ROOT).encode() not in content
        assert sys.prefix.encode() not in content


def test_a_bundle_of_other_weights_is_not_offered(lab: Lab, tmp_path: Path) -> None:
    folder = run_dir(lab.artifacts, lab.run.id)
    weights = folder / "model.safetensors"
    content, times = weights.read_bytes(), weights.stat()
    try:
        weights.write_bytes(content + b" ")
        assert bundle_card(folder) is None
    finally:
        weights.write_bytes(content)
        import os

        os.utime(weights, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert bundle_card(folder) is not None


def test_without_weights_there_is_no_bundle(store: RunStore, artifacts: Path, data_root: Path) -> None:
    run = store.create({}, name="Empty", status="finished")
    with pytest.raises(RunError, match="no trained weights"):
        write_bundle(store, artifacts, data_root, run)
    assert not (artifacts / run.id / BUNDLE).exists()


def test_validation_images_are_named_as_such_where_there_is_no_test(tmp_path: Path) -> None:
    for name in ("one", "two"):
        for number in range(8):
            path = tmp_path / "photographs" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            from tests.bundle.conftest import photograph

            photograph(number, 20, 20).save(path)
    store = RunStore(f"sqlite:///{tmp_path / 'lab.db'}")
    settings = {"data.dataset": "folder", "data.path": str(tmp_path / "photographs"), "data.image_size": 28}
    run = train(tmp_path, store, **settings, **{"data.validation": 0.5, "model.name": "lenet_tutorial"})
    assert run.status == "finished", run.error
    path = write_bundle(store, tmp_path / "runs", tmp_path / "data", run)
    with zipfile.ZipFile(path) as archive:
        card = archive.read("MODEL_CARD.md").decode()
    assert "of 8 validation images" in card
    assert "a little too good" in card
    store.engine.dispose()
