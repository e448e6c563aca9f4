"""Planning repetitions and grids: what exists is not trained again, what is impossible is refused."""

from __future__ import annotations

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.errors import ConfigError
from cnncore.runs.repeats import plan_grid, plan_repeats, plan_seconds, queue_plan
from cnncore.runs.store import RunStore


def add(store: RunStore, status: str = "finished", **training: int) -> str:
    config = replace(TrainConfig(), {f"training.{name}": value for name, value in training.items()})
    run = store.create(config.model_dump(mode="json"), name="a", status="starting")
    store.set_summary(run.id, {"epoch": 5, "num_train": 100, "elapsed_s": 50.0})
    store.claim(run.id, "here", ("starting",))
    store.end(run.id, status)
    return run.id


def test_seeds_that_exist_count(store: RunStore) -> None:
    for seed in (0, 2, 7):
        add(store, seed=seed)
    add(store, "failed", seed=1)
    add(store, seed=3, epochs=9)
    plan = plan_repeats(replace(TrainConfig(), {"training.seed": 7}), 5, store.list())
    assert [config.training.seed for config in plan.configs] == [1, 3]
    assert plan.existing == 3
    assert plan_repeats(TrainConfig(), 2, store.list()).configs == ()


def test_what_waits_counts_and_what_was_changed_does_not(store: RunStore) -> None:
    changed = add(store, seed=0)
    store.create(replace(TrainConfig(), {"training.seed": 1}).model_dump(mode="json"), name="waits")
    plan = plan_repeats(TrainConfig(), 3, store.list(), {changed})
    assert [config.training.seed for config in plan.configs] == [0, 2]


def test_a_grid_is_every_combination(store: RunStore) -> None:
    add(store, batch_size=64)
    vary = {"training.batch_size": "64, 128", "optimizer.lr": "1e-3,0.01"}
    plan = plan_grid(TrainConfig(), vary, 2, store.list())
    found = {(each.training.batch_size, each.optimizer.lr, each.training.seed) for each in plan.configs}
    assert len(found) == len(plan.configs) == 7
    assert (64, 1e-3, 0) not in found
    assert plan.existing == 1


def test_queued_plans_wait_in_order(store: RunStore) -> None:
    plan = plan_repeats(TrainConfig(), 3, ())
    runs = queue_plan(store, plan, tags=["seeds"])
    assert [run.id for run in store.queue()] == [run.id for run in runs]
    assert {run.tags for run in runs} == {("seeds",)}
    assert plan_repeats(TrainConfig(), 3, store.list()).configs == (), "nothing is queued twice"


@pytest.mark.parametrize(
    ("vary", "seeds", "words"),
    [
        ({}, 1, "1 or 2 settings, not 0"),
        ({"optimizer.lr": "1", "training.ema": "0.9", "training.epochs": "1"}, 1, "not 3"),
        ({"training.seed": "1,2"}, 1, "number of seeds"),
        ({"optimizer.speed": "1"}, 1, "no setting named"),
        ({"optimizer.lr": "fast"}, 1, "cannot be 'fast'"),
        ({"optimizer.lr": " , "}, 1, "no values"),
        ({"optimizer.lr": "0.1"}, 0, "from 1 up to 50"),
        ({"optimizer.lr": "0.1"}, 51, "from 1 up to 50"),
        ({"optimizer.lr": "0.1,0.2,0.3"}, 50, "150 runs; at most 100"),
        ({"optimizer.lr": ",".join(f"0.{i:03}" for i in range(1, 300))}, 50, "at most 100"),
        ({"model.name": "lenet_tutorial,vgg99"}, 1, "no network"),
    ],
)
def test_impossible_grids_are_refused(vary: dict[str, str], seeds: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        plan_grid(TrainConfig(), vary, seeds, ())


def test_the_time_is_what_finished_runs_took(store: RunStore) -> None:
    add(store, seed=0)
    plan = plan_repeats(TrainConfig(), 4, store.list())
    assert plan_seconds(plan, store.list(), "here") == pytest.approx(3 * 50)
    assert plan_seconds(plan, store.list(), "elsewhere") is None
    assert plan_seconds(plan, (), "here") is None
