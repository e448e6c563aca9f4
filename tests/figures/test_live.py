"""The charts of a run: which lines, in which axes, with gaps, marks and empty states."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from cnncore.figures import live, theme
from cnncore.figures.chart import Chart
from cnncore.figures.live import View, smooth
from cnncore.runs.events import Row
from cnncore.runs.history import History
from cnncore.runs.store import RunStore
from tests import fake_runs
from tests.figures.charts import named, numbers, sent

CHARTS: tuple[Callable[[History, View], Chart], ...] = (
    live.loss,
    live.accuracy,
    live.learning_rate,
    live.gradient_norm,
    partial(live.layer_gradients, as_map=True),
    partial(live.layer_gradients, as_map=False),
    live.memory,
    live.load,
    live.speed,
)


@pytest.fixture
def history(store: RunStore, artifacts: Path) -> History:
    return _history(store, fake_runs.open_run(store, artifacts, steps=800, epochs=8).id)


def _history(store: RunStore, run_id: str) -> History:
    history = History(run_id)
    history.refresh(store)
    return history


def _logged(store: RunStore, rows: Sequence[Row]) -> History:
    run = store.create({}, name="Run")
    store.log(run.id, rows)
    return _history(store, run.id)


@pytest.mark.parametrize("x", ["step", "epoch", "time"])
@pytest.mark.parametrize("chart", CHARTS)
def test_plotly_accepts_every_chart(history: History, chart: Callable[[History, View], Chart], x: live.XAxis):
    content = sent(chart(history, View(x=x, log_y=True)))
    assert content["traces"]
    assert content["label"]


@pytest.mark.parametrize("chart", CHARTS)
def test_without_rows_a_chart_says_what_will_appear(chart: Callable[[History, View], Chart]):
    content = sent(chart(History("0" * 12), View()))
    assert content["traces"] == []
    assert "appears" in content["empty"].lower()


@pytest.mark.parametrize("chart", CHARTS)
def test_one_step_is_enough(store: RunStore, chart: Callable[[History, View], Chart]):
    sent(chart(_logged(store, list(fake_runs.step_rows(1, 1, steps=80, epochs=8))), View()))


def test_training_and_validation_are_told_apart_by_more_than_color(history: History):
    lines = named(sent(live.accuracy(history, View())))
    training, validation = lines["training"], lines["validation"]
    assert (training["line"]["color"], validation["line"]["color"]) == (theme.TRAIN, theme.VALIDATION)
    assert validation["line"]["width"] > training["line"]["width"]
    assert validation["marker"]["symbol"] == "diamond"


def test_smoothing_keeps_the_raw_curve_behind(history: History):
    assert list(named(sent(live.loss(history, View(smoothing=0.9)))))[:2] == ["each step", "training"]
    assert "each step" not in named(sent(live.loss(history, View(smoothing=0.0))))


def test_smooth_is_a_corrected_moving_average_that_leaves_gaps():
    smoothed = smooth(np.array([1.0, np.nan, 3.0, np.inf, 3.0]), 0.5)
    np.testing.assert_allclose(smoothed, [1.0, np.nan, (3 + 0.5) / 1.5, np.nan, (3 + 1.5 + 0.25) / 1.75])


def test_a_loss_that_is_not_a_number_is_a_gap(store: RunStore):
    rows = [
        Row(phase="step", step=step, values={"loss": loss, "lr": 0.1, "epoch": step / 4})
        for step, loss in enumerate([1.0, float("nan"), float("inf"), 2.0], 1)
    ]
    loss = numbers(named(sent(live.loss(_logged(store, rows), View(smoothing=0.5))))["training"]["y"])
    assert np.isfinite(loss).tolist() == [True, False, False, True]


@pytest.mark.parametrize(("x", "place"), [("step", 800.0), ("epoch", 8.0), ("time", 799 * fake_runs.STEP_S)])
def test_the_best_epoch_is_marked_on_every_axis(history: History, x: live.XAxis, place: float):
    content = sent(live.accuracy(history, View(x=x)))
    assert named(content)["best"]["x"] == [pytest.approx(place, rel=1e-3)]
    assert content["layout"]["shapes"][0]["x0"] == pytest.approx(place, rel=1e-3)


def test_a_live_change_is_marked_with_its_value(store: RunStore, history: History):
    change = Row(phase="change", step=200, values={"setting": "optimizer.lr", "value": 0.0005})
    store.log(history.run_id, [change])
    history.refresh(store, max_age_s=0)
    for chart in (live.loss, live.accuracy, live.learning_rate, live.gradient_norm):
        layout = sent(chart(history, View(x="epoch")))["layout"]
        assert [note["text"] for note in layout["annotations"]] == ["learning rate → 0.0005"]
        assert layout["annotations"][0]["x"] == 2.0


def test_the_moments_at_which_stages_froze_are_marked(store: RunStore, history: History):
    rows = [
        Row(phase="freeze", step=300, values={"stage3": 0.0, "stem": 1.0}),
        Row(phase="change", step=200, values={"setting": "optimizer.lr", "value": 0.0005}),
    ]
    store.log(history.run_id, rows)
    history.refresh(store, max_age_s=0)
    for chart in (live.loss, live.accuracy, live.learning_rate, live.gradient_norm):
        layout = sent(chart(history, View(x="epoch")))["layout"]
        words = [note["text"] for note in layout["annotations"]]
        assert words == ["learning rate → 0.0005", "Stem frozen; Stage 3 learning"]
        assert [note["x"] for note in layout["annotations"]] == [2.0, 3.0]


def test_without_validation_images_there_is_no_validation_line(store: RunStore):
    values = {"epoch": 1, "train_loss": 1.0, "train_accuracy": 0.5, "val_loss": None, "val_accuracy": None}
    history = _logged(store, [Row(phase="epoch", step=10, values=values | {"best": False, "per_class": None})])
    assert list(named(sent(live.accuracy(history, View())))) == ["training"]
    assert "validation" not in named(sent(live.loss(history, View())))


def test_top_5_is_shown_where_it_says_something(store: RunStore, history: History):
    assert "validation, top 5" not in named(sent(live.accuracy(history, View())))
    values = dict(fake_runs.epoch_row(1, 10, 2, 0.0).values) | {"per_class": [0.5] * 100}
    many = _logged(store, [Row(phase="epoch", step=10, values=values)])
    assert "validation, top 5" in named(sent(live.accuracy(many, View())))


def test_the_heat_map_has_a_row_for_each_layer_and_few_columns(store: RunStore, artifacts: Path):
    history = _history(store, fake_runs.open_run(store, artifacts, steps=8_000, epochs=8).id)
    (trace,) = sent(live.layer_gradients(history, View(), as_map=True))["traces"]
    norms = numbers(trace["z"])
    assert trace["y"] == list(fake_runs.LAYERS)
    assert norms.shape == (len(fake_runs.LAYERS), len(numbers(trace["x"])))
    assert norms.shape[1] <= 200
    assert np.all(np.diff(norms, axis=0) == pytest.approx(1.0, abs=1e-3))


def test_changing_the_axis_gives_up_the_zoom_and_new_points_do_not(store: RunStore, history: History):
    before = sent(live.loss(history, View()))["layout"]
    store.log(history.run_id, list(fake_runs.step_rows(801, 900, steps=1_000, epochs=8)))
    history.refresh(store, max_age_s=0)
    assert sent(live.loss(history, View()))["layout"]["uirevision"] == before["uirevision"]
    assert sent(live.loss(history, View(x="time")))["layout"]["uirevision"] != before["uirevision"]
    assert sent(live.loss(history, View(log_y=True)))["layout"]["yaxis"]["uirevision"] == "log"


def test_a_long_run_stays_small(store: RunStore, artifacts: Path):
    history = _history(store, fake_runs.open_run(store, artifacts, steps=20_000, epochs=8).id)
    assert len(live.loss(history, View()).to_bytes()) < 15_000
