"""Images as points: each in one trace, with its row, colored by class, error or confidence."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from cnncore.figures.embedding import COLORINGS, COLORS, confused_classes, embedding_chart, points_table
from tests.figures.charts import named, numbers, sent

LABELS = ["cat", "cat", "dog", "dog", "<b>"]
SAID = ["cat", "dog", "dog", "cat", "<b>"]


def table(*, comparable: bool = True, count: int = 5) -> pd.DataFrame:
    points = np.arange(10, dtype=np.float32).reshape(5, 2)
    confidence = np.array([0.9, 0.2, 0.5, 0.7, 1.0], np.float32)
    return points_table(points[:count], LABELS[:count], SAID[:count], confidence[:count], comparable=comparable)


def test_the_table() -> None:
    assert table()["right"].tolist() == [True, False, True, False, True]
    assert table(comparable=False)["right"].isna().tolist() == [True] * 5


@pytest.mark.parametrize("color", COLORINGS)
@pytest.mark.parametrize("count", [0, 1, 5])
def test_every_image_is_one_point(color: str, count: int) -> None:
    shown = table(count=count)
    traces = sent(embedding_chart(shown, color, ["cat", "dog"], ("", "")))["traces"]
    rows = [row for trace in traces for row in trace["customdata"]]
    assert sorted(rows) == list(range(count))
    for trace in traces:
        assert numbers(trace["x"]).tolist() == shown["x"].iloc[trace["customdata"]].tolist()


def test_classes_in_color() -> None:
    content = named(sent(embedding_chart(table(), "class", ["dog"], ("first", "second"))))
    assert content["dog"]["customdata"] == [2, 3]
    assert content["other classes"]["customdata"] == [0, 1, 4]
    every = named(sent(embedding_chart(table(), "class", ["cat", "dog", "<b>"], ("", ""))))
    assert list(every) == ["cat", "dog", "&lt;b&gt;"]
    assert len({(trace["marker"]["color"], trace["marker"]["symbol"]) for trace in every.values()}) == 3


def test_classes_differ_in_color_and_in_shape() -> None:
    assert len(set(COLORS)) == len(COLORS) == 10


def test_right_and_wrong() -> None:
    content = named(sent(embedding_chart(table(), "error", [], ("", ""))))
    assert content["right (3)"]["customdata"] == [0, 2, 4]
    assert content["wrong (2)"]["customdata"] == [1, 3]


def test_the_least_certain_are_drawn_last() -> None:
    (trace,) = sent(embedding_chart(table(), "confidence", [], ("", "")))["traces"]
    assert trace["customdata"] == [4, 0, 3, 2, 1]
    assert numbers(trace["marker"]["color"]).tolist() == pytest.approx([1.0, 0.9, 0.7, 0.5, 0.2])


def test_the_chosen_picture_is_ringed() -> None:
    content = named(sent(embedding_chart(table(), "class", ["cat", "dog"], ("", ""), chosen=3)))
    assert content["the picture above"]["customdata"] == [3]


def test_the_most_confused_classes_come_first() -> None:
    assert confused_classes(table(), 2) == ["cat", "dog"]
    assert confused_classes(table(), 9) == ["cat", "dog", "<b>"]
    assert confused_classes(table(comparable=False), 9) == ["cat", "dog", "<b>"]
