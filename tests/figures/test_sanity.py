"""The chart of the check with random weights."""

from __future__ import annotations

from cnncore.figures.sanity import sanity_lines
from tests.figures.charts import named, sent


def test_each_method_has_a_line_that_is_not_only_told_by_color() -> None:
    content = sent(sanity_lines(("", "fc", "<b>"), {"Grad-CAM": [1, 0.4, 0.1], "Plain gradient": [1, 0.9, -0.8]}, 0.5))
    traces = named(content)
    assert traces["Grad-CAM"]["x"] == [0, 1, 2]
    assert traces["Plain gradient"]["y"] == [1, 0.9, -0.8]
    assert len({trace["marker"]["symbol"] for trace in content["traces"]}) == 2
    assert traces["Grad-CAM"]["customdata"] == ["as trained", "random up to fc", "random up to &lt;b&gt;"]
    low, high = content["layout"]["yaxis"]["range"]
    assert low < -0.8
    assert high > 1
    assert content["layout"]["xaxis"]["ticktext"] == ["0", "1", "2"]


def test_the_limit_is_drawn() -> None:
    (shape,) = sent(sanity_lines(("", "fc"), {"Grad-CAM": [1, 0.4]}, 0.3))["layout"]["shapes"]
    assert shape["y0"] == shape["y1"] == 0.3


def test_without_methods_it_says_what_will_come() -> None:
    content = sent(sanity_lines((), {}, 0.5))
    assert content["traces"] == []
    assert content["empty"]
