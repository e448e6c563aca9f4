"""The graph of a network, found by running it on torch's "meta" device: layers, joins and what flows between them."""

from __future__ import annotations

from cnncore.config import ModelConfig
from cnncore.graph import Graph, Node
from cnncore.models.profile import layer_of
from cnncore.models.recorder import Step, record


def graph_of(config: ModelConfig, in_shape: tuple[int, int, int], num_classes: int, *, training: bool = True) -> Graph:
    """The graph of a network for images of `in_shape` (C, H, W).

    Args:
        config: The network and its options.
        in_shape: Channels, height and width of the images.
        num_classes: Number of classes.
        training: Whether auxiliary heads are in it.

    Raises:
        ConfigError: if `build_model` would refuse the network.
    """
    return Graph(nodes=tuple(_node(step) for step in record(config, in_shape, num_classes, training=training).steps))


def _node(step: Step) -> Node:
    layer = layer_of(step).to_dict() if step.layer is not None else None
    return Node(
        name=step.name, kind=step.kind, type=step.type, inputs=step.inputs, out_shape=step.out_shape, layer=layer
    )
