"""Questions about what is inside a network: its layers' maps, the sums they come from, and its weights."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import numpy.typing as npt
from pydantic import Field

from cnncore.analysis.feature_maps import MOST_MAPS, Order, feature_maps
from cnncore.analysis.layers import layout_of
from cnncore.analysis.unit_sum import UnitSum, unit_sum
from cnncore.analysis.weights_view import Start, first_filters, no_start, start_of, weight_histograms
from cnncore.answers import Answer
from cnncore.config.requests import parse_request
from cnncore.places import artifacts_dir, data_dir, database_url
from cnncore.questions.looking import PictureRequest, SubjectRequest, in_pieces
from cnncore.runs.store import RunStore
from cnncore.runs.subjects import parse_subject
from cnncore.training.trained import TrainedNetwork

LONGEST_NAME = 200
HALF_HOLDS = (0.01, 60_000.0)
"""Magnitudes that the largest value of maps may have for float16 to tell them apart: it ends at 65,504, and below
6e-5 it gets coarser."""


def layers(asked: dict[str, Any]) -> Answer:
    """The layers of a network that leave maps.

    Returns:
        `layers` (see `cnncore.analysis.layers.MapLayer`), input side first; `last`, the one that Grad-CAM takes, empty
        if there is none; and `size`, height and width in pixels of what the network gets.
    """
    request = parse_request(SubjectRequest, asked)
    network = request.trained()
    layout = layout_of(network)
    facts = {"layers": [layer.to_dict() for layer in layout.layers.values()], "last": layout.last}
    return Answer({**facts, "size": network.preprocessing.size}, lasting=request.lasts)


class MapsRequest(PictureRequest):
    """Which maps of a network for a picture, see `cnncore.analysis.feature_maps`."""

    layer: str = Field(max_length=LONGEST_NAME)
    first: int = Field(default=0, ge=0)
    count: int = Field(default=MOST_MAPS, ge=1, le=MOST_MAPS)
    order: Order = "channel"


def maps(asked: dict[str, Any]) -> Answer:
    """Feature maps of a layer.

    Returns:
        `layer` (its facts), `num_maps`, `low` and `high` (of all of the layer's values) and `units`, the channels in
        order. The arrays `maps` (n, H, W), float16 (float32 where that could not hold them), and of each of them
        `lows`, `highs`, `means` and `strengths` (the mean of its magnitudes); `rows` (H, 2) and `columns` (W, 2) have
        what a position sees of the image: the first pixel, and the one behind the last.
    """
    request = parse_request(MapsRequest, asked)
    network = request.trained()
    tensor = request.shown(network).tensor
    found = feature_maps(network, tensor, request.layer, first=request.first, count=request.count, order=request.order)
    facts = {
        "layer": found.layer.to_dict(),
        "num_maps": found.layer.shape[0],
        "low": found.low,
        "high": found.high,
        "units": found.units,
    }
    each = {"lows": found.lows, "highs": found.highs, "means": found.means, "strengths": found.strengths}
    rows, columns = found.layer.spans(network.preprocessing.size)
    arrays = {"maps": halved(found.maps), **each, "rows": rows, "columns": columns}
    return Answer(facts, arrays, lasting=request.lasts)


def halved(values: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
    """The same in float16, where that tells them apart."""
    least, most = HALF_HOLDS
    return values.astype(np.float16) if least <= np.abs(values).max() <= most else values


class UnitRequest(PictureRequest):
    """A value of a feature map for a picture: layer, channel and position."""

    layer: str = Field(max_length=LONGEST_NAME)
    unit: int = Field(ge=0)
    row: int = Field(ge=0)
    column: int = Field(ge=0)


def unit(asked: dict[str, Any]) -> Answer:
    """How a value of a feature map came about, see `cnncore.analysis.unit_sum.UnitSum`.

    Returns:
        `layer` (its facts), `unit`, `row`, `column`, `value`, `box` (top, left, bottom, right in pixels), `steps` (its
        stages), `addends` and `note`. `source` tells of the convolution: `layer`, `unit`, `row`, `column`, `reads`,
        `channels`, `top`, `left`, `dilation`, `terms` (the sum of each of `channels`), `bias` and their `sum`; None
        where there is no single one. The arrays `kernel`, `patch` and `products`, (n, kh, kw), and `inside` (kh, kw)
        are of that convolution.
    """
    request = parse_request(UnitRequest, asked)
    network = request.trained()
    tensor = request.shown(network).tensor
    found = unit_sum(network, tensor, request.layer, request.unit, request.row, request.column)
    facts = {
        "layer": found.layer.to_dict(),
        "unit": found.unit,
        "row": found.row,
        "column": found.column,
        "value": found.value,
        "box": found.box,
        "source": _source(found),
        "steps": [dataclasses.asdict(stage) for stage in found.stages],
        "addends": [{"name": name, "value": value} for name, value in found.addends],
        "note": found.note,
    }
    return Answer(facts, _source_arrays(found), lasting=request.lasts)


def _source(found: UnitSum) -> dict[str, Any] | None:
    if found.sum is None:
        return None
    names = ("layer", "unit", "row", "column", "reads", "channels", "top", "left", "dilation", "bias")
    facts = {name: getattr(found.sum, name) for name in names}
    return {**facts, "terms": found.sum.terms.tolist(), "sum": found.sum.value}


def _source_arrays(found: UnitSum) -> dict[str, npt.NDArray[Any]]:
    names = ("kernel", "patch", "products", "inside")
    return {name: getattr(found.sum, name) for name in names} if found.sum else {}


class FiltersRequest(SubjectRequest):
    """The convolution whose filters are shown; the first one that sees the pixels if not given."""

    layer: str = Field(default="", max_length=LONGEST_NAME)


def filters(asked: dict[str, Any]) -> Answer:
    """The filters of a convolution that sees the pixels themselves.

    Returns:
        `layer`, its name, `num`, how many filters it has, and `choices`, all such convolutions; the array `filters`,
        float32 (n, kh, kw, C).
    """
    request = parse_request(FiltersRequest, asked)
    found = first_filters(request.trained(), request.layer)
    facts = {"layer": found.layer, "num": len(found.filters), "choices": found.choices}
    return Answer(facts, {"filters": found.filters}, lasting=request.lasts)


def histograms(asked: dict[str, Any]) -> Answer:
    """The weights of a network now and before its first step, in pieces.

    Returns:
        `tensors`, see `cnncore.analysis.weights_view.TensorHistogram`, and `note`, why nothing is known of before, or
        empty.
    """
    request = parse_request(SubjectRequest, asked)
    network = request.trained()
    return in_pieces(
        "weight_histograms",
        request,
        lambda: weight_histograms(network, lambda: _start(network, request.network)),
        lambda found: Answer({"tensors": [dataclasses.asdict(tensor) for tensor in found.tensors], "note": found.note}),
    )


def _start(network: TrainedNetwork, subject: str) -> Start:
    found = parse_subject(subject)
    if found.kind != "run":
        return no_start(found.kind)
    store = RunStore(database_url())
    try:
        return start_of(network, store.get(found.key), store, artifacts_dir(), data_dir())
    finally:
        store.engine.dispose()
