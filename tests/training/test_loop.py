"""The loop: it learns, its events tell the truth, and going on from any step equals never having stopped."""

from __future__ import annotations

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch

from cnncore.config import TrainConfig, replace
from cnncore.errors import TrainingError
from cnncore.runs.events import EpochEnd, Evaluating, Finished, Started, StepEnd
from cnncore.training.checkpoint import load_checkpoint, save_checkpoint
from cnncore.training.loop import fit
from cnncore.training.metrics import Sums, hits, pick_examples
from cnncore.training.optim import LearningRateChange, learning_rate
from cnncore.training.state import TrainState
from tests.training.conftest import Prepare

RECIPES: dict[str, dict[str, object]] = {
    "adam": {},
    "bf16": {"training.precision": "bf16"},
    "momentum": {"optimizer.name": "momentum", "optimizer.weight_decay": 1e-3, "training.clip_norm": 0.5},
    "nesterov, one cycle": {"optimizer.name": "nesterov", "schedule.name": "one_cycle"},
    "rmsprop": {"optimizer.name": "rmsprop"},
    "adamw, dropout": {"optimizer.name": "adamw", "model.name": "cnn3", "model.dropout": 0.5},
    "moving average": {"training.ema": 0.9, "training.label_smoothing": 0.1},
    "batch norm": {"model.norm": "batch"},
    "a share for each core": {"training.batch_size": 64, "training.precision": "bf16"},
    "augmented": {"augment.crop_padding": 2, "augment.rotation": 10, "augment.mixup": 0.2},
}


def finish(state: TrainState, loaders: object) -> Finished:
    *_, last = fit(state, loaders)  # pyright: ignore[reportArgumentType]
    assert isinstance(last, Finished)
    return last


def assert_same(left: TrainState, right: TrainState) -> None:
    for name, value in left.model.state_dict().items():
        assert torch.equal(value, right.model.state_dict()[name]), name
    assert left.best.epoch == right.best.epoch
    assert left.best.accuracy == right.best.accuracy
    for name, value in left.best.weights.items():
        assert torch.equal(value, right.best.weights[name]), name


@pytest.mark.parametrize("recipe", RECIPES)
def test_going_on_from_any_step_equals_never_having_stopped(
    recipe: str, tiny: TrainConfig, prepare: Prepare, tmp_path: Path
) -> None:
    config = replace(tiny, RECIPES[recipe])
    whole, loaders = prepare(config)
    whole_end = finish(whole, loaders)
    stop_at = np.random.default_rng(len(recipe)).integers(1, 8)

    first, loaders = prepare(config)
    for event in fit(first, loaders):
        if isinstance(event, StepEnd) and event.step == stop_at:
            break
    save_checkpoint(tmp_path, first, "images")
    second, loaders = prepare(replace(config, {"training.seed": 0}))
    saved = load_checkpoint(tmp_path)
    assert saved is not None
    second.restore(saved)
    second_end = finish(second, loaders)

    assert_same(whole, second)
    assert whole_end.test is not None
    assert second_end.test is not None
    assert whole_end.test.correct == second_end.test.correct


def test_stopping_during_an_evaluation_repeats_it(tiny: TrainConfig, prepare: Prepare, tmp_path: Path) -> None:
    whole, loaders = prepare(tiny)
    whole_events = [event for event in fit(whole, loaders) if isinstance(event, EpochEnd)]
    first, loaders = prepare(tiny)
    for event in fit(first, loaders):
        if isinstance(event, Evaluating):
            break
    assert first.step == loaders.steps_per_epoch
    save_checkpoint(tmp_path, first, "images")
    second, loaders = prepare(tiny)
    second.restore(load_checkpoint(tmp_path) or {})
    events = [event for event in fit(second, loaders) if isinstance(event, EpochEnd)]
    assert [event.train_loss for event in events] == [event.train_loss for event in whole_events]
    assert_same(whole, second)


def test_a_live_change_is_replayed(tiny: TrainConfig, prepare: Prepare) -> None:
    live, loaders = prepare(tiny)
    for event in fit(live, loaders):
        if isinstance(event, StepEnd) and event.step == 3:
            live.changes.append(LearningRateChange(3, 0.01))
    replayed, loaders = prepare(tiny)
    replayed.changes = [LearningRateChange(3, 0.01)]
    rates = [event.lr for event in fit(replayed, loaders) if isinstance(event, StepEnd)]
    assert rates == [1e-3] * 3 + [0.01] * 5
    assert_same(live, replayed)


def test_same_seed_same_events_and_another_seed_others(tiny: TrainConfig, prepare: Prepare) -> None:
    def losses(seed: int) -> list[float]:
        state, loaders = prepare(replace(tiny, {"training.seed": seed}))
        return [float(event.loss) for event in fit(state, loaders) if isinstance(event, StepEnd)]

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


def test_events_tell_the_truth(tiny: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(tiny)
    events = list(fit(state, loaders))
    started, finished = events[0], events[-1]
    assert isinstance(started, Started)
    assert (started.num_train, started.num_validation, started.num_test) == (200, 500, 1_000)
    assert (started.steps_per_epoch, started.total_steps, started.num_params) == (4, 8, 431_080)
    steps = [event for event in events if isinstance(event, StepEnd)]
    assert [event.step for event in steps] == list(range(1, 9))
    assert sum(event.images for event in steps) == 400
    assert steps[0].layer_grad_norms is not None
    assert list(steps[0].layer_grad_norms) == ["conv1", "conv2", "fc1", "output"]
    layers = sum(float(norm) ** 2 for norm in steps[0].layer_grad_norms.values()) ** 0.5
    assert layers == pytest.approx(float(steps[0].grad_norm or 0), rel=0.05), "biases are the rest"
    epochs = [event for event in events if isinstance(event, EpochEnd)]
    mean = sum(float(event.loss) * event.images for event in steps[:4]) / 200
    assert epochs[0].train_loss == pytest.approx(mean, rel=1e-6)
    for epoch in epochs:
        assert epoch.validation is not None
        assert epoch.validation.confusion.sum() == 500
        assert np.trace(epoch.validation.confusion) == epoch.validation.correct
    assert isinstance(finished, Finished)
    assert finished.test is not None
    assert finished.test.count == 1_000
    best = max(epochs, key=lambda epoch: (epoch.validation.accuracy, -epoch.validation.loss))  # pyright: ignore
    assert finished.scored_epoch == best.epoch


def test_examples_hold_mistakes_and_true_probabilities(tiny: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(tiny)
    test = finish(state, loaders).test
    assert test is not None
    examples = test.examples
    assert examples is not None
    assert examples.images.shape == (12, 28, 28, 1)
    assert examples.images.max() > 200, "pixels are restored, not normalized ones"
    assert (np.diff(examples.probabilities, axis=1) <= 0).all()
    assert (examples.top[:, 0] != examples.labels).any()
    assert (examples.top[:, 0] == examples.labels).any()


def test_an_image_set_of_32_is_learned_by_heart(tiny: TrainConfig, prepare: Prepare) -> None:
    config = replace(tiny, {"data.train_images": 32, "training.batch_size": 32, "training.epochs": 40})
    state, loaders = prepare(config)
    losses = [float(event.loss) for event in fit(state, loaders) if isinstance(event, StepEnd)]
    assert losses[0] > 2
    assert losses[-1] < 0.01


def test_a_diverging_run_ends_with_a_sentence(tiny: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(tiny)
    events = fit(state, loaders)
    next(event for event in events if isinstance(event, EpochEnd))
    with torch.no_grad():
        next(state.model.parameters()).fill_(math.inf)
    with pytest.raises(TrainingError, match="stopped being a number in epoch 2"):
        list(events)


def test_early_stopping_waits_for_its_patience(tiny: TrainConfig, prepare: Prepare) -> None:
    # With a learning rate of practically nothing the validation loss soon stops to fall.
    config = replace(
        tiny, {"optimizer.name": "sgd", "optimizer.lr": 1e-10, "training.epochs": 30, "training.patience": 2}
    )
    state, loaders = prepare(config)
    end = finish(state, loaders)
    assert state.evaluated < 30
    assert end.reason == "no better validation loss for 2 epochs"


def test_gradient_clipping_shortens_the_step(tiny: TrainConfig, prepare: Prepare) -> None:
    moved: dict[float | None, float] = {}
    for clip in (None, 1e-3):
        config = replace(tiny, {"optimizer.name": "sgd", "optimizer.lr": 1.0, "training.clip_norm": clip})
        state, loaders = prepare(config)
        before = torch.cat([value.detach().flatten().clone() for value in state.model.parameters()])
        next(itertools.islice(fit(state, loaders), 1, None))
        after = torch.cat([value.detach().flatten() for value in state.model.parameters()])
        moved[clip] = float((after - before).norm())
    assert moved[1e-3] == pytest.approx(1e-3, rel=0.01)
    assert moved[None] > 0.1


def test_the_moving_average_is_what_is_scored(tiny: TrainConfig, prepare: Prepare) -> None:
    state, loaders = prepare(replace(tiny, {"training.ema": 0.99}))
    finish(state, loaders)
    current = state.model.state_dict()
    assert any(not torch.equal(value, current[name]) for name, value in state.best.weights.items())


def test_hits_count_ties_as_chance_would() -> None:
    logits = torch.zeros(4, 10)
    found = hits(logits, torch.tensor([0, 1, 2, 9]))
    assert found[:, 0].sum() <= 1, "a network that says nothing is not always right"
    assert found.any(dim=1).sum() <= 4
    assert hits(torch.eye(10), torch.arange(10))[:, 0].all()


def test_sums_are_means_over_images() -> None:
    sums = Sums()
    assert math.isnan(sums.means()[0])
    sums.add(torch.tensor(1.0), torch.eye(3)[:2], torch.tensor([0, 1]))
    sums.add(torch.tensor(4.0), torch.eye(3)[:1], torch.tensor([2]))
    assert sums.means()[:2] == pytest.approx((2.0, 2 / 3))


def test_sums_do_not_depend_on_when_they_are_read() -> None:
    torch.manual_seed(0)
    read_often, read_once = Sums(), Sums()
    right = count = 0
    for size in (7, 3, 1) * 15:
        logits, labels = torch.randn(size, 10), torch.randint(10, (size,))
        for sums in (read_often, read_once):
            sums.add(torch.tensor(0.1 * size), logits, labels)
        read_often.totals()
        right, count = right + int((logits.argmax(dim=1) == labels).sum()), count + size
    assert read_often.means() == read_once.means()
    assert read_once.totals().tolist()[1] == right
    assert read_once.count == count
    restored = Sums(read_once.totals(), count)
    restored.add(torch.tensor(1.0), torch.eye(3)[:1], torch.tensor([0]))
    assert restored.totals().tolist()[1] == right + 1


def test_example_indices_are_spread() -> None:
    assert pick_examples(3).tolist() == [0, 1, 2]
    chosen = pick_examples(10_000)
    assert len(chosen) == len(set(chosen.tolist())) == 300
    assert chosen[-1] == 9_999


def test_learning_rate_is_a_function_of_the_step(tiny: TrainConfig) -> None:
    config = replace(tiny, {"schedule.name": "cosine", "training.epochs": 4, "optimizer.lr": 0.5})
    assert learning_rate(config, 0, 10, ()) == pytest.approx(0.5)
    assert learning_rate(config, 20, 10, ()) == pytest.approx(0.25)
    assert learning_rate(config, 20, 10, [LearningRateChange(20, 0.1)]) == pytest.approx(0.05)
    assert learning_rate(config, 19, 10, [LearningRateChange(20, 0.1)]) > 0.25
