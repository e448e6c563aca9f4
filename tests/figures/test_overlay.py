"""Overlaid curves: every run is drawn, a group gets its mean and the t-interval of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from cnncore.figures.overlay import OverlayView, Series, mean_band, overlay, style_of
from cnncore.runs.curves import X_AXES, Curves, Points, XAxis
from tests.figures.charts import named, numbers, sent


def points(accuracies: list[float], pace: float = 1.0) -> Points:
    epochs = np.arange(1.0, len(accuracies) + 1)
    x: dict[XAxis, np.ndarray] = {"step": 10 * epochs, "epoch": epochs, "images": 100 * epochs, "time": pace * epochs}
    names = ("train_loss", "val_loss", "train_accuracy", "val_accuracy")
    return Points(x=x, values=dict.fromkeys(names, np.array(accuracies)))


def curves(accuracies: list[float], pace: float = 1.0) -> Curves:
    epochs = points(accuracies, pace)
    return Curves(epochs=epochs, steps=Points(x=epochs.x, values={"loss": epochs.values["val_loss"]}), every=1)


def series(*runs: Curves, label: str = "A") -> Series:
    return Series(label=label, color="#2F7ED8", dash="solid", runs=[(f"{label}{i}", run) for i, run in enumerate(runs)])


def test_the_band_is_the_t_interval_at_every_epoch_two_runs_have() -> None:
    place, mean, low, high = mean_band(
        [points([0.5, 0.7, 0.9]), points([0.6, 0.8]), points([0.7, 0.6])], "val_loss", "epoch"
    )
    assert place.tolist() == [1, 2]
    expected = stats.ttest_1samp([0.7, 0.8, 0.6], 0).confidence_interval(0.95)
    assert (low[1], high[1]) == pytest.approx((expected.low, expected.high))
    assert mean.tolist() == pytest.approx([0.6, 0.7])


def test_on_the_time_axis_the_mean_stands_at_the_mean_time() -> None:
    place, *_ = mean_band([points([0.5, 0.7], pace=1), points([0.6, 0.8], pace=3)], "val_loss", "time")
    assert place.tolist() == [2, 4]


def test_every_run_is_drawn_and_the_mean_once() -> None:
    content = sent(
        overlay(
            [series(curves([0.5, 0.7]), curves([0.6, 0.9])), series(curves([0.1]), label="B")],
            "accuracy",
            OverlayView(),
        )
    )
    traces = named(content)
    assert set(traces) == {"A0", "A1", "A, mean of 2", "A, 95 % interval", "B0"}
    assert numbers(traces["A, mean of 2"]["y"]).tolist() == pytest.approx([55, 80])
    band = numbers(traces["A, 95 % interval"]["y"])
    assert (band.min(), band.max()) == pytest.approx((50, 90)), "cut where no run has been"
    assert traces["A0"]["line"]["width"] < traces["B0"]["line"]["width"], "a run without a group stands for itself"


def test_training_is_dotted_beside_validation() -> None:
    content = sent(
        overlay([series(curves([0.5, 0.7]))], "loss", OverlayView(split="both", every_step=True, log_y=True))
    )
    assert [trace["line"]["dash"] for trace in content["traces"]] == ["solid", "dot"]
    assert content["layout"]["yaxis"]["type"] == "log"


@pytest.mark.parametrize("x", X_AXES)
def test_every_axis(x: XAxis) -> None:
    content = sent(overlay([series(curves([0.5, 0.7], pace=400))], "accuracy", OverlayView(x=x)))
    ends = {"step": 20, "epoch": 2, "images": 200, "time": 800 / 60}
    assert numbers(content["traces"][0]["x"])[-1] == pytest.approx(ends[x])


@pytest.mark.parametrize("run", [curves([]), curves([math.nan, math.nan])])
def test_runs_without_numbers_leave_room_for_words(run: Curves) -> None:
    for view in (OverlayView(), OverlayView(x="time", split="both", every_step=True)):
        assert sent(overlay([series(run, run)], "loss", view))["traces"] == []


def test_names_from_outside_are_literal() -> None:
    one = Series(label="<b>", color="#2F7ED8", dash="solid", runs=[("<i>x", curves([1]))])
    assert "&lt;i&gt;x" in sent(overlay([one], "loss", OverlayView()))["traces"][0]["hovertemplate"]


def test_colors_start_again_with_dashes() -> None:
    styles = [style_of(index) for index in range(20)]
    assert len(set(styles)) == 20
