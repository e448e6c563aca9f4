"""A file of weights becomes a run that is scored, inspected and trained on like a trained one."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from cnncore.__main__ import main
from cnncore.analysis.evaluation import evaluate_run
from cnncore.catalog import MODELS
from cnncore.config import TrainConfig, replace
from cnncore.data import open_images
from cnncore.errors import DataError, LabError, WeightsError
from cnncore.models import build_model
from cnncore.models.weights import Fitted
from cnncore.runs.artifacts import TEST, WEIGHTS, load_evaluation, run_dir
from cnncore.runs.store import Run, RunStore
from cnncore.training.api import carry_out, train
from cnncore.training.checkpoint import load_checkpoint, load_model, weights_card
from cnncore.training.imports import ImportRequest, import_weights, store_import, usual_normalization
from tests.models.renaming import cifar_names

SMALL: dict[str, Any] = {
    "model.name": "resnet20",
    "model.width": 0.25,
    "data.train_images": 200,
    "training.batch_size": 50,
    "training.epochs": 2,
    "training.precision": "fp32",
}


@pytest.fixture
def config() -> TrainConfig:
    return replace(TrainConfig(), SMALL)


@pytest.fixture
def trained(store: RunStore, artifacts: Path, config: TrainConfig) -> Run:
    return store.get(train(config).run)


def bring_in(store: RunStore, artifacts: Path, data_root: Path, file: Path, config: TrainConfig, **more: Any) -> Run:
    request = ImportRequest(file=file, label=file.name, config=config, **more)
    return import_weights(store, artifacts, data_root, request)


def own_weights(artifacts: Path, run: Run) -> dict[str, torch.Tensor]:
    return load_file(run_dir(artifacts, run.id) / WEIGHTS)


def test_an_export_under_other_names_scores_exactly_as_before(
    store: RunStore, artifacts: Path, data_root: Path, trained: Run, config: TrainConfig, tmp_path: Path
) -> None:
    renamed = cifar_names(own_weights(artifacts, trained), "akamaster")
    file = tmp_path / "resnet20.th"
    torch.save({"state_dict": {f"module.{name}": value for name, value in renamed.items()}}, file)
    run = bring_in(store, artifacts, data_root, file, config)
    assert (run.kind, run.status, run.name) == ("import", "finished", "ResNet-20 from resnet20.th")
    assert run.summary["imported_by"] == "the usual names of CIFAR ResNets"
    assert run.summary["imported_from"] == "resnet20.th"
    assert run.summary["imported_tensors"] == len(renamed)
    assert run.summary["num_params"] == trained.summary["num_params"]
    assert set(store.artifacts(run.id)) == {"model.safetensors", "model.json"}
    assert (
        load_model(run_dir(artifacts, run.id))[1]["preprocessing"]
        == (load_model(run_dir(artifacts, trained.id))[1]["preprocessing"])
    )

    result = evaluate_run(store, artifacts, data_root, run, "test")
    assert result.correct == trained.summary["test_correct"]
    assert result.loss == pytest.approx(trained.summary["test_loss"], rel=1e-6)
    summary = store.get(run.id).summary
    assert summary["test_accuracy"] == trained.summary["test_accuracy"]
    assert summary["test_scored"] == 1
    kept = load_evaluation(run_dir(artifacts, run.id) / TEST)
    assert kept is not None
    assert kept.correct == result.correct


def test_the_queue_scores_an_import_with_examples(
    store: RunStore, artifacts: Path, data_root: Path, trained: Run, config: TrainConfig
) -> None:
    run = bring_in(store, artifacts, data_root, run_dir(artifacts, trained.id) / WEIGHTS, config)
    before = (run_dir(artifacts, run.id) / WEIGHTS).read_bytes()
    store.requeue(run.id)
    run, status = carry_out(store, _started(store, run.id))
    assert status == "finished"
    assert run.summary["test_correct"] == trained.summary["test_correct"]
    kept = load_evaluation(run_dir(artifacts, run.id) / TEST)
    assert kept is not None
    assert kept.examples is not None
    assert (run_dir(artifacts, run.id) / WEIGHTS).read_bytes() == before
    assert run.summary["imported_by"] == "the lab's own names"


def _started(store: RunStore, run_id: str) -> Run:
    assert store.claim(run_id, "here")
    return store.get(run_id)


def test_torchvisions_weights_expect_imagenets_statistics(
    store: RunStore, artifacts: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(TrainConfig(), {"model.name": "resnet20"})
    torch.save(build_model(config.model, (3, 32, 32), 1_000).state_dict(), tmp_path / "a.pth")
    # As if these were torchvision's names, none of whose networks is quick enough for a test.
    monkeypatch.setattr("cnncore.training.imports.usual_normalization", lambda spec, fitted: "imagenet")
    run = bring_in(store, artifacts, data_root, tmp_path / "a.pth", config, has_images=False)
    _, card = load_model(run_dir(artifacts, run.id))
    assert card["preprocessing"]["mean"] == [0.485, 0.456, 0.406]
    assert card["in_shape"] == [3, 32, 32]
    assert card["classes"][:2] == ["tench", "goldfish"]
    assert len(card["classes"]) == 1_000
    assert store.get(run.id).config["data"]["normalize"] == "imagenet"
    with pytest.raises(DataError, match="imported without a data set"):
        evaluate_run(store, artifacts, data_root, run, "test")


@pytest.mark.parametrize(
    ("torchvision", "timm", "scheme", "classes", "expected"),
    [
        ("resnet18", "", "torchvision", 1_000, "imagenet"),
        ("resnet18", "", "torchvision", 10, ""),
        ("resnet18", "", "order", 1_000, ""),
        ("inception_v3", "", "torchvision", 1_000, "symmetric"),
        ("", "legacy_xception", "own", 1_000, "symmetric"),
        ("", "", "own", 1_000, ""),
    ],
)
def test_usual_normalization(torchvision: str, timm: str, scheme: str, classes: int, expected: str) -> None:
    spec = dataclasses.replace(MODELS["resnet20"], torchvision=torchvision, timm=timm)
    fitted = Fitted(scheme=scheme, state={}, num_classes=classes, num_tensors=0, notes=())
    assert usual_normalization(spec, fitted) == expected


def test_what_does_not_fit_leaves_no_run(
    store: RunStore, artifacts: Path, data_root: Path, config: TrainConfig, tmp_path: Path
) -> None:
    torch.save(build_model(config.model, (1, 28, 28), 7).state_dict(), tmp_path / "a.pth")
    with pytest.raises(WeightsError, match="knows 7 classes, the images have 10"):
        bring_in(store, artifacts, data_root, tmp_path / "a.pth", config)
    assert store.list() == ()


def test_training_starts_from_another_runs_weights_and_resumes_exactly(
    store: RunStore, artifacts: Path, trained: Run, config: TrainConfig
) -> None:
    settings = {"training.start_from": trained.id, "optimizer.lr": 1e-6}
    tuned = store.get(train(config, settings=settings).run)
    assert tuned.summary["start_notes"] == []
    # So small a learning rate leaves the weights, but not the statistics of the batches, where they were.
    before, after = (own_weights(artifacts, run)["stem.conv.weight"] for run in (trained, tuned))
    assert torch.allclose(before, after, atol=1e-4)
    random = build_model(config.model, (1, 28, 28), 10).state_dict()["stem.conv.weight"]
    assert not torch.allclose(random, after, atol=1e-3)

    whole = store.get(train(config, settings={"training.start_from": trained.id, "training.epochs": 3}).run)
    part = store.get(train(config, settings={"training.start_from": trained.id, "training.epochs": 2}).run)
    store.set_config(part.id, whole.config)
    store.requeue(part.id)
    carry_out(store, _started(store, part.id))
    expected, found = (load_checkpoint(run_dir(artifacts, run.id)) for run in (whole, part))
    assert expected is not None
    assert found is not None
    assert found["step"] == expected["step"] == 12
    assert all(torch.equal(found["model"][name], value) for name, value in expected["model"].items())


def test_other_classes_get_a_new_last_layer(artifacts: Path, store: RunStore, config: TrainConfig) -> None:
    letters = build_model(config.model, (1, 28, 28), 26, seed=5).state_dict()
    folder = run_dir(artifacts, "0123456789ab")
    folder.mkdir(parents=True)
    save_file(letters, folder / WEIGHTS)
    tuned = store.get(train(config, settings={"training.start_from": "0123456789ab", "optimizer.lr": 1e-6}).run)
    assert "it had 26 classes, now there are 10" in tuned.summary["start_notes"][0]
    found = own_weights(artifacts, tuned)
    assert torch.allclose(found["stem.conv.weight"], letters["stem.conv.weight"], atol=1e-4)
    assert found["output.weight"].shape[0] == 10


def test_a_new_head_on_another_runs_backbone_whatever_head_that_had(
    store: RunStore, artifacts: Path, trained: Run, config: TrainConfig
) -> None:
    settings = {"transfer.head": "hidden", "transfer.hidden_units": 8, "transfer.frozen": ("all",)}
    first = store.get(train(config, settings={**settings, "training.start_from": trained.id}).run)
    assert first.summary["start_notes"] == ["The head is new."]
    settings = {"transfer.head": "linear", "transfer.frozen": ("stem",), "training.epochs": 1, "optimizer.lr": 1e-6}
    second = store.get(train(config, settings={**settings, "training.start_from": first.id}).run)
    before, between, after = (own_weights(artifacts, run) for run in (trained, first, second))
    assert torch.equal(before["stem.conv.weight"], after["stem.conv.weight"])
    assert all(torch.equal(value, between[name]) for name, value in before.items() if not name.startswith("output"))
    assert {"output.0.weight", "output.3.bias"} <= between.keys()
    assert {"output.weight", "output.bias"} <= after.keys()
    with pytest.raises(LabError, match="of another network: stem"):
        train(config, settings={**settings, "training.start_from": first.id, "model.width": 0.5})


def test_frozen_weights_get_the_pixel_values_they_expect(trained: Run, config: TrainConfig) -> None:
    settings = {"transfer.head": "linear", "training.start_from": trained.id, "data.normalize": "unit"}
    with pytest.raises(LabError, match="expect pixel values as standardize makes them, not unit"):
        train(config, settings={**settings, "transfer.frozen": ("stem",)})
    # What learns adapts itself.
    assert train(config, settings={**settings, "training.epochs": 1}).status == "finished"


def test_the_queue_scores_an_import_with_its_own_head(
    store: RunStore,
    artifacts: Path,
    data_root: Path,
    trained: Run,
    config: TrainConfig,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = {"transfer.head": "linear", "transfer.frozen": ("all",), "training.start_from": trained.id}
    first = store.get(train(config, settings={**settings, "optimizer.lr": 0.05}).run)
    # As a bundle makes it.
    images = open_images(config.data, data_root)
    state = own_weights(artifacts, first)
    kept = replace(config, {**settings, "training.start_from": None})
    card = weights_card(kept, images)
    run = store_import(store, artifacts, kept, state, card, name="a", facts={"classes": list(images.classes)})

    def never(*_: object) -> None:
        raise AssertionError("features are for training")

    monkeypatch.setattr("cnncore.training.loop.provide_features", never)
    store.requeue(run.id)
    run, status = carry_out(store, _started(store, run.id))
    assert status == "finished", run.error
    assert run.summary["test_correct"] == first.summary["test_correct"]
    assert run.summary["test_loss"] == pytest.approx(first.summary["test_loss"], rel=1e-5)
    assert abs(first.summary["test_loss"] - math.log(10)) > 0.01, "a head that has learned nothing"


def test_a_start_that_is_gone_or_of_another_network(store: RunStore, trained: Run, config: TrainConfig) -> None:
    with pytest.raises(LabError, match="has none"):
        train(config, settings={"training.start_from": "0123456789ab"})
    with pytest.raises(LabError, match="the first layer that differs is stem"):
        train(config, settings={"training.start_from": trained.id, "model.width": 0.5})
    with pytest.raises(LabError, match="id of a run"):
        replace(config, {"training.start_from": "../../etc"})


def test_the_command_line(
    store: RunStore,
    config: TrainConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    torch.save(build_model(config.model, (1, 28, 28), 10).state_dict(), tmp_path / "a.pth")

    def command(*arguments: str) -> int | str | None:
        line = ["cnncore", "import", str(tmp_path / "a.pth"), "--model", "resnet20", "--dataset", "mnist5k"]
        monkeypatch.setattr("sys.argv", [*line, *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        return end.value.code

    assert command("--set", "model.width=0.25", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["imported_by"] == "the lab's own names"
    assert store.get(facts["run"]).config["training"]["precision"] == "fp32"
    assert command("--set", "model.width=0.25", "--name", "Mine") == 0
    assert "matched by the lab's own names" in capsys.readouterr().out
    assert store.list()[0].name == "Mine"
    assert command() == 2
    refused = capsys.readouterr().err
    assert "4×1×3×3 in the file and 16×1×3×3 in the network" in refused
    assert len(refused.strip().splitlines()) == 1
