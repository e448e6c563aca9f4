"""The chart of the check with random weights."""

from __future__ import annotations

from cnncore.analysis.sanity import NOTICES_BELOW
from cnncore.figures.sanity import LIMIT, sanity_lines
from tests.figures.charts import named, sent


def test_each_method_has_a_line_that_is_not_only_told_by_color() -> None:
    content = sent(sanity_lines(("", "fc", "<b>"), {"Grad-CAM": [1, 0.4, 0.1], "Plain gradient": [1, 0.9, -0.8]}))
    traces = named(content)
    assert traces["Grad-CAM"]["x"] == [0, 1, 2]
    assert traces["Plain gradient"]["y"] == [1, 0.9, -0.8]
    assert len({trace["marker"]["symbol"] for trace in content["traces"]}) == 2
    assert traces["Grad-CAM"]["customdata"] == ["as trained", "random up to fc", "random up to &lt;b&gt;"]
    low, high = content["layout"]["yaxis"]["range"]
    assert low < -0.8
    assert high > 1
    assert content["layout"]["xaxis"]["ticktext"] == ["0", "1", "2"]


def test_the_limit_is_drawn_and_that_of_the_check() -> None:
    (shape,) = sent(sanity_lines(("", "fc"), {"Grad-CAM": [1, 0.4]}))["layout"]["shapes"]
    assert shape["y0"] == shape["y1"] == LIMIT == NOTICES_BELOW


def test_without_methods_it_says_what_will_come() -> None:
    content = sent(sanity_lines((), {}))
    assert content["traces"] == []
    assert content["empty"]
