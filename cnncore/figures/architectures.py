"""The networks as tables: one row a network, one row a published result, one row a layer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from cnncore.catalog import DATASETS, FAMILIES, MODELS, Published
from cnncore.catalog.zoo import Summary, zoo
from cnncore.figures.intervals import wilson
from cnncore.runs.best import Best

GIGA, MEGA = 1e9, 1e6

Protocol = tuple[str, str]
"""Data set and way of measuring, as in `Published`; only results of the same one stand in a column."""


def protocols() -> dict[str, Protocol]:
    """The protocols that networks have results by, the most used first, by their name in a link."""
    counts: dict[Protocol, int] = {}
    for spec in MODELS.values():
        for protocol in dict.fromkeys((result.dataset, result.protocol) for result in spec.results):
            counts[protocol] = counts.get(protocol, 0) + 1
    return {_slug(protocol): protocol for protocol in sorted(counts, key=lambda each: -counts[each])}


def _slug(protocol: Protocol) -> str:
    text = "".join(letter if letter.isalnum() else " " for letter in " ".join(protocol).lower())
    return "-".join(text.split())


def matching(families: Sequence[str], text: str) -> list[str]:
    """Keys of the networks of these families (all if none is named) that have all words of `text` somewhere."""
    words = text.lower().split()
    return [
        key
        for key, spec in MODELS.items()
        if (not families or spec.family in families)
        and all(
            word in f"{key} {spec.title} {FAMILIES[spec.family]} {spec.year} {spec.source}".lower() for word in words
        )
    ]


def result_by(key: str, protocol: Protocol) -> Published | None:
    """The first result of a network by this protocol."""
    return next((each for each in MODELS[key].results if (each.dataset, each.protocol) == protocol), None)


def architecture_table(
    keys: Iterable[str], protocol: Protocol, dataset: str, best: Mapping[tuple[str, str], Best]
) -> pd.DataFrame:
    """One row a network, missing numbers as NA.

    Args:
        keys: Networks, of MODELS.
        protocol: Of the published results.
        dataset: Data set of the own results, a key of DATASETS.
        best: The best own runs.

    Returns:
        Columns `key`, `network`, `family`, `year`, `depth`, `params`, `gmacs`, `memory_mb` (of one image while
        training, fp32), `receptive_field`, `image` (pixels along a side), `top1`, `top5` (percent), `own` (percent),
        `run` (id), `params_and_statistics` (NA where there are no statistics), `source`.
    """
    rows = [_row(key, zoo().get(key), protocol, best.get((key, dataset))) for key in keys]
    return pd.DataFrame(rows, columns=list(_TYPES)).astype(_TYPES)


_TYPES = {
    "key": "str", "network": "str", "family": "str", "year": "Int64", "depth": "Int64", "params": "Int64",
    "gmacs": "Float64", "memory_mb": "Float64", "receptive_field": "Int64", "image": "Int64", "top1": "Float64",
    "top5": "Float64", "own": "Float64", "run": "str", "params_and_statistics": "Int64", "source": "str",
}  # fmt: skip


def _row(key: str, summary: Summary | None, protocol: Protocol, own: Best | None) -> dict[str, Any]:
    spec, published = MODELS[key], result_by(key, protocol)
    row: dict[str, Any] = {
        "key": key,
        "network": spec.title,
        "family": FAMILIES[spec.family],
        "year": spec.year,
        "depth": spec.depth,
        "params": spec.num_params,
        "image": spec.native_size,
        "source": spec.source,
        "run": "",
    }
    if summary:
        row |= {
            "gmacs": summary.macs / GIGA,
            "memory_mb": summary.activation_bytes() / MEGA,
            "receptive_field": summary.receptive_field,
        }
        if summary.norm_statistics:
            row["params_and_statistics"] = summary.num_params + summary.norm_statistics
    if published:
        row |= {"top1": published.top1, "top5": published.top5}
    if own:
        row |= {"own": 100 * own.accuracy, "run": own.run_id}
    return row


def results_table(key: str) -> pd.DataFrame:
    """A network's published results: columns `dataset`, `protocol`, `top1`, `top5` (percent), `source`."""
    rows = [
        {
            "dataset": each.dataset,
            "protocol": each.protocol,
            "top1": each.top1,
            "top5": each.top5,
            "source": each.source,
        }
        for each in MODELS[key].results
    ]
    types = {"dataset": "str", "protocol": "str", "top1": "Float64", "top5": "Float64", "source": "str"}
    return pd.DataFrame(rows, columns=list(types)).astype(types)


def own_results_table(key: str, best: Mapping[tuple[str, str], Best]) -> pd.DataFrame:
    """The best own run of a network on each data set.

    Returns:
        Columns `dataset`, `accuracy`, `low`, `high` (percent; Wilson's 95 % interval), `images` and `run` (id).
    """
    rows: list[dict[str, Any]] = []
    for dataset, spec in DATASETS.items():
        if own := best.get((key, dataset)):
            low, high = wilson(own.correct, own.count)
            rows.append(
                {
                    "dataset": spec.title,
                    "accuracy": 100 * own.accuracy,
                    "low": 100 * low,
                    "high": 100 * high,
                    "images": own.count,
                    "run": own.run_id,
                }
            )
    return pd.DataFrame(rows, columns=["dataset", "accuracy", "low", "high", "images", "run"])


def layer_table(layers: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """A network's layers in the order in which they run, as `cnncore.models.profile` tells them.

    Returns:
        Columns `layer`, `kind`, `kernel`, `stride`, `padding`, `groups`, `input`, `output` (as 3×224×224), `weights`,
        `biases`, `norm_statistics`, `params`, `macs`, `flops`, `memory_kb` (of one image while training, fp32),
        `receptive_field`, `jump` (effective stride) and `start` (middle of what the first output sees), in pixels.
    """
    rows = [
        {
            "layer": layer["name"],
            "kind": layer["kind"],
            **{name: _sizes(layer[name]) for name in ("kernel", "stride", "padding")},
            "groups": layer["groups"],
            "input": _sizes(layer["in_shape"]),
            "output": _sizes(layer["out_shape"]),
            **{name: layer[name] for name in ("weights", "biases", "norm_statistics")},
            "params": layer["num_params"],
            "macs": layer["macs"],
            "flops": layer["flops"],
            "memory_kb": (4 * layer["activations"] + 8 * layer["indices"]) / 1e3,
            **{name: layer[name] for name in ("receptive_field", "jump", "start")},
        }
        for layer in layers
    ]
    columns = ["layer", "kind", "kernel", "stride", "padding", "groups", "input", "output", "weights", "biases",
               "norm_statistics", "params", "macs", "flops", "memory_kb", "receptive_field", "jump",
               "start"]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    return table.astype({"receptive_field": "Int64", "jump": "Int64", "start": "Float64"})


def _sizes(sizes: Sequence[int] | None) -> str:
    return "×".join(map(str, sizes)) if sizes else ""
