"""The page of a latency measurement, and how one is put into the queue."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.config.latency import published_latency
from cnncore.runs.latencies import KIND
from cnncore.runs.store import Run, RunStore
from tests.pages.conftest import assert_clean, link


@pytest.fixture
def measurement(store: RunStore) -> Run:
    config = published_latency("lenet5").model_dump(mode="json")
    run = store.create(config, name="Latency of LeNet-5", kind=KIND)
    store.claim(run.id, "somewhere")
    store.set_running(run.id)
    return store.get(run.id)


def measured(store: RunStore, run: Run) -> None:
    timing = {"batch_size": 8, "ms": 2.0, "ms_p10": 1.5, "ms_p90": 3.0, "repeats": 50}
    facts = {"device": "cpu", "device_name": "A processor", "precision": "bf16", "threads": 2, "timings": [timing]}
    store.set_summary(run.id, facts)


def test_at_first_it_says_what_will_be_there(app: AppTest, measurement: Run) -> None:
    link(app, run=measurement.id)
    assert_clean(app)
    assert any("one batch size after the other" in element.proto.body for element in app.get("html"))
    assert not app.dataframe


@pytest.mark.parametrize("status", [None, "finished", "stopped"])
def test_times_are_shown(app: AppTest, store: RunStore, measurement: Run, status: str | None) -> None:
    measured(store, measurement)
    if status:
        store.end(measurement.id, status)
    link(app, run=measurement.id)
    assert_clean(app)
    assert app.dataframe[0].value.to_dict("records") == [
        {"batch": 8, "ms a batch": 2, "10th percentile": 1.5, "90th percentile": 3, "images/s": 4_000, "passes": 50}
    ]
    assert any("A processor, bf16, 2 threads" in element.value for element in app.markdown)


def test_a_failed_measurement_says_why(app: AppTest, store: RunStore, measurement: Run) -> None:
    store.end(measurement.id, "failed", error="The memory ran out with batches of 8.", hint="Measure smaller batches.")
    link(app, run=measurement.id)
    assert not app.exception
    said = [element.value for kind in (app.error, app.warning, app.info) for element in kind]
    assert any("The memory ran out with batches of 8." in text for text in said)


def test_it_is_put_into_the_queue(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    from pages.components import latency_view

    monkeypatch.setattr(latency_view, "ensure_runner", lambda _: None)
    run = latency_view.start_latency("resnet20", [32, 1])
    found = store.get(run.id)
    assert (found.kind, found.status, found.name) == (KIND, "queued", "Latency of ResNet-20")
    assert found.config["in_shape"] == [3, 32, 32]
