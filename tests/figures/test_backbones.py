"""The backbones as a table and as points: nothing is left out, what is at hand is filled, the chosen one is named."""

from __future__ import annotations

import pytest

from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE
from cnncore.figures.backbones import backbone_chart, backbone_table, work_of


def test_the_table_has_every_backbone_and_counts_work_in_defaults():
    table = backbone_table(list(BACKBONES), ["resnet18"]).set_index("key")
    assert list(table.index) == list(BACKBONES)
    assert table.loc[DEFAULT_BACKBONE, "work"] == 1
    assert table.loc["resnet18", "work"] == pytest.approx(1_814_073_344 / 385_187_552)
    assert table.query("at_hand").index.tolist() == ["resnet18"]
    assert not table[["title", "top1", "params", "macs", "megabytes", "license"]].isna().to_numpy().any()


def test_no_backbone_gives_empty_columns():
    table = backbone_table([], [])
    assert len(table) == 0
    assert {"title", "top1", "work"} <= set(table.columns)
    assert backbone_chart([], DEFAULT_BACKBONE, []).traces == []


def test_every_backbone_is_a_point_and_the_chosen_one_is_named():
    chart = backbone_chart(list(BACKBONES), "vgg16", ["resnet18"])
    *families, name = chart.traces
    assert sum(len(trace["x"]) for trace in families) == len(BACKBONES)
    assert name["text"] == ["VGG-16"]
    assert name["x"] == [pytest.approx((work_of(BACKBONES["vgg16"]) or 0) / 1e9)]
    filled = [
        text
        for trace in families
        for text, mark in zip(trace["text"], trace["marker"]["symbol"], strict=True)
        if not mark.endswith("-open")
    ]
    assert filled == ["ResNet-18, at hand"]
