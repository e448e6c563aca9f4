"""The graph of every network: joins, flow, shapes."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from cnncore.catalog import MODELS
from cnncore.config import ModelConfig
from cnncore.graph import Graph, read_graph
from cnncore.models.graph import graph_of
from cnncore.models.profile import profile_model
from tests.models.members import NAMES


def graph(name: str, **options: object) -> Graph:
    return graph_of(ModelConfig.model_validate({"name": name, **options}), (3, 32, 32), 10)


def kinds(name: str) -> Counter[str]:
    return Counter(node.kind for node in graph(name).nodes)


def test_shortcuts_are_added_and_branches_stacked() -> None:
    assert (kinds("resnet20")["add"], kinds("resnet20")["concat"]) == (9, 0)
    assert (kinds("googlenet_small")["add"], kinds("googlenet_small")["concat"]) == (0, 9)
    assert not {"add", "concat", "multiply"} & set(kinds("lenet5"))


def test_a_shortcut_leads_around_two_convolutions() -> None:
    nodes = graph("resnet20").nodes
    place = {node.name: index for index, node in enumerate(nodes)}
    first, second = nodes[place["stage1.block2.add"]], nodes[place["stage2.block1.add"]]
    assert set(first.inputs) == {place["stage1.block2.conv2.norm"], place["stage1.block1.activation"]}
    assert set(second.inputs) == {place["stage2.block1.conv2.norm"], place["stage2.block1.shortcut"]}
    assert nodes[place["stage2.block1.shortcut"]].out_shape == (32, 16, 16)


def test_four_branches_are_stacked() -> None:
    nodes = graph("googlenet_small").nodes
    stack = next(node for node in nodes if node.name == "inception3a.concat")
    assert [nodes[source].out_shape for source in stack.inputs] == [(64, 8, 8), (128, 8, 8), (32, 8, 8), (32, 8, 8)]
    assert stack.out_shape == (256, 8, 8)


@pytest.mark.parametrize("name", NAMES)
def test_what_flows_is_what_the_layers_take(name: str) -> None:
    found = graph(name)
    assert found.nodes[0].kind == "input"
    assert len({node.name for node in found.nodes}) == len(found.nodes)
    for edge in found.edges:
        assert edge.source < edge.target
        target = found.nodes[edge.target]
        if target.layer is not None and len(target.inputs) == 1:
            assert list(edge.shape) == list(target.layer["in_shape"])
    used = {edge.source for edge in found.edges}
    outputs = [node for index, node in enumerate(found.nodes) if index not in used]
    assert all(node.out_shape == (10,) for node in outputs)
    assert len(outputs) == (3 if MODELS[name].aux_weight else 1)


@pytest.mark.parametrize("name", NAMES)
def test_the_layers_are_those_of_the_profile(name: str) -> None:
    layers = [node.layer for node in graph(name).nodes if node.layer is not None]
    profile = profile_model(ModelConfig(name=name), (3, 32, 32), 10)
    assert sum(layer["num_params"] for layer in layers) == profile.num_params
    assert sum(layer["macs"] for layer in layers) == profile.macs


@pytest.mark.parametrize("name", ["lenet5", "googlenet_small"])
def test_json_both_ways(name: str) -> None:
    found = graph(name)
    text = json.dumps(found.to_dict())
    again = read_graph(json.loads(text))
    assert json.loads(json.dumps(again.to_dict())) == json.loads(text)
    assert [(node.name, node.inputs, node.out_shape) for node in again.nodes] == [
        (node.name, node.inputs, node.out_shape) for node in found.nodes
    ]
    assert again.nodes[-1].layer == json.loads(json.dumps(found.nodes[-1].layer))
