"""How long a training will take, from finished runs."""

from __future__ import annotations

from typing import Any

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.runs.pace import expected_seconds
from cnncore.runs.store import Run, RunStore

CONFIG = TrainConfig()
DONE = {"epoch": 5, "num_train": 1_000, "elapsed_s": 10.0}


def _finished(store: RunStore, config: TrainConfig = CONFIG, summary: dict[str, Any] = DONE, host: str = "here") -> Run:
    run = store.create(config.model_dump(mode="json"), name="run")
    store.claim(run.id, host)
    store.set_running(run.id)
    store.log(run.id, [], summary)
    store.end(run.id, "finished")
    return store.get(run.id)


def test_scales_with_images_and_epochs(store: RunStore):
    runs = [_finished(store)]
    more = replace(CONFIG, {"training.epochs": 10})
    assert expected_seconds(more, 2_000, runs, "here") == pytest.approx(40.0)


def test_compiling_takes_as_long_whatever_follows(store: RunStore):
    config = replace(CONFIG, {"training.compile": True})
    runs = [_finished(store, config, DONE | {"compile_s": 25.0})]
    assert expected_seconds(replace(config, {"training.epochs": 10}), 2_000, runs, "here") == pytest.approx(65.0)


def test_nothing_comparable(store: RunStore):
    others = [
        _finished(store, replace(CONFIG, {"model.width": 2.0})),
        _finished(store, replace(CONFIG, {"data.image_size": 32})),
        _finished(store, replace(CONFIG, {"training.precision": "fp32"})),
        _finished(store, host="elsewhere"),
        _finished(store, summary={"epoch": 5}),
        _finished(store, replace(CONFIG, {"transfer.frozen": ("all",)})),
        store.create(CONFIG.model_dump(mode="json"), name="waiting"),
    ]
    assert expected_seconds(CONFIG, 1_000, others, "here") is None


def test_what_auto_came_to_here_is_the_same_as_naming_it(store: RunStore):
    """The newest run with `auto` tells what it means, as long as there is one."""
    by_name = replace(CONFIG, {"training.device": "cpu", "training.precision": "bf16"})
    cpu, gpu = ({"device": name, "precision": "bf16"} for name in ("cpu", "cuda:0"))
    named = _finished(store, by_name, DONE | cpu)
    assert expected_seconds(CONFIG, 1_000, [named], "here") is None
    automatic = _finished(store, replace(CONFIG, {"model.width": 2.0}), DONE | cpu)
    assert expected_seconds(CONFIG, 1_000, [automatic, named], "here") == pytest.approx(10.0)
    assert expected_seconds(by_name, 1_000, [_finished(store, CONFIG, DONE | cpu)], "here") == pytest.approx(10.0)
    assert expected_seconds(by_name, 1_000, [_finished(store, CONFIG, DONE | gpu)], "here") is None
    elsewhere = _finished(store, replace(CONFIG, {"model.width": 2.0}), DONE | gpu)
    assert expected_seconds(CONFIG, 1_000, [elsewhere, automatic, named], "here") is None


def test_runs_of_a_version_without_transfer_learning_count(store: RunStore):
    run = _finished(store)
    store.set_config(run.id, {name: values for name, values in run.config.items() if name != "transfer"})
    assert expected_seconds(CONFIG, 1_000, [store.get(run.id)], "here") == pytest.approx(10.0)


def test_the_nearest_batch_size_counts(store: RunStore):
    small = _finished(store, replace(CONFIG, {"training.batch_size": 8}), DONE | {"elapsed_s": 100.0})
    near = _finished(store, replace(CONFIG, {"training.batch_size": 120}))
    assert expected_seconds(CONFIG, 1_000, [small, near], "here") == pytest.approx(10.0)
