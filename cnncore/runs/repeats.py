"""Which runs are missing: for a number of seeds, or for a small grid of two settings."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from cnncore.config import TrainConfig, parse_value, readable_name, replace
from cnncore.errors import ConfigError
from cnncore.runs.groups import SEED, config_key, group_key, seed_of
from cnncore.runs.pace import expected_seconds
from cnncore.runs.run import OPEN, Run
from cnncore.runs.store import RunStore

MAX_RUNS = 100
MAX_SEEDS = 50
MAX_SETTINGS = 2
COUNTING = ("finished", "paused", *OPEN)
"""Statuses of runs that have, or will have, a result."""
_PAST_RUNS = 200


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Runs that are missing, and how many of those that are wanted exist already."""

    configs: tuple[TrainConfig, ...]
    existing: int = 0


def plan_repeats(config: TrainConfig, num_seeds: int, past: Sequence[Run], changed: Container[str] = ()) -> Plan:
    """What is missing until `config` has been trained with so many seeds: the smallest ones that were not used yet.

    Args:
        config: The configuration; its own seed does not matter.
        num_seeds: How many different seeds there shall be.
        past: Runs that may belong to the group, open ones included.
        changed: Ids of runs of which a setting was changed while they were on; they do not belong.

    Raises:
        ConfigError: if the number of seeds is not possible.
    """
    return _checked(_missing(config, _count(num_seeds), _used_seeds(past, changed)))


def plan_grid(
    base: TrainConfig, vary: Mapping[str, str], num_seeds: int, past: Sequence[Run], changed: Container[str] = ()
) -> Plan:
    """What is missing until each combination of values has been trained with so many seeds.

    Args:
        base: Everything that is not varied.
        vary: At most two settings by dotted name, each with its values as text with commas between them.
        num_seeds: Seeds of each combination.
        past: Runs that may be some of them.
        changed: As for `plan_repeats`.

    Raises:
        ConfigError: naming the setting that is unknown, or the combination that is not possible.
    """
    if not 1 <= len(vary) <= MAX_SETTINGS:
        raise ConfigError("vary", f"A grid varies 1 or {MAX_SETTINGS} settings, not {len(vary)}.")
    if SEED in vary:
        raise ConfigError("vary", "The seed is varied by the number of seeds.", "Choose another setting.")
    values = {name: _values(name, text) for name, text in vary.items()}
    used = _used_seeds(past, changed)
    total = 0
    plans: list[Plan] = []
    for combination in product(*values.values()):
        total += _count(num_seeds)
        if total > 10 * MAX_RUNS:
            raise _too_many(total)
        config = replace(base, dict(zip(values, combination, strict=True)))
        plans.append(_missing(config, num_seeds, used))
    configs = tuple(config for plan in plans for config in plan.configs)
    return _checked(Plan(configs=configs, existing=sum(plan.existing for plan in plans)))


def queue_plan(store: RunStore, plan: Plan, *, name: str = "", tags: Sequence[str] = ()) -> tuple[Run, ...]:
    """Put the missing runs at the end of the queue; somebody must serve it."""
    return tuple(
        store.create(config.model_dump(mode="json"), name=name or readable_name(config), tags=tags)
        for config in plan.configs
    )


def plan_seconds(plan: Plan, past: Sequence[Run], host: str) -> float | None:
    """About how long the missing runs take one after the other on this machine; None where nothing like them has run.

    Args:
        plan: The missing runs.
        past: Finished runs, newest first.
        host: Name of this machine.
    """
    known = [run for run in past if run.summary.get("num_train")][:_PAST_RUNS]
    images = {_data_key(run.config): int(run.summary["num_train"]) for run in reversed(known)}
    seconds: dict[str, float | None] = {}
    keys = [config_key(config.model_dump(mode="json")) for config in plan.configs]
    for key, config in zip(keys, plan.configs, strict=True):
        if key not in seconds:
            num_train = images.get(_data_key(config.model_dump(mode="json")), 0)
            seconds[key] = expected_seconds(config, num_train, known, host) if num_train else None
    parts = [seconds[key] for key in keys]
    return None if None in parts else sum(part for part in parts if part is not None)


def _data_key(config: Mapping[str, Any]) -> str:
    return str(sorted((config.get("data") or {}).items()))


def _used_seeds(past: Sequence[Run], changed: Container[str]) -> dict[str, set[int]]:
    """Seeds that count, by group."""
    used: dict[str, set[int]] = {}
    for run in past:
        if run.status in COUNTING:
            used.setdefault(group_key(run, changed), set()).add(seed_of(run))
    return used


def _missing(config: TrainConfig, num_seeds: int, used: Mapping[str, set[int]]) -> Plan:
    seeds = used.get(config_key(config.model_dump(mode="json")), set())
    free = (seed for seed in range(num_seeds + len(seeds)) if seed not in seeds)
    wanted = [next(free) for _ in range(max(0, num_seeds - len(seeds)))]
    configs = tuple(replace(config, {SEED: seed}) for seed in wanted)
    return Plan(configs=configs, existing=min(num_seeds, len(seeds)))


def _count(num_seeds: int) -> int:
    if not 1 <= num_seeds <= MAX_SEEDS:
        raise ConfigError("seeds", f"{num_seeds:,} seeds are not possible.", f"Allowed: from 1 up to {MAX_SEEDS}.")
    return num_seeds


def _values(name: str, text: str) -> list[object]:
    values = [parse_value(name, part) for part in text.split(",") if part.strip()]
    if not values:
        raise ConfigError(name, f"{name} has no values to try.", "Give them with commas between them.")
    return list(dict.fromkeys(values))


def _checked(plan: Plan) -> Plan:
    if len(plan.configs) > MAX_RUNS:
        raise _too_many(len(plan.configs))
    return plan


def _too_many(count: int) -> ConfigError:
    return ConfigError(
        "vary", f"That would be {count:,} runs; at most {MAX_RUNS} are queued at once.", "Take fewer values or seeds."
    )
