"""A network's graph as data: what runs, in which order, and which tensors flow where; without torch.

`cnncore.models.graph` finds it, `cnncore.figures.graph` draws it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cnncore.catalog.profiles import compact, complete


@dataclass(frozen=True, kw_only=True)
class Node:
    """A layer that ran, a join of tensors, or the network's input.

    Attributes:
        name: The layer's dotted name, or that of the module and the function it called; the parts before the last dot
            are the blocks it stands in. Unique: a layer that runs a second time has `#2` behind its name.
        kind: As in `cnncore.models.profile.LayerProfile`; also `input`, `add`, `concat`, `multiply`.
        type: Name of the layer's class, or of the function.
        inputs: Positions in `Graph.nodes` of those whose outputs it takes, all before its own.
        out_shape: Shape of one image at its output, without the batch.
        layer: The facts of `LayerProfile.to_dict`; `None` where it is no layer.
    """

    name: str
    kind: str
    type: str
    inputs: tuple[int, ...]
    out_shape: tuple[int, ...]
    layer: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Edge:
    """The output of one node on its way to another; both are positions in `Graph.nodes`."""

    source: int
    target: int
    shape: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """The nodes in the order in which they run, the input first."""

    nodes: tuple[Node, ...]

    @property
    def edges(self) -> tuple[Edge, ...]:
        """The flow of tensors, by target."""
        return tuple(
            Edge(source=source, target=target, shape=self.nodes[source].out_shape)
            for target, node in enumerate(self.nodes)
            for source in node.inputs
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold."""
        return {"nodes": [_row(node) for node in self.nodes]}


def _row(node: Node) -> list[Any]:
    # Thousands of nodes with the same few fields: rows without names are a third as long.
    layer = None if node.layer is None else compact(node.layer)
    return [node.name, node.kind, node.type, list(node.inputs), list(node.out_shape), layer]


def read_graph(data: Mapping[str, Any]) -> Graph:
    """The graph that `Graph.to_dict` wrote."""
    return Graph(
        nodes=tuple(
            Node(
                name=name,
                kind=kind,
                type=type_name,
                inputs=tuple(inputs),
                out_shape=tuple(out_shape),
                layer=None if layer is None else complete(layer),
            )
            for name, kind, type_name, inputs, out_shape, layer in data["nodes"]
        )
    )
