"""What a training leaves: outcomes of own images that agree with its result, and what it is familiar with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from cnncore.config import TrainConfig, replace
from cnncore.data import open_images
from cnncore.runs.artifacts import run_dir
from cnncore.runs.outcomes import OUTCOMES, confusion_matrix, load_outcomes
from cnncore.runs.store import RunStore
from cnncore.training.execute import Execution
from cnncore.training.familiarity import FAMILIARITY, load_familiarity
from cnncore.training.outcomes import outcomes_of
from cnncore.training.trained import TrainedNetwork, load_trained
from tests.photographs import COLORS, PER_CLASS, photo_config, trained, write_photographs


def test_outcomes_of_own_images_agree_with_the_result_of_the_run(
    store: RunStore, artifacts: Path, data_root: Path, tmp_path: Path
) -> None:
    run = trained(store, artifacts, data_root, photo_config(write_photographs(tmp_path / "photos")))
    folder = run_dir(artifacts, run.id)
    found = load_outcomes(folder / OUTCOMES)
    assert list(found) == ["validation"]
    outcomes = found["validation"]
    assert outcomes.classes == tuple(COLORS)
    assert len(outcomes.names) == len(COLORS) * PER_CLASS["val"]
    for name, label in zip(outcomes.names, outcomes.labels, strict=True):
        assert (tmp_path / "photos" / name).is_file()
        assert name.startswith(f"val/{outcomes.classes[label]}/")
    np.testing.assert_allclose(outcomes.probabilities.sum(axis=1), 1, atol=1e-5)
    assert confusion_matrix(outcomes).trace() / len(outcomes.names) == run.summary["best_val_accuracy"]
    assert run.summary["stage"] == "done"
    familiarity = load_familiarity(folder)
    assert familiarity is not None
    assert familiarity.held_out == len(outcomes.names)
    assert {name.split("/")[0] for name in familiarity.keys.tolist()} == {"train"}
    assert {OUTCOMES, FAMILIARITY} <= store.artifacts(run.id).keys()


def test_ordinary_data_sets_have_no_outcomes_but_are_familiar_and_go_on_without_old_ones(
    store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig
) -> None:
    run = trained(store, artifacts, data_root, tiny)
    folder = run_dir(artifacts, run.id)
    assert not (folder / OUTCOMES).exists()
    first = load_familiarity(folder)
    assert first is not None
    assert len(first.features) == 200
    assert sorted(first.keys.tolist(), key=int) == [str(number) for number in range(200)]

    store.requeue(run.id, replace(tiny, {"training.epochs": 3}).model_dump(mode="json"))
    store.claim(run.id, "here")
    kept: list[object] = []
    execution = Execution(
        store, artifacts, data_root, store.get(run.id), lambda _: kept.append(load_familiarity(folder))
    )
    assert execution.carry_out() == "finished"
    assert kept
    assert set(kept) == {None}
    assert load_familiarity(folder) is not None


def test_a_single_training_image_leaves_nothing_to_compare_with(
    store: RunStore, artifacts: Path, data_root: Path, tiny: TrainConfig
) -> None:
    run = trained(store, artifacts, data_root, replace(tiny, {"data.train_images": 1, "training.epochs": 1}))
    assert load_familiarity(run_dir(artifacts, run.id)) is None


def test_kept_features_say_the_same_as_the_images(
    store: RunStore, artifacts: Path, data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = {"transfer.head": "linear", "transfer.frozen": ("all",), "optimizer.lr": 1e-2}
    config = replace(photo_config(write_photographs(tmp_path / "photos")), frozen)
    seen: list[int] = []
    look = TrainedNetwork.look
    monkeypatch.setattr(TrainedNetwork, "look", lambda self, images: seen.append(len(images)) or look(self, images))
    run = trained(store, artifacts, data_root, config)
    assert not seen
    folder = run_dir(artifacts, run.id)
    kept, known = load_outcomes(folder / OUTCOMES)["validation"], load_familiarity(folder)
    assert known is not None
    network = load_trained(folder, torch.device("cpu"))
    images = open_images(config.data, data_root)
    again = outcomes_of(network, "validation", images)
    assert sum(seen) == len(again.names) == 24
    assert np.array_equal(kept.names, again.names)
    np.testing.assert_allclose(kept.probabilities, again.probabilities, atol=1e-5)
    place = images.names["train"].tolist().index(known.keys[0]) if images.names else 0
    features = next(network.look_at(images.train.select(torch.tensor([place])))).features
    assert known.distances(features.numpy())[0] < 1e-5
