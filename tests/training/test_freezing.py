"""Freezing: what is frozen stays bit for bit, changes happen where they were asked for, and resuming repeats them."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from cnncore.catalog import stages_of
from cnncore.config import TrainConfig, replace
from cnncore.data import open_images
from cnncore.runs.events import Event, Finished, Froze, StepEnd
from cnncore.runs.store import RunStore
from cnncore.training.checkpoint import load_checkpoint, load_model, save_checkpoint
from cnncore.training.execute import Execution
from cnncore.training.freezing import FreezeChange, Stages, frozen_at, scheduled
from cnncore.training.loop import fit
from cnncore.training.optim import StagedOptimizer
from cnncore.training.state import TrainState
from cnncore.transfer.network import build_network
from tests.training.conftest import Prepare
from tests.training.test_loop import assert_same

STAGES = ("stem", "stage1", "stage2", "stage3")


@pytest.fixture
def transfer(tiny: TrainConfig) -> TrainConfig:
    """Two epochs of four steps with a quarter of ResNet-20, everything frozen but a new head."""
    return replace(
        tiny,
        {
            "model.name": "resnet20",
            "model.width": 0.25,
            "transfer.head": "linear",
            "transfer.frozen": ("all",),
            "transfer.views": 0,
        },
    )


def weights_of(state: TrainState, stage: str) -> list[torch.Tensor]:
    assert state.stages is not None
    return [weight.detach().clone() for weight in state.stages.weights[stage]]


def equal(left: list[torch.Tensor], right: list[torch.Tensor]) -> bool:
    return all(torch.equal(a, b) for a, b in zip(left, right, strict=True))


@pytest.mark.parametrize("frozen", [("all",), ("stem", "stage1"), ("stage2",), ()])
def test_frozen_stages_keep_their_weights_and_statistics(
    frozen: tuple[str, ...], transfer: TrainConfig, prepare: Prepare
) -> None:
    state, loaders = prepare(replace(transfer, {"transfer.frozen": frozen}))
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    *_, last = fit(state, loaders)
    assert isinstance(last, Finished)
    kept = STAGES if frozen == ("all",) else frozen
    for name, value in state.model.state_dict().items():
        if not name.endswith("num_batches_tracked"):
            assert torch.equal(value, before[name]) == name.startswith(tuple(f"{stage}." for stage in kept)), name


def test_frozen_batch_normalization_may_follow_the_images(transfer: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(replace(transfer, {"transfer.batch_norm": "adapting"}))
    before = {name: value.clone() for name, value in state.model.state_dict().items()}
    list(fit(state, loaders))
    after = state.model.state_dict()
    assert not torch.equal(after["stem.norm.running_mean"], before["stem.norm.running_mean"])
    assert torch.equal(after["stem.norm.weight"], before["stem.norm.weight"])
    assert not state.keeps_features


def test_auxiliary_heads_learn_from_images(tiny: TrainConfig, prepare: Prepare) -> None:
    settings = {"model.name": "googlenet", "model.width": 0.125, "model.input_size": 64, "model.aux": "on"}
    frozen = {"transfer.head": "linear", "transfer.frozen": ("all",), "training.epochs": 1, "data.train_images": 40}
    state, loaders = prepare(replace(tiny, {**settings, **frozen}))
    state.begin_freezing(loaders.steps_per_epoch)
    assert not state.keeps_features
    *_, last = fit(state, loaders)
    assert isinstance(last, Finished)


def test_dropout_of_frozen_stages_is_off(tiny: TrainConfig, prepare: Prepare) -> None:
    settings = {"model.name": "cnn3", "model.dropout": 0.5, "transfer.head": "linear", "transfer.frozen": ("all",)}
    state, _ = prepare(replace(tiny, settings))
    state.begin_freezing(4)
    assert [module.training for module in state.backbone.modules() if isinstance(module, nn.Dropout)] == [False]


@pytest.mark.parametrize("network", ["efficientnet_lite0", "resnet18"])
def test_normalization_of_frozen_stages_is_held_also_where_it_holds_its_activation(network: str) -> None:
    settings = {"model.name": network, "transfer.head": "linear", "transfer.frozen": ("all",)}
    config = replace(TrainConfig(), settings)
    with torch.device("meta"):
        model = build_network(config, (3, 224, 224), 2).train()
    stages = Stages(model, config)
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    stages.freeze(frozenset(stage.key for stage in stages_of(network)))
    stages.set_modes()
    assert norms
    assert not any(norm.training for norm in norms)
    stages.freeze(frozenset({"stem"}))
    model.train()
    stages.set_modes()
    assert [norm.training for norm in norms] == [False, *[True] * (len(norms) - 1)]


def test_gradual_unfreezing_starts_at_the_top(transfer: TrainConfig) -> None:
    config = replace(transfer, {"transfer.unfreeze_every": 0.5, "transfer.frozen": ("stem", "stage2", "stage3")})
    assert scheduled(config, 5) == ((3, "stage3", False), (5, "stage2", False), (8, "stem", False))
    found = [frozen_at(config, step, 5, ()) for step in (0, 2, 3, 5, 8)]
    assert [len(each) for each in found] == [3, 3, 2, 1, 0]


def test_a_persons_change_wins_over_the_schedule_at_the_same_step(transfer: TrainConfig) -> None:
    config = replace(transfer, {"transfer.unfreeze_every": 1.0})
    changes = [FreezeChange(4, "stage3", frozen=True)]
    assert "stage3" in frozen_at(config, 4, 4, changes)
    assert "stage3" not in frozen_at(config, 4, 4, [FreezeChange(3, "stage3", frozen=True)])


def test_a_stage_unfrozen_midway_begins_to_learn_there_and_the_event_says_so(
    transfer: TrainConfig, prepare: Prepare
) -> None:
    state, loaders = prepare(transfer)
    before, froze = {stage: weights_of(state, stage) for stage in STAGES}, list[Froze]()
    for event in fit(state, loaders):
        if isinstance(event, StepEnd) and event.step == 2:
            state.freezes.append(FreezeChange(2, "stage3", frozen=False))
            assert equal(before["stage3"], weights_of(state, "stage3"))
        if isinstance(event, StepEnd) and event.step == 3:
            assert not equal(before["stage3"], weights_of(state, "stage3"))
        if isinstance(event, Froze):
            froze.append(event)
    assert [(event.step, dict(event.stages), event.learning) for event in froze] == [
        (2, {"stage3": False}, ("stage3", "head"))
    ]
    assert equal(before["stage2"], weights_of(state, "stage2"))
    assert froze[0].num_trainable == sum(weight.numel() for weight in state.optimizer.weights)


def test_a_stage_learns_at_its_own_rate(transfer: TrainConfig, prepare: Prepare) -> None:
    settings = {"transfer.frozen": (), "optimizer.name": "sgd", "training.epochs": 1, "data.train_images": 40}
    moved = dict[float, float]()
    for factor in (1.0, 0.25):
        state, loaders = prepare(replace(transfer, {**settings, "transfer.stage_lr": (factor,)}))
        before = weights_of(state, "stem")
        next(event for event in fit(state, loaders) if isinstance(event, StepEnd))
        after = weights_of(state, "stem")
        moved[factor] = float(sum((a - b).double().norm() ** 2 for a, b in zip(after, before, strict=True)) ** 0.5)
    assert moved[0.25] == pytest.approx(moved[1.0] / 4, rel=1e-3)


RECIPES: dict[str, dict[str, object]] = {
    "frozen": {},
    "gradual": {"transfer.unfreeze_every": 0.5},
    "adamw, hidden head": {
        "optimizer.name": "adamw",
        "transfer.head": "hidden",
        "transfer.hidden_units": 8,
        "transfer.head_dropout": 0.5,
        "transfer.unfreeze_every": 0.25,
        "transfer.stage_lr": (0.1, 0.3),
    },
    "average": {"training.ema": 0.9, "transfer.frozen": ("stem",), "optimizer.name": "momentum"},
}


@pytest.mark.parametrize("recipe", RECIPES)
def test_going_on_from_any_step_equals_never_having_stopped(
    recipe: str, transfer: TrainConfig, prepare: Prepare, tmp_path: Path
) -> None:
    config = replace(transfer, RECIPES[recipe])
    changes = [FreezeChange(3, "stage3", frozen=False), FreezeChange(5, "stage3", frozen=True)]
    whole, loaders = prepare(config)
    whole.freezes = list(changes)
    events = list(fit(whole, loaders))
    for stop_at in np.random.default_rng(len(recipe)).choice(np.arange(1, 8), 2, replace=False):
        part, loaders = prepare(config)
        part.freezes = list(changes)
        steps = (event for event in fit(part, loaders) if isinstance(event, StepEnd))
        next(itertools.islice(steps, int(stop_at) - 1, None))
        save_checkpoint(tmp_path, part, "images")
        resumed, loaders = prepare(config)
        values = load_checkpoint(tmp_path)
        assert values is not None
        resumed.restore(values)
        later = list(fit(resumed, loaders))
        assert_same(whole, resumed)
        expected = [event for event in events if isinstance(event, Froze) and event.step >= stop_at]
        assert [event for event in later if isinstance(event, Froze)] == expected


def test_changes_asked_for_while_it_trains_are_taken_recorded_and_repeated(
    store: RunStore, artifacts: Path, data_root: Path, transfer: TrainConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(transfer, {"training.epochs": 4})
    run = store.create(config.model_dump(mode="json"), name="a", status="starting")
    monkeypatch.setattr("cnncore.training.execute.FLUSH_S", 0.0)

    def unfreeze(event: Event) -> None:
        if isinstance(event, StepEnd) and event.step == 6:
            store.ask_change(run.id, "transfer.frozen.stage3", 0.0)
            store.ask_change(run.id, "transfer.frozen.stem", 0.0)
            store.ask_change(run.id, "transfer.frozen.nonsense", 0.0)

    assert Execution(store, artifacts, data_root, run, unfreeze).carry_out() == "finished"
    rows = [row for row in store.since(run.id).rows if row.phase == "freeze"]
    assert len(rows) == 1
    assert rows[0].values == {"stage3": 0.0, "stem": 0.0}
    assert {change.step for change in store.changes(run.id)} == {rows[0].step}
    assert store.get(run.id).summary["learning"] == ["stem", "stage3", "head"]

    model, card = load_model(artifacts / run.id)
    images = open_images(config.data, data_root)
    assert card["config"]["transfer"]["head"] == "linear"
    assert model(torch.zeros(1, *images.in_shape)).shape == (1, 10)


def test_freezing_again_keeps_what_the_optimizer_knew(transfer: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(transfer)
    state.freezes = [
        FreezeChange(1, "stage3", frozen=False),
        FreezeChange(3, "stage3", frozen=True),
        FreezeChange(5, "stage3", frozen=False),
    ]
    list(fit(state, loaders))
    assert isinstance(state.optimizer, StagedOptimizer)
    assert state.optimizer.parts["stage3"].steps == 5
    assert state.optimizer.parts["head"].steps == 8


def test_a_step_whose_gradients_overflow_moves_no_stage(transfer: TrainConfig, prepare: Prepare) -> None:
    settings = {"training.precision": "fp16", "transfer.frozen": ("stem", "stage1", "stage2"), "training.epochs": 9}
    state, loaders = prepare(replace(transfer, settings))
    assert state.scaler is not None
    assert isinstance(state.optimizer, StagedOptimizer)
    before = {stage: weights_of(state, stage) for stage in ("stage3", "head")}
    steps = (event for event in fit(state, loaders) if isinstance(event, StepEnd))
    state.scaler.scale(torch.zeros(()))  # makes its scale
    state.scaler.update(new_scale=2.0**126)
    next(steps)
    assert all(equal(before[stage], weights_of(state, stage)) for stage in before)
    assert [part.steps for part in state.optimizer.parts.values()] == [0, 0]
    state.scaler.update(new_scale=1.0)
    # A head that starts at 0 has no gradient for the stages below it.
    next(steps)
    next(steps)
    assert not any(equal(before[stage], weights_of(state, stage)) for stage in before)
    assert [part.steps for part in state.optimizer.parts.values()] == [2, 2]
