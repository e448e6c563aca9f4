"""Latencies that were measured on this machine or another one, as the store holds them: runs of the kind `latency`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from cnncore.config.latency import LatencyConfig
from cnncore.errors import LabError
from cnncore.runs.store import Run, RunStore

KIND = "latency"


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long a batch takes through the network, forward only: median and spread of `repeats` passes.

    Attributes:
        ms: Median, in milliseconds a batch.
        ms_p10: Time that a tenth of the passes stayed below.
        ms_p90: Time that nine tenths of the passes stayed below.
    """

    batch_size: int
    ms: float
    ms_p10: float
    ms_p90: float
    repeats: int

    @property
    def images_per_s(self) -> float:
        return 1_000 * self.batch_size / self.ms


@dataclass(frozen=True, kw_only=True)
class Latency:
    """A finished measurement.

    Attributes:
        run: Id of the run.
        host: Name of the machine.
        device: As torch calls it: cpu, cuda:0, …
        device_name: As its maker calls it.
        precision: fp32, bf16 or fp16.
        threads: Threads of a CPU that computed.
        measured: When, in seconds since 1970.
        timings: By batch size, smallest first.
    """

    run: str
    config: LatencyConfig
    host: str
    device: str
    device_name: str
    precision: str
    threads: int
    measured: float
    timings: Mapping[int, Timing]


def read_latency(run: Run) -> Latency | None:
    """What a run has measured; `None` if it has nothing (yet), or was made by another version of the lab."""
    facts = run.summary
    if run.kind != KIND or not facts.get("timings"):
        return None
    try:
        config = LatencyConfig.model_validate(run.config)
        timings = {row["batch_size"]: Timing(**row) for row in sorted(facts["timings"], key=_batch_size)}
        named = {name: facts[name] for name in ("device", "device_name", "precision", "threads")}
    except (ValidationError, LabError, KeyError, TypeError):
        return None
    measured = run.ended or run.started or run.created
    return Latency(run=run.id, config=config, host=run.host or "", measured=measured, timings=timings, **named)


def _batch_size(row: Mapping[str, Any]) -> int:
    return row["batch_size"]


def latencies(store: RunStore, host: str | None = None) -> dict[str, Latency]:
    """The newest finished measurement of each network in its published form, by the network's key.

    Args:
        store: The run store.
        host: Name of the machine, to leave the others' out.
    """
    newest: dict[str, Latency] = {}
    for run in store.list(kind=KIND, status=("finished",)):
        found = read_latency(run)
        if found is None or (host is not None and found.host != host) or not _is_published(found):
            continue
        newest.setdefault(found.config.model.name, found)
    return newest


def _is_published(found: Latency) -> bool:
    try:
        return found.config.is_published
    except LabError:  # the network is no longer in the catalog
        return False
