"""Accuracy against costs and class by class."""

from __future__ import annotations

import math

import numpy as np
import pytest

from cnncore.figures.compared import Scored, against_parameters, against_time, class_dots, class_table
from cnncore.figures.intervals import wilson
from tests.figures.charts import named, numbers, sent


def scored(name: str, correct: int, num_params: float = 1_000, seconds: float = 60, count: int = 100) -> Scored:
    return Scored(
        name=name, group=0, color="#123456", correct=correct, count=count, num_params=num_params, seconds=seconds
    )


def test_points_carry_their_wilson_interval() -> None:
    content = sent(against_parameters([scored("a", 90), scored("b", 95, 2_000)]))
    point = named(content)["a"]
    low, high = wilson(90, 100)
    assert (point["x"], point["y"]) == ([1_000], [90])
    assert numbers(point["error_y"]["array"])[0] == pytest.approx(100 * high - 90, rel=1e-5)
    assert numbers(point["error_y"]["arrayminus"])[0] == pytest.approx(90 - 100 * low, rel=1e-5)
    assert content["layout"]["xaxis"]["range"] == pytest.approx([math.log10(500), math.log10(4_000)])


def test_time_has_a_readable_unit_and_unknown_costs_are_left_out() -> None:
    content = sent(against_time([scored("a", 90, seconds=600), scored("b", 95, seconds=math.nan)]))
    assert list(named(content)) == ["a"]
    assert content["traces"][0]["x"] == [10]
    assert content["layout"]["xaxis"]["title"]["text"] == "training time, min"


@pytest.mark.parametrize("chart", [against_parameters, against_time])
def test_without_runs_there_are_words(chart) -> None:
    assert sent(chart([]))["traces"] == []


FIRST, SECOND = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]]), np.array([[9, 1, 0], [5, 5, 0], [0, 0, 0]])


def test_the_class_with_the_largest_difference_comes_first() -> None:
    table = class_table([FIRST, SECOND], ["a", "b"], ["cat", "dog", "cow"])
    assert table["class"].tolist() == ["dog", "cat", "cow"]
    assert table["apart"].tolist()[:2] == pytest.approx([0.4, 0.1])
    assert table["a"].isna().tolist() == [False, False, True]


def test_dots_of_a_class_lie_side_by_side() -> None:
    content = sent(class_dots([FIRST, SECOND], ["a", "b"], ["#111111", "#222222"], ["x", "x", "<z>"]))
    first, second = content["traces"]
    assert numbers(first["x"])[:2].tolist() == pytest.approx([90, 80])
    assert numbers(first["y"])[0] < 0 < numbers(second["y"])[0]
    assert content["layout"]["yaxis"]["ticktext"][2] == "&lt;z&gt;"


def test_one_run_and_many_classes() -> None:
    matrix = np.eye(100, dtype=np.int64)
    content = sent(class_dots([matrix], ["a"], ["#111111"], [str(index) for index in range(100)]))
    assert len(numbers(content["traces"][0]["x"])) == 20
