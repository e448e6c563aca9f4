"""Frozen against fine-tuned against from scratch: one training in three ways, everything else equal, with seeds.

They differ in where the weights start, in what may learn, and in the learning rate, since the one that suits a new head
destroys pretrained weights; `cnncore.config.freezing` has the settings and their source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cnncore.catalog import stages_of
from cnncore.config import TrainConfig, flatten, replace
from cnncore.config.freezing import SMALL_STEP, freezing_settings, stage_factors
from cnncore.errors import ConfigError
from cnncore.runs.groups import SEED, Group, config_key, group_key, seed_of
from cnncore.runs.repeats import COUNTING, Plan, plan_repeats
from cnncore.runs.run import Run

MAX_SEEDS = 5
DEFAULT_SEEDS = 3
_TAG = "approaches"


@dataclass(frozen=True, kw_only=True)
class Approach:
    """One of the three ways.

    Attributes:
        title: What a person reads.
        about: What it does, in half a sentence.
        freezing: The way of freezing that it is, a key of `FREEZINGS`.
    """

    title: str
    about: str
    freezing: str


APPROACHES: dict[str, Approach] = {
    "frozen": Approach(
        title="Frozen", about="pretrained weights that stay as they are; only the new head learns", freezing="features"
    ),
    "tuned": Approach(
        title="Fine-tuned", about="pretrained weights that all go on learning, in small steps", freezing="all"
    ),
    "scratch": Approach(title="From scratch", about="the same network from random weights", freezing="scratch"),
}


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Three configurations that differ in the approach only.

    Attributes:
        configs: By key of `APPROACHES`; their seeds do not matter.
        tag: Common tag of the runs.
    """

    configs: Mapping[str, TrainConfig]
    tag: str

    def plans(self, num_seeds: int, past: Sequence[Run], changed: Container[str] = ()) -> dict[str, Plan]:
        """Runs that are missing by approach; those with the same settings count, whoever started them."""
        if not 1 <= num_seeds <= MAX_SEEDS:
            raise ConfigError("seeds", f"{num_seeds} seeds are not possible.", f"Allowed: from 1 up to {MAX_SEEDS}.")
        return {key: plan_repeats(config, num_seeds, past, changed) for key, config in self.configs.items()}

    def groups(self, past: Sequence[Run], changed: Container[str] = ()) -> dict[str, Group]:
        """The runs of each approach that have, or will have, a result."""
        keys = {config_key(config.model_dump(mode="json")): name for name, config in self.configs.items()}
        members: dict[str, list[Run]] = {name: [] for name in self.configs}
        for run in past:
            name = keys.get(group_key(run, changed))
            if name is not None and run.status in COUNTING:
                members[name].append(run)
        return {
            name: Group(key=name, label=APPROACHES[name].title, runs=tuple(sorted(found, key=seed_of)))
            for name, found in members.items()
        }


_IDLE = "transfer.stage_lr"
"""Of no consequence to a frozen network, but set as the recommended training has it, which then is one of the three."""


def compare_approaches(config: TrainConfig) -> Comparison:
    """The three trainings that `config`, itself one of them or between them, is compared by.

    The same comparison comes out of the first two of its configurations.

    Raises:
        ConfigError: if `config` starts from random weights, so that there is nothing to freeze.
    """
    if config.transfer.backbone is None and config.training.start_from is None:
        raise ConfigError(
            "transfer.backbone",
            "This run started from random weights, so there is nothing to freeze or to fine-tune.",
            "Open a run that started from a backbone.",
        )
    # Blended images are new in every epoch, so no features of a frozen network can be kept.
    blends = config.augment.mixup > 0 or config.augment.cutmix > 0
    base = replace(
        config,
        {
            "transfer.frozen": ("all",),
            "transfer.unfreeze_every": 0.0,
            _IDLE: stage_factors(len(stages_of(config.model.name)), SMALL_STEP, 1.0),
            "transfer.views": 0 if blends else config.transfer.views,
            "optimizer.lr": head_rate(config),
            SEED: 0,
        },
    )
    configs = {name: replace(base, freezing_settings(each.freezing, base)) for name, each in APPROACHES.items()}
    digest = hashlib.sha256(config_key(configs["frozen"].model_dump(mode="json")).encode()).hexdigest()
    return Comparison(configs=configs, tag=f"{_TAG}-{digest[:8]}")


def head_rate(config: TrainConfig) -> float:
    """The learning rate of a head on a frozen network: the run's own, ten times that of a fine-tuned one."""
    if config.transfer.frozen:
        return config.optimizer.lr
    return min(10.0, round(config.optimizer.lr / SMALL_STEP, 10))


def differing_settings(comparison: Comparison) -> dict[str, tuple[Any, ...]]:
    """Settings of consequence in which the three differ, by dotted name, with the value of each."""
    found = [flatten(config) for config in comparison.configs.values()]
    values = {name: tuple(settings[name] for settings in found) for name in found[0] if name != _IDLE}
    return {name: each for name, each in values.items() if len(set(each)) > 1}


def result_name(groups: Sequence[Group]) -> str:
    """The result that all finished runs have: on the test images where all were scored on some, else on validation."""
    finished = [run for group in groups for run in group.runs if run.status == "finished"]
    return (
        "test_accuracy" if finished and all("test_accuracy" in run.summary for run in finished) else "best_val_accuracy"
    )
