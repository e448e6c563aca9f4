"""The best own result of each network on each data set."""

from __future__ import annotations

from typing import Any

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.runs.best import best_runs
from cnncore.runs.store import Run, RunStore


def _run(store: RunStore, correct: int, count: int = 1_000, **settings: Any) -> Run:
    config = replace(TrainConfig(), {name.replace("__", "."): value for name, value in settings.items()})
    run = store.create(config.model_dump(mode="json"), name="A run", status="starting")
    store.log(run.id, [], {"test_correct": correct, "test_count": count, "num_params": 431_080})
    store.end(run.id, "finished")
    return store.get(run.id)


def test_the_best_run_counts_and_the_first_among_equals(store: RunStore) -> None:
    _run(store, 950)
    best = _run(store, 970)
    _run(store, 970)
    other = _run(store, 600, model__name="resnet20", data__dataset="cifar10")
    found = best_runs(store.list())
    assert set(found) == {("lenet_tutorial", "mnist5k"), ("resnet20", "cifar10")}
    assert found["lenet_tutorial", "mnist5k"].run_id == best.id
    assert found["lenet_tutorial", "mnist5k"].accuracy == 0.97
    assert found["resnet20", "cifar10"].run_id == other.id


def test_more_test_images_do_not_count_as_better(store: RunStore) -> None:
    small = _run(store, 97, count=100)
    _run(store, 9_600, count=10_000)
    assert best_runs(store.list())["lenet_tutorial", "mnist5k"].run_id == small.id


def test_runs_without_a_result_own_images_and_pretrained_weights_are_left_out(store: RunStore) -> None:
    _run(store, 0, count=0)
    _run(store, 90, count=100, data__dataset="folder", data__path="/images")
    _run(store, 90, count=100, data__dataset="image_set", data__image_set="0123456789ab@1")
    pretrained = TrainConfig().model_dump(mode="json")
    pretrained["transfer"]["backbone"] = "resnet18"
    run = store.create(pretrained, name="Pretrained")
    store.log(run.id, [], {"test_correct": 9, "test_count": 10})
    store.create({}, name="Of another version")
    store.create({"model": {}, "data": {}}, name="Of another version")
    assert best_runs(store.list()) == {}


@pytest.mark.parametrize(
    ("settings", "same"),
    [
        ({}, True),
        ({"model.init": "glorot", "model.dropout": 0.3, "model.norm": "batch"}, True),
        ({"model.pool": "max"}, True),
        ({"model.pool": "overlapping"}, False),
        ({"model.width": 2.0}, False),
        ({"model.input_size": 32}, False),
        ({"data.image_size": 32}, False),
    ],
)
def test_it_is_known_whether_the_catalogs_macs_hold(store: RunStore, settings: dict[str, Any], same: bool) -> None:
    _run(store, 1, **{name.replace(".", "__"): value for name, value in settings.items()})
    (best,) = best_runs(store.list()).values()
    assert best.same_macs is same
