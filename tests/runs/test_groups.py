"""Groups: the seed does not matter, everything else does; what is said of two of them is no more than the seeds say."""

from __future__ import annotations

from typing import Any

import pytest

from cnncore.config import TrainConfig, replace
from cnncore.runs.groups import Group, differing, group_runs, verdict, verdicts
from cnncore.runs.run import Run
from cnncore.runs.store import RunStore


def make(store: RunStore, accuracy: float | None = None, name: str = "LeNet", **changes: Any) -> Run:
    config = replace(TrainConfig(), {key.replace("__", "."): value for key, value in changes.items()})
    run = store.create(config.model_dump(mode="json"), name=name, status="starting")
    if accuracy is not None:
        store.set_summary(run.id, {"test_accuracy": accuracy})
        store.end(run.id, "finished")
    return store.get(run.id)


def groups_of(*groups: list[Run]) -> tuple[Group, ...]:
    return group_runs([run for group in groups for run in group])


def test_only_the_seed_of_training_is_left_aside(store: RunStore) -> None:
    runs = [
        make(store),
        make(store, training__seed=1),
        make(store, data__seed=1),
        make(store, optimizer__lr=0.1),
    ]
    assert [[run.id for run in group.runs] for group in group_runs(runs)] == [
        [runs[0].id, runs[1].id],
        [runs[2].id],
        [runs[3].id],
    ]


def test_settings_of_an_older_version_are_the_defaults(store: RunStore) -> None:
    old = {section: dict(values) for section, values in TrainConfig().model_dump(mode="json").items()}
    del old["training"]["ema"]
    run = store.create(old, name="old")
    assert len(group_runs([run, make(store, training__seed=3)])) == 1


def test_a_run_that_was_changed_on_the_way_is_alone(store: RunStore) -> None:
    runs = [make(store), make(store, training__seed=1)]
    assert len(group_runs(runs, changed={runs[1].id})) == 2


def test_labels_say_what_tells_groups_apart(store: RunStore) -> None:
    runs = [make(store), make(store, training__seed=1), make(store, optimizer__lr=0.1, name="LeNet #2")]
    runs.append(make(store, model__name="cnn3", name="Three layers #4"))
    labels = [group.label for group in group_runs(runs)]
    assert labels == ["LeNet, lr 0.001", "LeNet, lr 0.1", "Three layers"]


def test_differing_settings_only(store: RunStore) -> None:
    found = differing([make(store), make(store, optimizer__lr=0.1, schedule__milestones=(2, 3))])
    assert found == {"optimizer.lr": ("0.001", "0.1"), "schedule.milestones": ("", "2,3")}
    assert differing([make(store)]) == {}


def test_a_seed_counts_once_and_unfinished_runs_do_not(store: RunStore) -> None:
    runs = [make(store, 0.9), make(store, 0.9), make(store, training__seed=1), make(store, 0.8, training__seed=2)]
    (group,) = group_runs(runs)
    assert group.values("test_accuracy") == {0: 0.9, 2: 0.8}


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (
            [0.90, 0.91, 0.92],
            [0.95, 0.96, 0.97],
            ["LeNet, lr 0.1 is better than LeNet, lr 0.001: +5.00", "paired over 3"],
        ),
        ([0.90, 0.95, 0.92], [0.95, 0.91, 0.93], ["not distinguishable", "95 % interval −"]),
        ([0.90, 0.91], [0.99], ["No claim", "one seed only of LeNet, lr 0.1."]),
        ([0.90], [0.99], ["No claim", "one seed only of LeNet, lr 0.001 and LeNet, lr 0.1."]),
        ([0.90], [], ["LeNet, lr 0.1: no finished run"]),
    ],
)
def test_verdicts(store: RunStore, first: list[float], second: list[float], words: list[str]) -> None:
    left = [make(store, value, training__seed=seed) for seed, value in enumerate(first)]
    right = [make(store, value, training__seed=seed, optimizer__lr=0.1) for seed, value in enumerate(second)]
    right = right or [make(store, optimizer__lr=0.1)]
    one, other = groups_of(left, right)
    sentence = verdict(one, other, "test_accuracy", "test accuracy")
    assert all(word in sentence for word in words), sentence


def test_a_verdict_by_hand(store: RunStore) -> None:
    """Differences of 1, 2 and 3 points: 2 ± 4.3027 / √3 points."""
    left = [make(store, value, training__seed=seed) for seed, value in enumerate((0.91, 0.92, 0.93))]
    right = [make(store, 0.9, training__seed=seed, optimizer__lr=0.1) for seed in range(3)]
    one, other = groups_of(left, right)
    sentence = verdict(one, other, "test_accuracy", "test accuracy")
    assert "+2.00 percentage points of test accuracy, 95 % interval −0.48 to +4.48" in sentence


def test_groups_of_which_nothing_can_be_said_share_a_sentence(store: RunStore) -> None:
    runs = [make(store, 0.9, training__seed=seed, training__epochs=epochs) for seed in (0, 1) for epochs in (1, 2)]
    runs += [make(store, 0.9, optimizer__lr=lr) for lr in (0.1, 0.2, 0.3, 0.4)]
    sentences = verdicts(group_runs(runs), "test_accuracy", "test accuracy")
    assert len(sentences) == 2
    assert "not distinguishable" in sentences[0]
    assert sentences[1].startswith("No claim")
    assert "and 1 more" in sentences[1]
    assert verdicts(group_runs(runs)[:1], "test_accuracy", "test accuracy") == ()


def test_labels_are_never_the_same(store: RunStore) -> None:
    """A run that was changed on the way beside its group, and two that differ in the fourth setting only."""
    far = {"data__train_images": 100, "optimizer__lr": 0.01, "training__batch_size": 16}
    runs = [make(store), make(store), make(store, training__epochs=3, **far), make(store, training__epochs=4, **far)]
    labels = [group.label for group in group_runs(runs, {runs[1].id})]
    assert len(set(labels)) == 4
    assert labels[0].endswith(runs[0].id[:6])
