"""Accuracy against cost: the Pareto front on points by hand, labels that do not cover each other, the chart."""

from __future__ import annotations

import numpy as np
import pytest

from cnncore.catalog import MODELS
from cnncore.config.latency import published_latency
from cnncore.figures.tradeoff import (
    COSTS,
    comparable_ms,
    own_table,
    pareto_front,
    place_labels,
    published_table,
    tradeoff,
)
from cnncore.runs.best import Best
from cnncore.runs.latencies import Latency, Timing
from tests.figures.charts import named, sent

IMAGENET = ("ImageNet", "1 crop")


@pytest.mark.parametrize(
    ("costs", "scores", "front"),
    [
        ([1, 2, 3], [10, 20, 30], [True, True, True]),
        ([1, 2, 3], [30, 20, 10], [True, False, False]),
        ([3, 1, 2], [30, 20, 10], [True, True, False]),
        # The same cost: the better one; the same score: the cheaper one; the same point: the first.
        ([1, 1], [10, 20], [False, True]),
        ([2, 1], [10, 10], [False, True]),
        ([1, 1], [10, 10], [True, False]),
        ([1, np.nan, 2], [np.nan, 50, 5], [False, False, True]),
        ([], [], []),
        ([7], [7], [True]),
    ],
)
def test_pareto_front(costs: list[float], scores: list[float], front: list[bool]):
    assert pareto_front(costs, scores).tolist() == front


def test_published_results_of_one_protocol():
    table = published_table(MODELS, "params", "top1", IMAGENET).set_index("key")
    assert table.loc["resnet18", "cost"] == 11_689_512
    assert table.loc["resnet18", "score"] == 69.758
    assert "lenet5" not in table.index
    some = published_table(["vgg16", "resnet50", "resnet18"], "params", "top1", IMAGENET)
    assert some["front"].tolist() == [False, True, True], "ResNet-50 is smaller than VGG-16, and better"
    assert not published_table(["vgg16"], "macs", "top5", ("ImageNet", "no such protocol")).size


def test_own_results_whose_cost_is_another_are_left_out():
    def best(model: str, *, same: bool) -> Best:
        return Best(run_id="r", run_name="r", model=model, dataset="cifar10", correct=9, count=10, num_params=5,
                    same_macs=same)  # fmt: skip

    runs = {("resnet20", "cifar10"): best("resnet20", same=True), ("nin", "cifar10"): best("nin", same=False)}
    macs = own_table(MODELS, "macs", "cifar10", runs)
    assert macs["key"].tolist() == ["resnet20"]
    assert macs["cost"].tolist() == [40_551_040]
    assert macs["score"].tolist() == [90]
    assert own_table(MODELS, "params", "cifar10", runs)["cost"].tolist() == [5, 5]
    assert own_table(MODELS, "params", "mnist", runs).empty


def _latency(name: str, ms: float, measured: float, precision: str = "bf16") -> Latency:
    timing = Timing(batch_size=1, ms=ms, ms_p10=ms, ms_p90=ms, repeats=50)
    return Latency(
        run=name, config=published_latency(name), host="here", device="cpu", device_name="A processor",
        precision=precision, threads=2, measured=measured, timings={1: timing},
    )  # fmt: skip


def test_latencies_are_compared_under_the_same_conditions():
    found = {
        "vgg16": _latency("vgg16", 90, measured=3),
        "resnet18": _latency("resnet18", 20, measured=2),
        "resnet50": _latency("resnet50", 70, measured=1, precision="fp32"),
    }
    measured, newest = comparable_ms(found)
    assert (measured, newest) == ({"vgg16": 90, "resnet18": 20}, found["vgg16"])
    table = published_table(MODELS, "latency", "top1", IMAGENET, measured)
    assert dict(zip(table["key"], table["cost"], strict=True)) == measured
    assert comparable_ms({}) == ({}, None)
    assert published_table(MODELS, "latency", "top1", IMAGENET).empty
    assert own_table(MODELS, "latency", "cifar10", {}).empty


def test_the_chart_draws_each_family_and_the_front():
    table = published_table(MODELS, "macs", "top1", IMAGENET)
    content = sent(tradeoff(table, COSTS["macs"].axis, "top-1", chosen="vgg16"))
    traces = named(content)
    assert {"Pareto front", "VGG", "ResNet", "AlexNet"} <= set(traces)
    assert traces["Pareto front"]["x"] == sorted(traces["Pareto front"]["x"])
    assert traces["Pareto front"]["line"]["shape"] == "hv"
    symbols = [trace["marker"]["symbol"] for trace in content["traces"][1:]]
    assert len(set(symbols)) == len(symbols), "color is not the only sign"
    marked = [key for key in table["key"] if MODELS[key].family == "vgg"].index("vgg16")
    assert traces["VGG"]["marker"]["size"][marked] == max(traces["VGG"]["marker"]["size"])
    assert content["layout"]["xaxis"]["type"] == "log"


@pytest.mark.parametrize("count", [0, 1])
def test_charts_of_hardly_anything(count: int):
    table = published_table(["resnet18"][:count], "macs", "top1", IMAGENET)
    content = sent(tradeoff(table, "MACs", "top-1"))
    assert len(content["traces"]) == 2 * count
    assert content["empty"]


def test_labels_cover_neither_points_nor_each_other():
    x, y = np.array([*np.arange(100.0, 140, 4), 500]), np.array([*np.arange(100.0, 110), 300])
    first = np.array([False] * 9 + [True, False])
    labels = place_labels(x, y, ["a network"] * 11, first)
    assert labels[9] is not None
    assert labels[10] == ("a network", "top center")
    assert None in labels, "there is no room for all"


def test_labels_keep_off_lines_and_inside():
    at = np.array([1.0]), np.array([100.0])
    assert place_labels(*at, ["name"], np.array([True])) == [("name", "middle right")]
    line = (0.0, 99.0, 700.0, 101.0)
    assert place_labels(*at, ["name"], np.array([True]), [line]) == [("name", "top right")]
    above = (0.0, 99.0, 700.0, 140.0)
    assert place_labels(*at, ["name"], np.array([True]), [above]) == [("name", "bottom right")]
    assert place_labels(*at, ["name"], np.array([True]), [(0.0, 0.0, 700.0, 300.0)]) == [None]
