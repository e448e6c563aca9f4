"""Of the lesson on receptive fields: three windows of 3 × 3 against one of 7 × 7, and the fields of real networks."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnncore.arithmetic import conv_macs
from cnncore.catalog import MODELS
from cnncore.catalog.zoo import zoo
from cnncore.lessons.fields import stack_params
from cnncore.lessons.reach import STACKS, counts, deeper, reach

MOST_CHANNELS = 512
MOST_DEPTH = 40
MAP_SIDE = 56
"""Of the maps whose multiplications are counted: those of VGG's third block."""
_NETWORKS = ("lenet5", "resnet20", "alexnet", "vgg11", "vgg16", "googlenet", "resnet50")
_PLACE = 20
"""Of the unit that is looked at: far from the edges."""


def compared() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Both stacks side by side: data and arrays of the figure."""
    stacks: list[dict[str, Any]] = []
    arrays: dict[str, np.ndarray] = {}
    channels = range(1, MOST_CHANNELS + 1)
    for name in ("three", "one"):
        windows = STACKS[name].windows
        found = reach(windows, STACKS[name].side)
        first, end = found.spans[-1, _PLACE, 0]
        kernel, layers = windows[0].kernel, len(windows)
        arrays[name] = counts(found, layers - 1, _PLACE, _PLACE)[first:end, first:end].astype(np.float32)
        arrays[f"{name}_params"] = np.array([stack_params(kernel, layers, each) for each in channels], np.int32)
        arrays[f"{name}_macs"] = np.array(
            [layers * conv_macs(each, each, kernel, MAP_SIDE, MAP_SIDE) for each in channels], np.float64
        )
        stacks.append(
            {
                "name": name,
                "title": STACKS[name].title,
                "field": found.fields[-1],
                "layers": layers,
                "per_pair": stack_params(kernel, layers, 1),
                "middle": found.middles[-1],
                "share": float(found.shares[-1, _PLACE, 0] ** 2),
                "area": float(found.shares[-1, _PLACE, 1] ** 2),
            }
        )
    return {"stacks": stacks, "most": MOST_CHANNELS, "side": MAP_SIDE}, arrays


def depths() -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Stacks of 1 to `MOST_DEPTH` layers of 3 × 3: data and arrays of the figure, pixels counted from the middle."""
    found = deeper(3, MOST_DEPTH)
    lines = np.full((MOST_DEPTH, 2 * MOST_DEPTH + 1), np.nan, np.float32)
    for row, deep in zip(lines, found, strict=True):
        row[MOST_DEPTH - deep.field // 2 : MOST_DEPTH + deep.field // 2 + 1] = deep.line
    data = {"fields": [deep.field for deep in found], "effective": [deep.effective for deep in found]}
    return data, {"lines": lines}


def networks() -> dict[str, Any]:
    """Real networks in their published form: what a unit of the last maps sees against the image's side, in pixels."""
    rows: list[dict[str, Any]] = []
    for key in _NETWORKS:
        summary = zoo()[key]
        if summary.receptive_field is not None:
            side = summary.in_shape[1]
            field = summary.receptive_field
            rows.append({"title": MODELS[key].title, "field": field, "side": side, "share": field / side})
    return {"networks": rows}
