"""What every network costs in its published form, so that comparing them needs no torch.

`python -m cnncore.models.zoo` writes the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

ZOO_FILE = Path(__file__).with_name("zoo.json")

AUXILIARY = "auxiliary head"
"""The kind under which all layers of auxiliary heads are summed up."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What the layers of one kind cost in one stage, for one image.

    Attributes:
        stage: Top-level part of the layers' names.
        kind: As in `cnncore.models.profile.LayerProfile`, or AUXILIARY.
        num_params: Trainable numbers.
        macs: Multiply-accumulates of a forward pass.
    """

    stage: str
    kind: str
    num_params: int
    macs: int


@dataclass(frozen=True, kw_only=True)
class Summary:
    """A network in its published form, at its native size; all counts are for one image.

    Attributes:
        in_shape: Channels, height and width of an image.
        num_classes: Number of classes.
        weights: Trainable numbers except biases, auxiliary heads included. The same for all counts unless said.
        biases: Trainable numbers that are added.
        norm_statistics: Running averages of batch normalization, which are not trained; Keras counts them.
        aux_params: Trainable numbers of the auxiliary heads, which are only there while training.
        macs: Multiply-accumulates of inference, without auxiliary heads.
        aux_macs: Those of the auxiliary heads.
        activations: Values kept for the backward pass, estimated.
        indices: Positions of maxima kept for the backward pass, 8 bytes each.
        receptive_field: Pixels along a side that an output of the last convolution sees, larger than the image where
            its padding is seen too; `None` where there is no such layer.
        costs: Where the parameters and the work sit, in the order in which the stages run.
        dataset_macs: `macs` with the images and classes of a data set instead, by the data set's key.
    """

    in_shape: tuple[int, int, int]
    num_classes: int
    weights: int
    biases: int
    norm_statistics: int
    aux_params: int
    macs: int
    aux_macs: int
    activations: int
    indices: int
    receptive_field: int | None
    costs: tuple[Cost, ...]
    dataset_macs: Mapping[str, int]

    @property
    def num_params(self) -> int:
        """Trainable numbers."""
        return self.weights + self.biases

    def activation_bytes(self, bytes_per_value: int = 4) -> int:
        """Memory that one image takes while training: what is kept of it for the backward pass."""
        return self.activations * bytes_per_value + self.indices * 8

    def to_dict(self) -> dict[str, Any]:
        """Plain data that JSON can hold; `costs` as rows of numbers."""
        rows = [[cost.stage, cost.kind, cost.num_params, cost.macs] for cost in self.costs]
        return {**asdict(self), "costs": rows}


def read_summary(facts: Mapping[str, Any]) -> Summary:
    """What `Summary.to_dict` wrote."""
    values = dict(facts)
    channels, height, width = values["in_shape"]
    values["in_shape"] = (channels, height, width)
    values["costs"] = tuple(
        Cost(stage=stage, kind=kind, num_params=num_params, macs=macs)
        for stage, kind, num_params, macs in values["costs"]
    )
    return Summary(**values)


@cache
def zoo() -> Mapping[str, Summary]:
    """The summaries by the networks' keys; a network without one has been added since the file was written."""
    facts: dict[str, dict[str, Any]] = json.loads(ZOO_FILE.read_text(encoding="utf-8"))
    return {key: read_summary(each) for key, each in facts.items()}
