"""The balance of the classes: one bar a class and split, of many classes the smallest."""

from __future__ import annotations

import pandas as pd

from cnncore.figures.image_set import MAX_BARS, balance_chart

COLUMNS = ["class", "train", "validation", "test", "excluded"]


def table(*rows: tuple[str, int, int, int, int]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=COLUMNS)


def test_bars_of_the_splits_that_have_images() -> None:
    chart = balance_chart(table(("cat", 8, 2, 0, 1), ("dog", 16, 4, 0, 0)))
    assert [(trace["name"], trace["x"]) for trace in chart.traces] == [
        ("training", [8, 16]),
        ("validation", [2, 4]),
        ("excluded", [1, 0]),
    ]
    assert chart.layout["yaxis"]["ticktext"] == ["cat", "dog"]


def test_of_many_classes_the_smallest() -> None:
    rows = [(f"class {number}", number, 0, 0, 0) for number in range(MAX_BARS + 20, 0, -1)]
    chart = balance_chart(table(*rows))
    assert chart.traces[0]["x"] == list(range(1, MAX_BARS + 1))
    assert f"{MAX_BARS} smallest" in chart.label


def test_names_are_shown_literally_and_shortened() -> None:
    chart = balance_chart(table(("<b>" + "x" * 40, 1, 0, 0, 0)))
    (name,) = chart.layout["yaxis"]["ticktext"]
    assert name.startswith("&lt;b&gt;xxx")
    assert name.endswith("…")


def test_an_empty_set_has_an_empty_chart() -> None:
    chart = balance_chart(table())
    assert chart.traces == []
    assert chart.empty
    assert chart.to_bytes()
