"""Runs that differ in the seed only are a group: one experiment, repeated.

`training.seed` is the seed of the weights, the order and the changes of the images. `data.seed` is not: it divides the
images differently, so that runs which differ in it have other validation images and are another experiment.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from cnncore.config import TrainConfig, format_value
from cnncore.runs.run import Run
from cnncore.runs.statistics import Difference, difference

SEED = "training.seed"
FREE = (SEED, "training.tensorboard")
"""Settings in which the runs of a group may differ: the seed, and what changes no result."""
_MOST_TOLD = 3
"""Settings that a label names."""
DEFAULTS: Mapping[str, Any] = {
    f"{section}.{name}": value
    for section, values in TrainConfig().model_dump(mode="json").items()
    for name, value in values.items()
}
"""Every setting by its dotted name, as JSON has it."""


@dataclass(frozen=True, kw_only=True)
class Group:
    """Runs of one configuration.

    Attributes:
        key: The same for the same configuration, whatever the seed.
        label: What tells it from the other groups it was made with.
        runs: Its runs by seed.
    """

    key: str
    label: str
    runs: tuple[Run, ...]

    def values(self, name: str) -> dict[int, float]:
        """A number of the summary by seed, of finished runs that have it.

        A seed counts once, however often it was run: the second time only tells the same again.
        """
        found: dict[int, float] = {}
        for run in sorted(self.runs, key=lambda run: run.created):
            value = run.summary.get(name)
            if run.status == "finished" and isinstance(value, int | float) and math.isfinite(value):
                found[seed_of(run)] = float(value)
        return found


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Every setting of a run's configuration by its dotted name; what its version of the lab had not is the default."""
    found = dict(DEFAULTS)
    for section, values in config.items():
        if isinstance(values, Mapping):
            found |= {f"{section}.{name}": value for name, value in values.items()}
    return found


def seed_of(run: Run) -> int:
    """The seed of a run."""
    return int((run.config.get("training") or {}).get("seed", DEFAULTS[SEED]))


def group_key(run: Run, changed: Container[str] = ()) -> str:
    """The same text for all trainings of a group; a run in `changed`, of which a setting was changed, is alone."""
    return config_key(run.config) if run.kind == "train" and run.id not in changed else run.id


def config_key(config: Mapping[str, Any]) -> str:
    """The key of the group whose runs have this configuration, as JSON has it."""
    return json.dumps({name: value for name, value in settings(config).items() if name not in FREE}, sort_keys=True)


def group_runs(runs: Sequence[Run], changed: Container[str] = ()) -> tuple[Group, ...]:
    """The groups among some runs, in the order of their first runs."""
    members: dict[str, list[Run]] = {}
    for run in runs:
        members.setdefault(group_key(run, changed), []).append(run)
    firsts = [found[0] for found in members.values()]
    return tuple(
        Group(key=key, label=label, runs=tuple(sorted(found, key=seed_of)))
        for (key, found), label in zip(members.items(), _labels(firsts), strict=True)
    )


def differing(runs: Sequence[Run]) -> dict[str, tuple[str, ...]]:
    """The settings that are not the same for all of the runs, by dotted name, with each run's value as text."""
    found = [settings(run.config) for run in runs]
    names = dict.fromkeys(name for values in found for name in values)
    texts = {name: tuple(value_text(values.get(name), name) for values in found) for name in names}
    return {name: values for name, values in texts.items() if len(set(values)) > 1}


def verdicts(groups: Sequence[Group], name: str, what: str) -> tuple[str, ...]:
    """What the seeds say about each pair of groups; those of which nothing can be said share one last sentence."""
    repeated = [group for group in groups if len(group.values(name)) > 1]
    told = [verdict(first, second, name, what) for first, second in combinations(repeated, 2)]
    silent = [group.label for group in groups if group not in repeated]
    if silent and len(groups) > 1:
        labels = "; ".join(silent[:3]) + (f" and {len(silent) - 3} more" if len(silent) > 3 else "")
        told.append(f"No claim where fewer than two seeds have finished: {labels}. Repeat them with more seeds.")
    return tuple(told)


def verdict(first: Group, second: Group, name: str, what: str) -> str:
    """What the seeds say about two groups, in one sentence.

    Args:
        first: One group.
        second: The other.
        name: A share from 0 to 1 of the summary, for example `test_accuracy`.
        what: What it is called, for example `test accuracy`.
    """
    a, b = first.values(name), second.values(name)
    if not a or not b:
        missing = " and ".join(group.label for group, values in ((first, a), (second, b)) if not values)
        return f"{missing}: no finished run with a {what} yet."
    found = difference(a, b)
    if found.method == "none":
        single = " and ".join(group.label for group, values in ((first, a), (second, b)) if len(values) < 2)
        return f"No claim about {first.label} and {second.label}: one seed only of {single}."
    if not found.is_distinguishable:
        facts = _facts(found, what)
        return f"{first.label} and {second.label} are not distinguishable: the first minus the second is {facts}."
    if found.value < 0:
        first, second, found = second, first, difference(b, a)
    return f"{first.label} is better than {second.label}: {_facts(found, what)}."


def _facts(found: Difference, what: str) -> str:
    value, low, high = (f"{100 * number:+.2f}".replace("-", "−") for number in (found.value, found.low, found.high))
    return f"{value} percentage points of {what}, 95 % interval {low} to {high} ({_method(found)})"


def _method(found: Difference) -> str:
    left, right = found.counts
    return f"paired over {left} shared seeds" if found.method == "paired" else f"Welch, {left} and {right} seeds"


def base_name(run: Run) -> str:
    """The name of a run without the number that tells it from its namesakes."""
    return re.sub(r"( #\d+)+$", "", run.name)


def value_text(value: Any, name: str) -> str:
    """The value of the setting `name`, as JSON has it, in words."""
    return format_value(tuple(value) if isinstance(value, list) else value, name)


def _labels(runs: Sequence[Run]) -> list[str]:
    """A name for each run that tells it from the others: the run's own, and what differs where two share it."""
    names = [base_name(run) for run in runs]
    labels: list[str] = []
    for name, run in zip(names, runs, strict=True):
        namesakes = [other for other_name, other in zip(names, runs, strict=True) if other_name == name]
        own = settings(run.config)
        told = [
            f"{setting_words(setting)} {value_text(own.get(setting), setting)}"
            for setting in differing(namesakes)
            if setting not in FREE
        ]
        labels.append(", ".join([name, *told[:_MOST_TOLD]]))
    # A run that was changed on the way has the settings of its group, and some differ in what was left out.
    return [
        label if labels.count(label) == 1 else f"{label}, {run.id[:6]}" for label, run in zip(labels, runs, strict=True)
    ]


def setting_words(setting: str) -> str:
    """A setting as labels name it: `lr`, but `optimizer` for its name and `data seed`."""
    section, _, name = setting.partition(".")
    if name == "name":
        return section
    return f"{section} seed" if name == "seed" else name.replace("_", " ")
