"""Seeds and means of a few approaches."""

from __future__ import annotations

import pytest

from cnncore.figures.approaches import approach_dots
from cnncore.runs.statistics import mean_interval
from tests.figures.charts import sent


def test_seeds_are_dots_and_the_mean_has_its_interval() -> None:
    content = sent(approach_dots({"Frozen": [0.9, 0.92, 0.94], "<b>": [0.5], "From scratch": []}, "test accuracy"))
    assert content["layout"]["yaxis"]["ticktext"] == ["Frozen", "&lt;b&gt;", "From scratch"]
    dots, mean, one, single = content["traces"]
    assert dots["x"] == pytest.approx([90, 92, 94])
    assert mean["x"] == pytest.approx([92])
    interval = mean_interval([0.9, 0.92, 0.94])
    assert mean["error_x"]["array"] == pytest.approx([100 * (interval.high - interval.value)])
    assert one["x"] == single["x"] == [50]
    assert "error_x" not in single, "one seed says nothing about the spread"


def test_without_results_there_are_words() -> None:
    content = sent(approach_dots({"Frozen": []}, "test accuracy"))
    assert content["traces"] == []
    assert "appears here" in content["empty"]
