"""Curves of accuracy over the strength of a disturbance."""

from __future__ import annotations

import pytest

from cnncore.catalog.disturbances import DISTURBANCES
from cnncore.figures.intervals import wilson
from cnncore.figures.robustness import RobustnessCurve, robustness, robustness_table
from tests.figures.charts import named, numbers, sent


def curve(label: str = "LeNet", size: int = 28) -> RobustnessCurve:
    return RobustnessCurve(
        label=label, color="#2F7ED8", dash="solid", strengths=(0, 7, 14), right=(20, 15, 0), count=20, size=size
    )


def test_the_table_has_an_interval_for_every_strength() -> None:
    table = robustness_table([curve(), curve("B")])
    assert table["accuracy"].tolist() == [1, 0.75, 0] * 2
    assert (table["low"][1], table["high"][1]) == pytest.approx(wilson(15, 20))
    assert table["network"].tolist() == ["LeNet"] * 3 + ["B"] * 3


def test_names_from_outside_and_guessing() -> None:
    content = sent(robustness([curve("<b>A</b>")], DISTURBANCES["shift"], 10))
    (trace,) = content["traces"]
    assert trace["name"] == "&lt;b&gt;A&lt;/b&gt;"
    assert "15 of 20" in trace["customdata"][1]
    assert content["layout"]["shapes"][0]["y0"] == 10
    assert content["layout"]["xaxis"]["title"]["text"] == "shift, pixels"
    assert not content["layout"]["showlegend"]


def test_networks_for_images_of_different_sizes_are_compared_by_shares_of_the_side() -> None:
    content = sent(robustness([curve(), curve("B", size=56)], DISTURBANCES["shift"], 10))
    traces = named(content)
    assert numbers(traces["LeNet"]["x"]).tolist() == [0, 25, 50]
    assert numbers(traces["B"]["x"]).tolist() == [0, 12.5, 25]
    assert "% of the side" in content["layout"]["xaxis"]["title"]["text"]
    turned = sent(robustness([curve(), curve("B", size=56)], DISTURBANCES["rotation"], 10))
    assert numbers(named(turned)["B"]["x"]).tolist() == [0, 7, 14]


def test_without_curves_there_is_a_word() -> None:
    assert sent(robustness([], DISTURBANCES["noise"], 2))["empty"]
