"""Frozen against fine-tuned against from scratch: what differs, what is missing, what belongs together."""

from __future__ import annotations

from typing import Any

import pytest

from cnncore.config import TrainConfig, replace, transfer_base
from cnncore.errors import ConfigError
from cnncore.runs.approaches import APPROACHES, compare_approaches, differing_settings, result_name
from cnncore.runs.repeats import queue_plan
from cnncore.runs.store import RunStore


def transferred(**settings: Any) -> TrainConfig:
    """A frozen network that starts from a run's weights."""
    base = {
        "model.name": "resnet20",
        "data.image_size": 32,
        "training.start_from": "0123456789ab",
        "transfer.head": "linear",
        "transfer.frozen": ("all",),
        "transfer.stage_lr": (0.1,) * 4,
        "optimizer.name": "adamw",
        "optimizer.lr": 2e-3,
    }
    return replace(TrainConfig(), base | {name.replace("__", "."): value for name, value in settings.items()})


def test_the_three_differ_in_start_frozen_stages_and_rate_only() -> None:
    comparison = compare_approaches(transferred())
    assert list(comparison.configs) == list(APPROACHES)
    assert differing_settings(comparison) == {
        "optimizer.lr": (2e-3, 2e-4, 1e-3),
        "training.start_from": ("0123456789ab", "0123456789ab", None),
        "transfer.frozen": (("all",), (), ()),
    }


@pytest.mark.parametrize(
    "settings",
    [
        {"training__seed": 7},
        {"transfer__frozen": ("stem",), "transfer__unfreeze_every": 1.0, "transfer__stage_lr": (0.1, 0.2)},
        {"transfer__frozen": (), "optimizer__lr": 2e-4},
    ],
)
def test_seed_and_freezing_do_not_matter(settings: dict[str, Any]) -> None:
    assert compare_approaches(transferred(**settings)) == compare_approaches(transferred())


def test_the_recommended_training_is_the_frozen_one() -> None:
    config = transfer_base("efficientnet_lite0", "0123456789ab@1")
    assert compare_approaches(config).configs["frozen"] == config


def test_other_images_are_another_comparison() -> None:
    assert compare_approaches(transferred(data__seed=1)).tag != compare_approaches(transferred()).tag


def test_blended_images_keep_no_features() -> None:
    config = transferred(transfer__frozen=(), augment__mixup=0.2)
    assert compare_approaches(config).configs["frozen"].transfer.views == 0


def test_random_weights_have_nothing_to_freeze() -> None:
    with pytest.raises(ConfigError, match="nothing to freeze"):
        compare_approaches(transferred(training__start_from=None, transfer__frozen=()))


@pytest.mark.parametrize("seeds", [0, 6])
def test_the_number_of_seeds_is_checked(seeds: int) -> None:
    with pytest.raises(ConfigError, match="Allowed: from 1 up to 5"):
        compare_approaches(transferred()).plans(seeds, ())


def test_runs_of_the_same_settings_count_whoever_started_them(store: RunStore) -> None:
    comparison = compare_approaches(transferred())
    store.create(transferred(training__seed=1).model_dump(mode="json"), name="by hand")
    failed = store.create(comparison.configs["tuned"].model_dump(mode="json"), name="failed", status="starting")
    store.end(failed.id, "failed")
    plans = comparison.plans(3, store.list())
    assert {name: len(plan.configs) for name, plan in plans.items()} == {"frozen": 2, "tuned": 3, "scratch": 3}
    for plan in plans.values():
        queue_plan(store, plan, tags=(comparison.tag,))
    groups = comparison.groups(store.list())
    assert {name: [run.config["training"]["seed"] for run in group.runs] for name, group in groups.items()} == {
        name: [0, 1, 2] for name in APPROACHES
    }
    assert not any(plan.configs for plan in comparison.plans(3, store.list()).values())


def test_the_test_images_decide_where_all_were_scored_on_some(store: RunStore) -> None:
    comparison = compare_approaches(transferred())
    for config, scored in zip(comparison.configs.values(), ({}, {"test_accuracy": 0.5}), strict=False):
        run = store.create(config.model_dump(mode="json"), name="run", status="starting")
        store.log(run.id, [], {"best_val_accuracy": 0.6, **scored})
        store.end(run.id, "finished")
    groups = comparison.groups(store.list())
    assert result_name(list(groups.values())) == "best_val_accuracy"
    assert result_name([groups["tuned"]]) == "test_accuracy"
