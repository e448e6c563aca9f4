"""A bundle opened again is the same network with the same results; what is no sound bundle is refused in a sentence."""

from __future__ import annotations

import errno
import io
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from cnncore.bundle.reading import read_bundle
from cnncore.bundle.writing import write_bundle
from cnncore.errors import LabError
from cnncore.questions import QUESTIONS
from cnncore.runs.artifacts import run_dir
from cnncore.runs.store import RunStore
from cnncore.runs.uploads import keep_upload
from cnncore.training.checkpoint import card_preprocessing, load_model
from cnncore.training.familiarity import load_familiarity
from tests.bundle.conftest import Lab

Files = dict[str, bytes]


def files_of(bundle: Path) -> Files:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(files: Files, path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


@torch.inference_mode()
def test_the_network_is_the_same(lab: Lab, store: RunStore, artifacts: Path) -> None:
    run = read_bundle(store, artifacts, lab.bundle)
    assert (run.kind, run.status, run.name) == ("import", "finished", lab.run.name)
    (before, card_before), (after, card) = (
        load_model(run_dir(root, run_id)) for root, run_id in ((lab.artifacts, lab.run.id), (artifacts, run.id))
    )
    images = torch.randn(5, *card["in_shape"], generator=torch.Generator().manual_seed(0))
    assert torch.equal(before(images), after(images))
    assert card["classes"] == card_before["classes"]
    assert card_preprocessing(card) == card_preprocessing(card_before)
    assert card["run"] == run.id
    assert card["config"]["transfer"]["hidden_units"] == 24


def test_the_results_are_as_written(lab: Lab, store: RunStore, artifacts: Path) -> None:
    run = read_bundle(store, artifacts, lab.bundle, "shared.zip")
    for name in ("test_accuracy", "test_count", "best_val_accuracy", "num_params", "num_train", "elapsed_s", "epochs"):
        assert run.summary[name] == lab.run.summary[name], name
    assert run.summary["classes"] == ["one", "three", "two"]
    assert run.summary["imported_from"] == "shared.zip"
    assert run.config["data"]["path"] is None
    assert store.get(run.id) == run


def test_the_service_reads_an_upload(lab: Lab, store: RunStore, artifacts: Path) -> None:
    token = keep_upload(artifacts, lab.bundle.read_bytes())
    answer = QUESTIONS["read_bundle"]({"upload": token, "label": "mine.zip"})
    assert store.get(answer.data["run"]).summary["imported_from"] == "mine.zip"


def test_what_is_familiar_comes_along(lab: Lab, store: RunStore, artifacts: Path) -> None:
    run = read_bundle(store, artifacts, lab.bundle)
    ours, theirs = (
        load_familiarity(run_dir(root, key)) for root, key in ((lab.artifacts, lab.run.id), (artifacts, run.id))
    )
    assert ours is not None
    assert theirs is not None
    assert np.array_equal(ours.features, theirs.features)
    assert set(theirs.keys.tolist()) == {""}
    assert (ours.threshold, ours.held_out, ours.own) == (theirs.threshold, theirs.held_out, theirs.own)


def test_what_was_opened_can_be_taken_away_again(lab: Lab, store: RunStore, artifacts: Path, data_root: Path) -> None:
    run = read_bundle(store, artifacts, lab.bundle)
    again = files_of(write_bundle(store, artifacts, data_root, run))
    first = files_of(lab.bundle)
    assert again.keys() == first.keys()
    assert again["preprocessing.json"] == first["preprocessing.json"]
    assert load(again["model.safetensors"]).keys() == load(first["model.safetensors"]).keys()
    card, card_before = (files["MODEL_CARD.md"].decode() for files in (again, first))
    (line,) = (line for line in card_before.splitlines() if "test images were told right" in line)
    assert line in card
    assert "18 training, 6 validation, 12 test images." in card


def test_it_may_lie_in_a_folder_of_the_zip(lab: Lab, store: RunStore, artifacts: Path, tmp_path: Path) -> None:
    files = {f"my network/{name}": content for name, content in files_of(lab.bundle).items()}
    path = packed(files | {"__MACOSX/my network/._record.json": b"junk"}, tmp_path / "again.zip")
    assert read_bundle(store, artifacts, path).status == "finished"


def test_what_is_not_read_may_be_missing(lab: Lab, store: RunStore, artifacts: Path, tmp_path: Path) -> None:
    kept = ("record.json", "classes.json", "preprocessing.json", "model.safetensors")
    files = {name: content for name, content in files_of(lab.bundle).items() if name in kept}
    run = read_bundle(store, artifacts, packed(files, tmp_path / "less.zip"))
    assert load_familiarity(run_dir(artifacts, run.id)) is None


def _changed(name: str, change: Callable[[Any], Any]) -> Callable[[Files], Files]:
    return lambda files: files | {name: json.dumps(change(json.loads(files[name]))).encode()}


def _tensors(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Callable[[Files], Files]:
    return lambda files: files | {"model.safetensors": save(change(load(files["model.safetensors"])))}


def _torch_save(files: Files) -> Files:
    buffer = io.BytesIO()
    torch.save(load(files["model.safetensors"]), buffer)
    return files | {"model.safetensors": buffer.getvalue()}


SPOILED: dict[str, tuple[Callable[[Files], Files], str]] = {
    "no record": (lambda files: {n: c for n, c in files.items() if n != "record.json"}, "record.json is not in it"),
    "no weights": (lambda files: {n: c for n, c in files.items() if n != "model.safetensors"}, "no bundle"),
    "no JSON": (lambda files: files | {"record.json": b"{"}, "record.json in the ZIP is damaged"),
    "deep JSON": (lambda files: files | {"classes.json": b"[" * 100_000}, "classes.json in the ZIP is damaged"),
    "no text": (lambda files: files | {"classes.json": b"\xff\xfe\x00"}, "classes.json in the ZIP is damaged"),
    "a list for a record": (_changed("record.json", lambda record: [record]), "record.json in the ZIP does not hold"),
    "a later format": (_changed("record.json", lambda record: record | {"format": 2}), "record.json in the ZIP"),
    "a result that cannot be": (
        _changed("record.json", lambda record: record | {"results": {"test_accuracy": 7}}),
        "record.json in the ZIP",
    ),
    "an unknown network": (
        _changed("record.json", lambda r: r | {"config": r["config"] | {"model": {"name": "resnet19"}}}),
        "resnet19",
    ),
    "an unknown setting": (
        _changed("record.json", lambda r: r | {"config": r["config"] | {"surprise": 1}}),
        "another version of the lab",
    ),
    "another network": (
        _changed("record.json", lambda r: r | {"config": r["config"] | {"model": {"name": "resnet20"}}}),
        "the tensor",
    ),
    "one class": (_changed("classes.json", lambda classes: classes[:1]), "classes.json in the ZIP does not hold"),
    "a class too many": (_changed("classes.json", lambda classes: [*classes, "four"]), "3"),
    "classes that are no names": (_changed("classes.json", lambda classes: [1, 2, 3]), "classes.json"),
    "other pixels": (_changed("preprocessing.json", lambda how: how | {"size": 64}), "do not agree"),
    "impossible pixels": (_changed("preprocessing.json", lambda how: how | {"crop": 0}), "preprocessing.json"),
    "a missing tensor": (_tensors(lambda t: dict(list(t.items())[1:])), "misses the tensor"),
    "a tensor too many": (_tensors(lambda t: t | {"extra": torch.zeros(1)}), "too much: the tensor extra"),
    "no numbers": (_tensors(lambda t: {n: v * float("nan") for n, v in t.items()}), "no numbers"),
    "weights as a pickle": (_torch_save, "no safetensors file"),
    "cut weights": (lambda f: f | {"model.safetensors": f["model.safetensors"][:-100]}, "damaged"),
    "no bytes of weights": (lambda f: f | {"model.safetensors": b""}, "no safetensors file"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_spoiled_bundles_are_refused(name: str, lab: Lab, store: RunStore, artifacts: Path, tmp_path: Path) -> None:
    spoil, expected = SPOILED[name]
    path = packed(spoil(files_of(lab.bundle)), tmp_path / "spoiled.zip")
    with pytest.raises(LabError) as refused:
        read_bundle(store, artifacts, path)
    assert expected in str(refused.value)
    assert store.list() == ()


def test_hostile_zips_are_refused(lab: Lab, store: RunStore, artifacts: Path, tmp_path: Path) -> None:
    files = files_of(lab.bundle)
    path = tmp_path / "hostile.zip"

    def refused(expected: str) -> None:
        with pytest.raises(LabError, match=expected):
            read_bundle(store, artifacts, path)
        assert store.list() == ()

    path.write_text("no ZIP at all")
    refused("not a ZIP")
    path.write_bytes(lab.bundle.read_bytes()[: len(lab.bundle.read_bytes()) // 2])
    refused("not a ZIP")
    packed({("../" + name if name == "record.json" else name): content for name, content in files.items()}, path)
    refused("record.json was not read")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            member = zipfile.ZipInfo(name)
            if name == "classes.json":
                member.external_attr = (stat.S_IFLNK | 0o777) << 16
            archive.writestr(member, content)
    refused("classes.json was not read")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, b" " * 50_000_000 + content if name == "record.json" else content)
    refused("record.json was not read")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, bytes(50_000_000) if name == "model.safetensors" else content)
    refused("model.safetensors unpacks to a multiple")
    packed(files | {"again/record.json": files["record.json"]}, path)
    refused("record.json twice")
    assert not list(tmp_path.parent.glob("record.json"))


def test_what_a_record_says_beyond_reason_is_not_taken_over(
    lab: Lab, store: RunStore, artifacts: Path, tmp_path: Path
) -> None:
    def lie(record: dict[str, Any]) -> dict[str, Any]:
        data = record["config"]["data"] | {"path": "/etc"}
        results = record["results"] | {"train_loss": float("nan"), "spark_loss": [1.0, float("inf")]}
        return record | {"config": record["config"] | {"data": data}, "results": results, "name": "\u202eone \x00two"}

    spoiled = packed(_changed("record.json", lie)(files_of(lab.bundle)), tmp_path / "lies.zip")
    run = read_bundle(store, artifacts, spoiled)
    assert run.name == "one two"
    assert run.config["data"]["path"] is None
    assert run.summary["spark_loss"] == [1.0, None]
    assert "train_loss" not in run.summary


def test_a_full_disk_is_a_sentence(lab: Lab, store: RunStore, artifacts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("cnncore.bundle.reading.tempfile.NamedTemporaryFile", full)
    with pytest.raises(LabError, match="No space left on device"):
        read_bundle(store, artifacts, lab.bundle)
    assert store.list() == ()
