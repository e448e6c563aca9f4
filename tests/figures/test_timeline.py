"""The ImageNet challenge as a chart and as a table."""

from __future__ import annotations

import pandas as pd

from cnncore.catalog import FAMILIES
from cnncore.catalog.ilsvrc import ENTRIES, HUMAN_TOP5_ERROR
from cnncore.figures.timeline import timeline, winners_table
from tests.figures.charts import named, sent


def test_one_winner_a_year_each_with_a_source():
    winners = [entry for entry in ENTRIES if entry.place == 1]
    assert [entry.year for entry in winners] == list(range(2010, 2016))
    errors = [entry.top5_error for entry in winners]
    assert errors == sorted(errors, reverse=True)
    assert all(entry.source for entry in ENTRIES)
    assert {entry.family for entry in ENTRIES} <= {"", *FAMILIES}


def test_the_table():
    table = winners_table().set_index("name")
    assert table.loc["ResNet", ["year", "top5_error", "depth"]].tolist() == [2015, 3.57, 152]
    assert pd.isna(table.loc["XRCE", "depth"])
    assert table.loc["VGG", "place"] == 2


def test_the_chart_has_errors_depths_and_the_trained_person():
    traces = named(sent(timeline()))
    assert set(traces) == {"winner", "second place", "a trained person", "layers with weights"}
    assert traces["winner"]["y"] == [28.2, 25.8, 16.4, 11.7, 6.7, 3.57]
    assert traces["second place"]["text"] == ["VGG 7.3 %"]
    assert traces["a trained person"]["y"] == [HUMAN_TOP5_ERROR] * 2
    assert traces["layers with weights"]["y"] == [8, 8, 22, 19, 152]
    assert len(set(traces["layers with weights"]["x"])) == 5, "bars of one year stand side by side"
