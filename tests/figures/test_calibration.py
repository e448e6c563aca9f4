"""The reliability diagram and its sentences."""

from __future__ import annotations

import numpy as np
import pytest

from cnncore.figures.calibration import balance_words, calibration, calibration_table, confidence_words
from cnncore.figures.intervals import wilson
from cnncore.runs.calibration import reliability
from tests.figures.charts import named, numbers, sent

SURE = np.array([0.9] * 50 + [0.5] * 4)
RIGHT = np.array([True] * 42 + [False] * 8 + [True, True, True, False])


def test_groups_come_with_intervals_and_without_empty_ones() -> None:
    table = calibration_table(reliability(SURE, RIGHT))
    assert table["images"].tolist() == [4, 50]
    assert table["accuracy"].tolist() == [0.75, 0.84]
    assert (table["low"][1], table["high"][1]) == pytest.approx(wilson(42, 50))


def test_groups_of_few_images_are_faded() -> None:
    content = sent(calibration(reliability(SURE, RIGHT), "validation"))
    traces = named(content)
    assert numbers(traces["≥ 10 images"]["x"]).tolist() == [90]
    assert numbers(traces["fewer"]["x"]).tolist() == [50]
    assert traces["fewer"]["opacity"] < traces["≥ 10 images"]["opacity"]
    assert "42 of 50 images" in traces["≥ 10 images"]["customdata"][0]
    assert numbers(traces["images"]["y"]).tolist() == [4, 50]


@pytest.mark.parametrize("count", [0, 1])
def test_without_images_there_is_a_chart_too(count: int) -> None:
    traces = named(sent(calibration(reliability(np.full(count, 0.7), np.ones(count, bool)), "test")))
    assert len(numbers(traces["images"]["y"])) == count


def test_what_it_says_is_said_in_words() -> None:
    words = confidence_words(SURE, RIGHT)
    assert words.startswith("When it says about 90 %")
    assert "right in 84 % of cases: 42 of 50 images" in words
    few = confidence_words(np.repeat((0.99, 0.9, 0.8, 0.2), (500, 19, 19, 2)), np.ones(540, bool))
    assert "cannot be told: at none of these levels are there 20 images" in few
    assert "between 45 and 95 % sure of 38 of 540" in few
    other = confidence_words(np.full(40, 0.7), np.arange(40) < 30)
    assert "about 70 %" in other
    assert "75 % of cases" in other


def test_the_balance_names_the_side() -> None:
    assert balance_words(np.array([0.9, 0.9]), np.array([True, False])) == (
        "On average it is 90.0 % sure and 50.0 % right: 40.0 points too sure of itself."
    )
    even = balance_words(np.array([0.9, 0.1004]), np.array([True, False]))
    assert even == "On average it is 50.0 % sure and 50.0 % right: as sure as it should be."
    assert "20.0 points less sure than it could be" in balance_words(np.array([0.8]), np.array([True]))
