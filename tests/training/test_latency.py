"""Latency: what is measured, how a run of it ends, and what can be read from the store."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from cnncore.config import ModelConfig
from cnncore.config.latency import LatencyConfig, published_latency
from cnncore.errors import ConfigError
from cnncore.runs.latencies import KIND, Timing, latencies, read_latency
from cnncore.runs.runner import own_process
from cnncore.runs.store import Run, RunStore
from cnncore.training import latency
from cnncore.training.latency import Measurement, measure
from cnncore.worker import main

CPU = torch.device("cpu")


@pytest.fixture
def config(monkeypatch: pytest.MonkeyPatch) -> LatencyConfig:
    """A tenth of a second: the smallest network, five passes, no time to get warm."""
    monkeypatch.setattr(latency, "WARM_UP_S", 0.0)
    return LatencyConfig(
        model=ModelConfig(name="lenet5"), in_shape=(1, 32, 32), num_classes=10, batch_sizes=(4, 1), repeats=5
    )


def enqueue(store: RunStore, config: LatencyConfig, status: str = "starting") -> Run:
    run = store.create(config.model_dump(mode="json"), name="Latency", kind=KIND, status=status)
    store.set_process(run.id, *own_process())
    return store.get(run.id)


def test_every_batch_size_is_timed(config: LatencyConfig) -> None:
    found = list(measure(config, CPU, "fp32"))
    assert [timing.batch_size for timing in found] == [1, 4]
    for timing in found:
        assert timing.repeats == 5
        assert 0 < timing.ms_p10 <= timing.ms <= timing.ms_p90


def test_the_spread_is_that_of_the_passes(config: LatencyConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    passes = iter([9.0, 9.0, 9.0, 0.001, 0.002, 0.003, 0.004, 0.005] * 2)  # three of them to get warm
    monkeypatch.setattr(latency, "_seconds", lambda *_: next(passes))
    found = next(measure(config, CPU, "fp32"))
    assert found == Timing(batch_size=1, ms=3.0, ms_p10=1.4, ms_p90=4.6, repeats=5)
    assert dataclasses.replace(found, batch_size=6).images_per_s == 2_000


def test_it_computes_in_the_way_of_an_evaluation(config: LatencyConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[bool, bool, torch.dtype, bool]] = []

    class Probe(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            strided = x.is_contiguous(memory_format=torch.channels_last)
            seen.append((self.training, torch.is_inference_mode_enabled(), (x[0, 0] @ x[0, 0]).dtype, strided))
            return x

    monkeypatch.setattr(latency, "build_model", lambda *_: Probe())
    list(measure(config, CPU, "bf16"))
    assert set(seen) == {(False, True, torch.bfloat16, True)}


def test_a_run_keeps_what_it_found(store: RunStore, config: LatencyConfig) -> None:
    run = enqueue(store, config)
    heard: list[Timing] = []
    assert Measurement(store, run, heard.append).carry_out() == "finished"
    run = store.get(run.id)
    assert (run.status, run.summary["stage"], run.error) == ("finished", "done", None)
    found = read_latency(run)
    assert found is not None
    assert list(found.timings.values()) == heard
    assert (found.device, found.precision, found.threads) == (
        run.summary["device"], run.summary["precision"], torch.get_num_threads(),
    )  # fmt: skip
    rows = store.since(run.id).rows
    assert [(row.phase, row.step) for row in rows] == [(KIND, 1), (KIND, 4)]
    assert rows[0].values["ms"] == heard[0].ms


def test_it_stops_when_asked(store: RunStore, config: LatencyConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "BEAT_S", 0.0)
    run = enqueue(store, config)
    measurement = Measurement(store, run, lambda _: store.ask(run.id, "stop") and None)
    assert measurement.carry_out() == "stopped"
    run = store.get(run.id)
    assert run.status == "stopped"
    assert [row["batch_size"] for row in run.summary["timings"]] == [1]


def test_a_signal_stops_it(store: RunStore, config: LatencyConfig) -> None:
    measurement = Measurement(store, enqueue(store, config))
    measurement.request_stop()
    assert measurement.carry_out() == "stopped"


def test_a_mistake_is_a_sentence(store: RunStore, config: LatencyConfig) -> None:
    run = enqueue(store, config.model_copy(update={"in_shape": (1, 8, 8)}))
    assert Measurement(store, run).carry_out() == "failed"
    assert "needs images of at least" in (store.get(run.id).error or "")


def test_memory_that_runs_out_names_the_batch(
    store: RunStore, config: LatencyConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> float:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr(latency, "_seconds", fail)
    run = enqueue(store, config)
    assert Measurement(store, run).carry_out() == "failed"
    run = store.get(run.id)
    assert (run.error, run.hint) == ("The memory ran out with batches of 1.", "Measure smaller batches.")


def test_a_run_that_was_taken_away_is_left_alone(store: RunStore, config: LatencyConfig) -> None:
    run = enqueue(store, config)

    def close(_: Timing) -> None:
        store.end(run.id, "interrupted")

    measurement = Measurement(store, run, close)
    assert measurement.carry_out() == "interrupted"


def test_the_worker_measures(store: RunStore, config: LatencyConfig) -> None:
    run = enqueue(store, config)
    assert main(run.id) == 0
    assert store.get(run.id).status == "finished"


@pytest.mark.slow
def test_the_queue_measures(store: RunStore, artifacts: Path) -> None:
    from tests.test_worker import Runner, follow, over

    config = published_latency("lenet5").model_copy(update={"batch_sizes": (1, 2), "repeats": 5})
    run = store.create(config.model_dump(mode="json"), name="Latency", kind=KIND)
    runner = Runner(store, artifacts)
    try:
        assert follow(runner, run, over).status == "finished"
    finally:
        for child in runner.children.values():
            child.wait()
    assert set(latencies(store)["lenet5"].timings) == {1, 2}


def measured(store: RunStore, config: LatencyConfig, status: str = "finished", **facts: object) -> Run:
    timing = {"batch_size": 1, "ms": 2.0, "ms_p10": 1.0, "ms_p90": 3.0, "repeats": 5}
    run = enqueue(store, config)
    known = {"device": "cpu", "device_name": "A processor", "precision": "fp32", "threads": 2, "timings": [timing]}
    store.set_summary(run.id, known | facts)
    store.end(run.id, status)
    return store.get(run.id)


def test_the_newest_finished_measurement_counts(store: RunStore) -> None:
    config = published_latency("lenet5")
    measured(store, config)
    newest = measured(store, config)
    measured(store, config, status="failed")
    measured(store, config.model_copy(update={"in_shape": (3, 32, 32)}))
    measured(store, config.model_copy(update={"model": ModelConfig(name="lenet5", width=2)}))
    measured(store, config, timings=[])
    found = latencies(store)
    assert {name: each.run for name, each in found.items()} == {"lenet5": newest.id}
    assert found["lenet5"].timings[1].images_per_s == 500
    assert latencies(store, host="elsewhere") == {}
    assert set(latencies(store, host=found["lenet5"].host)) == {"lenet5"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda values: values["model"].update(name="lenet6"),
        lambda values: values.update(in_shape=[1]),
        lambda values: values.update(unknown=1),
    ],
)
def test_measurements_of_other_versions_are_left_aside(
    store: RunStore, spoil: Callable[[dict[str, object]], None]
) -> None:
    values = published_latency("lenet5").model_dump(mode="json")
    run = measured(store, published_latency("lenet5"))
    spoil(values)
    store.set_config(run.id, values)
    assert latencies(store) == {}


def test_unknown_networks_are_named() -> None:
    with pytest.raises(ConfigError, match="no network named"):
        published_latency("lenet6")
