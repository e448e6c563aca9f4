"""Weights by size, now and before training."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from cnncore.figures.weight_histograms import change_words, changes, weight_histogram

EDGES = (-1.0, 0.0, 1.0, 2.0)


def numbers(encoded: dict[str, str]) -> list[float]:
    return np.frombuffer(base64.b64decode(encoded["bdata"]), np.float32).tolist()


def test_both_are_drawn_over_each_other() -> None:
    chart = weight_histogram("conv1.weight", EDGES, (1, 2, 3), (3, 2, 1))
    now, before = chart.traces
    assert numbers(now["x"]) == numbers(before["x"]) == [-0.5, 0.5, 1.5]
    assert (numbers(now["y"]), numbers(before["y"])) == ([1, 2, 3], [3, 2, 1])
    assert now["line"]["dash"] != before["line"]["dash"], "color is not the only sign"
    assert chart.layout["showlegend"]


def test_without_a_start_there_is_one_curve() -> None:
    chart = weight_histogram("a <b>", EDGES, (1, 2, 3), None)
    assert len(chart.traces) == 1
    assert not chart.layout["showlegend"]
    assert b"Histogram of a <b>" in chart.to_bytes(), "as the chart's words, which are no HTML"


def test_the_tensor_shown_stands_out() -> None:
    chart = changes(["a", "b <i>"], [0.1, 0.5], "b <i>")
    (bars,) = chart.traces
    assert numbers(bars["y"]) == [10, 50]
    assert len(set(bars["marker"]["color"])) == 2
    assert bars["customdata"] == ["a", "b &lt;i&gt;"]
    assert changes([], [], "").traces == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        (0.0, "did not move at all"),
        (0.005, "hardly moved"),
        (0.05, "moved a little"),
        (0.3, "moved clearly"),
        (0.99, "moved far"),
        (1.0, "moved farther than it was from zero"),
    ],
)
def test_how_far_in_words(changed: float, words: str) -> None:
    assert change_words(changed) == words
