"""Where parameters and work sit: bars that add up, and areas that are not divided without need."""

from __future__ import annotations

import pandas as pd
import pytest

from cnncore.catalog import MODELS
from cnncore.catalog.zoo import zoo
from cnncore.figures.cost_shares import MOST_AREAS, compact, cost_bars, cost_table, treemap
from tests.figures.charts import named, sent

TABLE = pd.DataFrame(
    {
        "key": ["a", "a", "a", "b"],
        "network": ["<A>", "<A>", "<A>", "B"],
        "stage": ["conv1", "norm1", "fc1", "output"],
        "kind": ["convolution", "pooling", "dense", "dense"],
        "params": [100, 100, 200, 5],
        "macs": [900, 0, 100, 5],
    }
)


def test_the_stages_of_the_networks():
    table = cost_table(["vgg16", "googlenet_small"])
    assert table["key"].unique().tolist() == ["vgg16", "googlenet_small"]
    dense = table.query("key == 'vgg16' and kind == 'dense'")
    assert sum(dense["params"]) == 123_642_856
    assert cost_table([]).empty


def test_bars_of_shares_follow_each_other():
    content = sent(cost_bars(TABLE, "params"))
    traces = named(content)
    assert list(traces) == ["convolution", "dense", "other"]
    assert (traces["convolution"]["base"], traces["convolution"]["x"]) == ([0], [25])
    assert (traces["other"]["base"], traces["other"]["x"]) == ([25], [25])
    assert (traces["dense"]["base"], traces["dense"]["x"], traces["dense"]["y"]) == ([50, 0], [50, 100], [0, 1])
    assert traces["dense"]["text"] == ["fc1", "output"]
    assert content["layout"]["yaxis"]["ticktext"] == ["&lt;A&gt;<br>400", "B<br>5"]


def test_bars_of_counts():
    content = sent(cost_bars(TABLE, "macs", share=False))
    traces = named(content)
    assert list(traces) == ["convolution", "dense"], "what does no work is not drawn"
    assert (traces["dense"]["base"], traces["dense"]["x"]) == ([900, 0], [100, 5])
    assert traces["dense"]["text"] == ["fc1", ""], "names only where there is room"


@pytest.mark.parametrize("quantity", ["params", "macs"])
def test_no_network_is_chosen(quantity: str):
    content = sent(cost_bars(cost_table([]), "params" if quantity == "params" else "macs"))
    assert content["traces"] == []
    assert content["empty"].startswith("Choose networks")


def _layer(name: str, count: int, kind: str = "convolution") -> dict[str, object]:
    return {"name": name, "kind": kind, "num_params": count, "macs": 10 * count}


def test_areas_follow_the_names_of_the_layers():
    layers = [
        _layer("stem.conv", 99), _layer("stem.norm", 1, "normalization"), _layer("stage1.block1.conv1.conv", 300),
        _layer("stage1.block1.conv2.conv", 100), _layer("stage1.block2.conv1.conv", 200), _layer("output", 50, "dense"),
        _layer("pool", 0, "pooling"),
    ]  # fmt: skip
    (tree,) = sent(treemap("Net", layers, "params"))["traces"]
    areas = dict(zip(tree["ids"], zip(tree["parents"], tree["values"], strict=True), strict=True))
    assert areas == {
        "/": ("", 750),
        "stem": ("/", 100),
        "stage1": ("/", 600),
        "output": ("/", 50),
        "stage1.block1": ("stage1", 400),
        "stage1.block2": ("stage1", 200),
        "stage1.block1.conv1": ("stage1.block1", 300),
        "stage1.block1.conv2": ("stage1.block1", 100),
    }
    assert tree["text"][tree["ids"].index("stem")] == "100, 13.3%"
    (work,) = sent(treemap("Net", layers, "macs"))["traces"]
    assert work["values"][0] == 7_500


def test_very_deep_networks_are_divided_less():
    layers = [_layer(f"stage{n % 3}.block{n}.conv{c}", 10 + c) for n in range(300) for c in range(2)]
    (tree,) = sent(treemap("Net", layers, "params"))["traces"]
    assert len(tree["ids"]) == 4 <= MOST_AREAS
    assert tree["values"][0] == sum(tree["values"][1:]) == 300 * 21


def test_a_network_without_layers_yet():
    assert sent(treemap("Net", [], "params"))["traces"] == []


def test_all_networks_can_be_drawn():
    for key in MODELS:
        sent(cost_bars(cost_table([key]), "macs"))
        assert sum(cost_table([key])["params"]) == zoo()[key].num_params


def test_counts_in_three_digits():
    assert [compact(number) for number in (7, 4_310, 138_357_544, 15_470_264_320, 2e12)] == [
        "7", "4.31 k", "138 M", "15.5 G", "2 T",
    ]  # fmt: skip
