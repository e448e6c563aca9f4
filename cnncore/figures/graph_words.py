"""What is written on the boxes of a network's graph, and the facts behind them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cnncore.figures.graph_outline import WEIGHTED, Block
from cnncore.graph import Graph, Node

Facts = list[tuple[str, str]]
"""Names and values, to be shown line by line."""


def times(shape: Sequence[int]) -> str:
    """A shape or a window as people write it: 64×8×8."""
    return "×".join(map(str, shape))


def main_node(graph: Graph, block: Block) -> Node:
    """The node after which a box is called: the layer with weights, else the pooling, else the first one."""
    nodes = [graph.nodes[index] for index in block.nodes[0]]
    for kinds in (WEIGHTED, ("pooling",)):
        for node in nodes:
            if node.kind in kinds:
                return node
    return nodes[0]


def node_title(node: Node) -> str:
    """What a node does, in a few words: `3×3 conv, 64, /2`."""
    if node.kind in _TITLES:
        return _TITLES[node.kind](node, node.layer or {})
    return node.kind if node.layer is None else _window_words(node.layer, node.type)


def _window_words(layer: Mapping[str, Any], words: str) -> str:
    kernel, stride = layer["kernel"], layer["stride"]
    if not kernel:
        return words
    step = "" if max(stride) == 1 else f", /{stride[0] if stride[0] == stride[1] else times(stride)}"
    return f"{times(kernel)} {words}{step}"


def _convolution(node: Node, layer: Mapping[str, Any]) -> str:
    groups, channels = layer["groups"], layer["in_shape"][0]
    if groups > 1 and groups == channels:
        return _window_words(layer, f"depthwise, {node.out_shape[0]}")
    return _window_words(layer, f"conv, {node.out_shape[0]}") + (f", {groups} groups" if groups > 1 else "")


def _pooling(node: Node, layer: Mapping[str, Any]) -> str:
    words = next((words for part, words in _POOLINGS.items() if part in node.type.lower()), node.type.lower())
    if layer.get("kernel"):
        return _window_words(layer, words)
    spatial = node.out_shape[1:]
    return f"global {words}" if all(size == 1 for size in spatial) else f"{words} to {times(spatial)}"


def _normalization(node: Node, layer: Mapping[str, Any]) -> str:
    if "Batch" in node.type:
        return "batch norm, activation" if "Act" in node.type else "batch norm"
    return "LRN" if "Response" in node.type else node.type


def _shortcut(node: Node, layer: Mapping[str, Any]) -> str:
    return "every 2nd pixel, zeros" if layer.get("stride") and max(layer["stride"]) > 1 else "zeros for channels"


_POOLINGS = {"max": "max pool", "avg": "average pool", "mean": "average pool", "subsample": "sub-sampling"}

_TITLES: dict[str, Callable[[Node, Mapping[str, Any]], str]] = {
    "input": lambda node, layer: "input",
    "add": lambda node, layer: "+",
    "multiply": lambda node, layer: "×",
    "concat": lambda node, layer: f"stack, {node.out_shape[0]}",
    "convolution": _convolution,
    "dense": lambda node, layer: f"dense, {node.out_shape[-1]}",
    "pooling": _pooling,
    "normalization": _normalization,
    "activation": lambda node, layer: "ReLU" if node.type == "relu" else node.type,
    "dropout": lambda node, layer: "dropout",
    "reshape": lambda node, layer: "flatten",
    "padding": lambda node, layer: "zero padding",
    "resize": lambda node, layer: f"resize to {times(node.out_shape[1:])}",
    "shortcut": _shortcut,
}

_JOINS = {"add": "Sum", "multiply": "Product", "concat": "Stack of channels"}


def box_facts(graph: Graph, block: Block) -> Facts:
    """All that is known of what a box stands for."""
    nodes = [graph.nodes[index] for index in block.nodes[0]]
    if len(nodes) == 1:
        return node_facts(graph, nodes[0])
    if block.is_unit and block.count == 1:
        main = main_node(graph, block)
        rest = ", ".join(node_title(node) for node in nodes if node is not main)
        return [*node_facts(graph, main), ("With", rest), ("Leaves", times(nodes[-1].out_shape))]
    return _sums(graph, block)


def node_facts(graph: Graph, node: Node) -> Facts:
    """All that is known of a layer or a join."""
    layer = node.layer
    if layer is None:
        shapes = [times(graph.nodes[source].out_shape) for source in node.inputs]
        takes: Facts = [("Takes", " and ".join(shapes))] if shapes else []
        what = _JOINS.get(node.kind, node.kind.capitalize())
        return [("What", what), ("Name", node.name), *takes, ("Leaves", times(node.out_shape))]
    facts: Facts = [("Layer", node.type), ("Name", node.name)]
    if layer["kernel"]:
        windows = [("Window", "kernel"), ("Stride", "stride"), ("Padding", "padding")]
        facts += [(title, times(layer[name])) for title, name in windows]
    if layer["groups"] > 1:
        facts.append(("Groups", f"{layer['groups']:,}"))
    facts += [("Takes", times(layer["in_shape"])), ("Leaves", times(node.out_shape))]
    if layer["num_params"]:
        facts.append(("Parameters", f"{layer['num_params']:,}"))
    if layer["weights"] and layer["biases"]:
        facts.append(("of these", f"{layer['weights']:,} weights, {layer['biases']:,} biases"))
    if layer["norm_statistics"]:
        facts.append(("Statistics", f"{layer['norm_statistics']:,}, not trained"))
    if layer["macs"]:
        facts += [("MACs", f"{layer['macs']:,}"), ("FLOPs", f"{layer['flops']:,}")]
    return [*facts, *_field_facts(layer), ("Kept values", f"{layer['activations']:,}")]


def _field_facts(layer: Mapping[str, Any]) -> Facts:
    if not layer["receptive_field"]:
        return [("Sees", "the whole image")]
    size, jump = layer["receptive_field"], layer["jump"]
    return [
        ("Sees", f"{size} px of the image"),
        ("Its neighbor", f"{jump} px further"),
        ("First center", f"{layer['start']:g} px from the edge"),
    ]


def _sums(graph: Graph, block: Block) -> Facts:
    nodes = [graph.nodes[index] for index in block.nodes[0]]
    layers = [node.layer for node in nodes if node.layer is not None]
    sources = dict.fromkeys(source for node in nodes for source in node.inputs)
    takes = [times(graph.nodes[source].out_shape) for source in sources if source not in block.nodes[0]]
    facts: Facts = [("Module", block.id)]
    if block.count > 1:
        facts = [("Modules", f"{block.count} alike: {block.id} to {block.last}")]
    facts += [("Layers", f"{len(layers)}"), ("Takes", " and ".join(takes)), ("Leaves", times(nodes[-1].out_shape))]
    for title, name in (("Parameters", "num_params"), ("MACs", "macs"), ("FLOPs", "flops")):
        each = sum(layer[name] for layer in layers)
        facts.append((title, f"{block.count} × {each:,} = {block.count * each:,}" if block.count > 1 else f"{each:,}"))
    # The field grows from module to module; what the last one's outputs see is what the block leaves.
    last = [graph.nodes[index].layer for index in block.nodes[-1]]
    fields = [layer for layer in last if layer is not None]
    return [*facts, *(_field_facts(fields[-1]) if fields else [])]
