"""Where the parameters of networks sit and where their work is done: bars of stages side by side, and a treemap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from cnncore.catalog import MODELS
from cnncore.catalog.zoo import zoo
from cnncore.figures import theme
from cnncore.figures.chart import INK, PAPER, Chart, Trace, escape

Quantity = Literal["params", "macs"]
NAMES: dict[Quantity, str] = {"params": "parameters", "macs": "multiply-accumulates"}

_BAR, _AROUND = 44, 96
_LETTER, _LENGTH = 5.7, 350
"""Pixels of a letter and of the longest bar; a stage has its name on it where that fits."""
_ROOT = "/"
MOST_AREAS = 240
"""Areas of a treemap; of deeper networks only the upper parts of the names are told apart."""
_GROUP = "rgba(128,128,128,0.18)"
_NEARLY_ALL = 0.95
"""Share of a part from which its largest layer stands for it, for example a convolution for itself and its norm."""


def cost_table(keys: Iterable[str]) -> pd.DataFrame:
    """The stages of the networks: columns `key`, `network`, `stage`, `kind`, `params`, `macs`, in their order."""
    rows = [
        {"key": key, "network": MODELS[key].title, "stage": cost.stage, "kind": cost.kind, "params": cost.num_params,
         "macs": cost.macs}
        for key in keys
        if key in zoo()
        for cost in zoo()[key].costs
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["key", "network", "stage", "kind", "params", "macs"])


def cost_bars(table: pd.DataFrame, quantity: Quantity, *, share: bool = True) -> Chart:
    """One bar a network, the stages in their order, colored by the kind of layer.

    Args:
        table: As `cost_table` has it.
        quantity: The column that is shown.
        share: In percent of each network, so that small ones can be read beside large ones.
    """
    parts = _parts(table, quantity, share=share)
    networks = {part.key: part.network for part in parts}
    totals = {key: sum(part.count for part in parts if part.key == key) for key in networks}
    longest = max((part.start + part.length for part in parts), default=1.0)
    axis = {"range": [0, 100.4], "ticksuffix": " %"} if share else {"exponentformat": "SI", "rangemode": "tozero"}
    return Chart(
        label=f"Where the {NAMES[quantity]} of the chosen networks sit, stage by stage",
        traces=[_kind_bars(kind, own, list(networks), quantity, longest) for kind, own in _by_kind(parts)],
        layout={
            "barmode": "overlay",
            "hovermode": "closest",
            "margin": {"l": 20, "r": 12, "t": 8, "b": 40},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.02, "yanchor": "top"},
            "xaxis": {"side": "top", "showgrid": False, **axis},
            "yaxis": {
                "tickvals": list(range(len(networks))),
                "ticktext": [f"{escape(title)}<br>{compact(totals[key])}" for key, title in networks.items()],
                "range": [len(networks) - 0.5, -0.5],
                "showgrid": False,
            },
            "bargap": 0.3,
        },
        height=_AROUND + _BAR * max(2, len(networks)),
        empty=f"Choose networks to see where their {NAMES[quantity]} sit.",
    )


@dataclass(frozen=True, kw_only=True)
class _Part:
    """One piece of a bar; `start` and `length` along the axis."""

    key: str
    network: str
    stage: str
    kind: str
    count: int
    share: float
    start: float
    length: float


def _parts(table: pd.DataFrame, quantity: Quantity, *, share: bool) -> list[_Part]:
    rows = list(zip(table["key"], table["network"], table["stage"], table["kind"], table[quantity], strict=True))
    totals: dict[str, int] = {}
    for key, _, _, _, value in rows:
        totals[key] = totals.get(key, 0) + int(value)
    parts: list[_Part] = []
    ends: dict[str, float] = {}
    for key, network, stage, kind, value in rows:
        count = int(value)
        if not count:
            continue
        part = count / totals[key]
        length, start = (100 * part if share else float(count)), ends.get(key, 0.0)
        parts.append(
            _Part(key=key, network=network, stage=stage, kind=kind, count=count, share=part, start=start, length=length)
        )
        ends[key] = start + length
    return parts


def _by_kind(parts: Sequence[_Part]) -> list[tuple[str, list[_Part]]]:
    named = {part.kind if part.kind in theme.KIND_COLORS else "other" for part in parts}
    return [
        (kind, [part for part in parts if (part.kind if part.kind in theme.KIND_COLORS else "other") == kind])
        for kind in (*theme.KIND_COLORS, "other")
        if kind in named
    ]


def _kind_bars(kind: str, parts: Sequence[_Part], keys: list[str], quantity: Quantity, longest: float) -> Trace:
    return {
        "type": "bar",
        "orientation": "h",
        "name": kind,
        "base": [part.start for part in parts],
        "x": [part.length for part in parts],
        "y": [keys.index(part.key) for part in parts],
        "marker": {"color": theme.KIND_COLORS.get(kind, theme.NEUTRAL), "line": {"color": PAPER, "width": 1}},
        "text": [
            escape(part.stage) if _LENGTH * part.length / longest > _LETTER * len(part.stage) + 6 else ""
            for part in parts
        ],
        "textposition": "inside",
        "insidetextanchor": "middle",
        "textangle": 0,
        "constraintext": "none",
        "textfont": {"color": "#FFFFFF", "size": 11},
        "customdata": [
            f"<b>{escape(part.network)}</b>, {escape(part.stage)}<br>{escape(part.kind)}: {part.count:,} "
            f"{NAMES[quantity]}, {part.share:.1%}"
            for part in parts
        ],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def treemap(title: str, rows: Iterable[Mapping[str, Any]], quantity: Quantity) -> Chart:
    """The layers of one network as areas, grouped by the parts of their dotted names.

    Args:
        title: Name of the network.
        rows: Layers with `name` (dotted), `kind`, `num_params` and `macs`.
        quantity: What the areas mean.
    """
    column = "num_params" if quantity == "params" else "macs"
    layers = [(str(row["name"]), str(row["kind"]), int(row[column])) for row in rows if row[column]]
    areas = _areas(layers)
    return Chart(
        label=f"Areas in proportion to the {NAMES[quantity]} of the layers of {title}",
        traces=[_tree(title, areas, quantity)] if areas else [],
        layout={"margin": {"l": 0, "r": 0, "t": 4, "b": 4}},
        height=460,
        empty="The layers appear here in a moment.",
    )


@dataclass(frozen=True, kw_only=True)
class _Area:
    """A part of a network; `kind` is the one that holds most of it, empty where it is divided further."""

    name: str
    parent: str
    count: int
    kind: str


def _areas(layers: Sequence[tuple[str, str, int]]) -> list[_Area]:
    """The parts of the names, as deep as there are not too many."""
    deepest = max((name.count(".") + 1 for name, _, _ in layers), default=1)
    fitting = [depth for depth in range(2, deepest + 1) if len(_sums(layers, depth)) <= MOST_AREAS]
    sums = _sums(layers, max(fitting, default=1))
    children: dict[str, list[str]] = {}
    for name in sums:
        children.setdefault(name.rpartition(".")[0], []).append(name)
    areas: list[_Area] = []
    waiting = [(name, "") for name in children.get("", ())]
    for name, parent in waiting:
        parts = _division(name, sums, children)
        kind = "" if parts else max(sums[name], key=lambda each: sums[name][each])
        areas.append(_Area(name=name, parent=parent, count=sum(sums[name].values()), kind=kind))
        waiting += [(part, name) for part in parts]
    return areas


def _sums(layers: Sequence[tuple[str, str, int]], depth: int) -> dict[str, dict[str, int]]:
    """Counts by kind of every part of the names down to `depth` parts."""
    sums: dict[str, dict[str, int]] = {}
    for name, kind, count in layers:
        parts = name.split(".")[:depth]
        for length in range(1, len(parts) + 1):
            kinds = sums.setdefault(".".join(parts[:length]), {})
            kinds[kind] = kinds.get(kind, 0) + count
    return sums


def _division(name: str, sums: Mapping[str, Mapping[str, int]], children: Mapping[str, list[str]]) -> list[str]:
    """What a part is divided into; nothing where it is a layer, or nearly."""
    parts = children.get(name, [])
    while len(parts) == 1:
        parts = children.get(parts[0], [])
    counts = {part: sum(sums[part].values()) for part in parts}
    largest = max(parts, key=counts.__getitem__, default="")
    alone = largest and largest not in children and counts[largest] >= _NEARLY_ALL * sum(counts.values())
    return [] if alone else parts


def _tree(title: str, areas: Sequence[_Area], quantity: Quantity) -> Trace:
    total = sum(area.count for area in areas if not area.parent)
    return {
        "type": "treemap",
        "branchvalues": "total",
        "ids": [_ROOT, *(area.name for area in areas)],
        "labels": [escape(title), *(escape(area.name.rpartition(".")[2]) for area in areas)],
        "parents": ["", *(area.parent or _ROOT for area in areas)],
        "values": [total, *(area.count for area in areas)],
        "text": [compact(total), *(f"{compact(area.count)}, {area.count / total:.1%}" for area in areas)],
        "textinfo": "label+text",
        "customdata": [
            f"{total:,} {NAMES[quantity]}",
            *(f"{area.count:,} {NAMES[quantity]}, {area.count / total:.2%}<br>{area.kind}" for area in areas),
        ],
        "hovertemplate": "<b>%{id}</b><br>%{customdata}<extra></extra>",
        "textfont": {"color": [INK, *("#FFFFFF" if area.kind else INK for area in areas)]},
        "marker": {
            "colors": [_GROUP, *(_color(area.kind) for area in areas)],
            "line": {"color": PAPER, "width": 1.5},
        },
        "pathbar": {"visible": True},
        "tiling": {"pad": 2},
    }


def _color(kind: str) -> str:
    return theme.KIND_COLORS.get(kind, theme.NEUTRAL) if kind else _GROUP


def compact(number: float) -> str:
    """A count in three significant digits: 431 k, 2.29 M, 15.5 G."""
    for size, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= size:
            return f"{number / size:.3g} {unit}"
    return f"{number:.0f}"
