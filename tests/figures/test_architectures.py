"""The tables of the networks, their results and their layers."""

from __future__ import annotations

import pandas as pd
import pytest

from cnncore.catalog import MODELS
from cnncore.catalog.zoo import zoo
from cnncore.figures.architectures import (
    architecture_table,
    layer_table,
    matching,
    own_results_table,
    protocols,
    results_table,
)
from cnncore.runs.best import Best

IMAGENET = ("ImageNet", "1 crop")
OWN = Best(
    run_id="abc", run_name="A run", model="resnet18", dataset="cifar10", correct=9_000, count=10_000,
    num_params=11_173_962, same_macs=True,
)  # fmt: skip
BEST = {("resnet18", "cifar10"): OWN}


def test_a_row_has_the_numbers_of_its_network():
    row = architecture_table(["resnet18", "vgg16"], IMAGENET, "cifar10", BEST).set_index("key").loc["resnet18"]
    assert (row["network"], row["family"], row["year"], row["depth"]) == ("ResNet-18", "ResNet", 2015, 18)
    assert row["params"] == 11_689_512
    assert row["gmacs"] == pytest.approx(1.814, abs=1e-3)
    assert row["memory_mb"] == pytest.approx(zoo()["resnet18"].activation_bytes() / 1e6)
    assert (row["top1"], row["top5"]) == (69.758, 89.078)
    assert (row["own"], row["run"]) == (90, "abc")
    assert row["params_and_statistics"] == 11_689_512 + 9_600


def test_results_of_another_protocol_or_data_set_stay_out():
    ten = architecture_table(["resnet18", "vgg16"], ("ImageNet", "10 crops"), "mnist", BEST).set_index("key")
    assert ten.loc["resnet18", "top1"] == pytest.approx(100 - 27.88)
    assert pd.isna(ten.loc["vgg16", "top1"])
    assert ten["own"].isna().tolist() == [True, True]
    assert pd.isna(ten.loc["vgg16", "params_and_statistics"])


def test_tables_of_all_networks_and_of_none():
    table = architecture_table(MODELS, IMAGENET, "mnist5k", {})
    assert table["key"].tolist() == list(MODELS)
    assert table[["params", "gmacs", "memory_mb", "receptive_field", "depth"]].isna().to_numpy().sum() == 0
    empty = architecture_table([], IMAGENET, "mnist5k", {})
    assert empty.empty
    assert list(empty.columns) == list(table.columns)


def test_a_network_that_is_not_counted_yet_has_gaps(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("cnncore.figures.architectures.zoo", dict)
    row = architecture_table(["vgg16"], IMAGENET, "mnist5k", {}).iloc[0]
    assert row["params"] == 138_357_544
    assert pd.isna(row["gmacs"])


def test_protocols_are_never_mixed_and_the_most_used_comes_first():
    known = protocols()
    assert next(iter(known)) == "imagenet-1-crop"
    assert known["imagenet-1-crop"] == IMAGENET
    assert known["imagenet-10-crops"] == ("ImageNet", "10 crops")
    results = {(each.dataset, each.protocol) for spec in MODELS.values() for each in spec.results}
    assert len(known) == len(results), "two protocols have the same name in links"


@pytest.mark.parametrize(
    ("families", "text", "found"),
    [
        (["nin"], "", ["nin"]),
        ([], "lenet-5", ["lenet5"]),
        (["vgg"], "16 batch norm", ["vgg16_1x1_bn", "vgg16_bn"]),
        (["nin"], "vgg", []),
        ([], "<script>", []),
    ],
)
def test_the_filter(families: list[str], text: str, found: list[str]):
    assert matching(families, text) == found


def test_the_results_of_one_network():
    published = results_table("vgg16")
    assert published["protocol"].tolist().count("1 crop") == 1
    assert len(published) == len(MODELS["vgg16"].results)
    assert results_table("resnet_tutorial").empty == (not MODELS["resnet_tutorial"].results)
    own = own_results_table("resnet18", BEST)
    (row,) = own.to_dict(orient="records")
    assert (row["dataset"], row["accuracy"], row["images"], row["run"]) == ("CIFAR-10", 90, 10_000, "abc")
    assert row["low"] < 90 < row["high"]
    assert own_results_table("vgg16", BEST).empty


def test_layers_are_readable():
    layer = {
        "name": "conv1", "kind": "convolution", "kernel": [5, 5], "stride": [1, 1], "padding": [0, 0], "groups": 1,
        "in_shape": [1, 28, 28], "out_shape": [20, 24, 24], "weights": 500, "biases": 20,
        "norm_statistics": 0, "num_params": 520, "macs": 288_000, "flops": 576_000, "jump": None, "start": None,
        "activations": 784, "indices": 10, "receptive_field": None,
    }  # fmt: skip
    row = layer_table([layer]).iloc[0]
    assert (row["kernel"], row["input"], row["output"]) == ("5×5", "1×28×28", "20×24×24")
    assert row["memory_kb"] == pytest.approx((784 * 4 + 80) / 1e3)
    assert pd.isna(row["receptive_field"])
    assert layer_table([]).empty
