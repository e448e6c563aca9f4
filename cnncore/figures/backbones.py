"""The pretrained weights side by side: a table, and accuracy against work."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from cnncore.catalog import FAMILIES, MODELS
from cnncore.catalog.backbones import BACKBONES, DEFAULT_BACKBONE, BackboneSpec
from cnncore.catalog.zoo import zoo
from cnncore.figures.chart import INK, Chart, Trace
from cnncore.figures.theme import FAMILY_COLORS, FAMILY_SYMBOLS

_HEIGHT = 330


def work_of(spec: BackboneSpec) -> int | None:
    """Multiply-accumulates of one image, at the size the weights expect; None where nobody has counted them."""
    summary = zoo().get(spec.network)
    return summary.macs if summary and summary.in_shape[1] == spec.image_size else None


def backbone_table(keys: Collection[str], at_hand: Collection[str]) -> pd.DataFrame:
    """One row a backbone, in the order of `keys`.

    Args:
        keys: Keys of `BACKBONES`.
        at_hand: Those that need no download.

    Returns:
        `key`, `title`, `at_hand`, `top1` in percent, `params`, `macs`, `work` (MACs as a multiple of the default
        backbone's), `megabytes` of the file, `size` in pixels, `year`, `license`.
    """
    unit = work_of(BACKBONES[DEFAULT_BACKBONE])
    rows = []
    for key in keys:
        spec = BACKBONES[key]
        macs = work_of(spec)
        rows.append(
            {
                "key": key,
                "title": spec.title,
                "at_hand": key in at_hand,
                "top1": spec.result.top1,
                "params": MODELS[spec.network].num_params,
                "macs": macs,
                "work": macs / unit if macs and unit else None,
                "megabytes": spec.file.num_bytes / 1e6,
                "size": spec.image_size,
                "year": MODELS[spec.network].year,
                "license": spec.license,
            }
        )
    columns = ("key", "title", "at_hand", "top1", "params", "macs", "work", "megabytes", "size", "year", "license")
    return pd.DataFrame(rows, columns=list(columns))


def backbone_chart(keys: Collection[str], chosen: str, at_hand: Collection[str]) -> Chart:
    """Accuracy on ImageNet against work on a log axis, in the families' colors and markers.

    Those at hand are filled, the others hollow; the chosen one is named.
    """
    table = backbone_table(keys, at_hand).dropna(subset=["macs", "top1"])
    traces = [
        _points(table[[MODELS[BACKBONES[key].network].family == family for key in table["key"]]], family)
        for family in FAMILIES
    ]
    marked = table[table["key"] == chosen]
    if len(marked):
        traces.append(_name(marked.iloc[0]))
    return Chart(
        label="Accuracy of the backbones on ImageNet against their work for one image",
        traces=[trace for trace in traces if trace["x"]],
        layout={
            "title": {"text": "Accuracy against work", "x": 0, "xref": "paper", "font": {"size": 15, "color": INK}},
            "xaxis": {"type": "log", "title": {"text": "billion MACs for one image"}, "tickvals": [0.3, 1, 3, 10, 30]},
            "yaxis": {"title": {"text": "ImageNet top-1, %"}},
            "showlegend": False,
            "hovermode": "closest",
        },
        height=_HEIGHT,
        empty="No backbone to compare.",
    )


def _points(table: pd.DataFrame, family: str) -> Trace:
    symbol, color = FAMILY_SYMBOLS[family], FAMILY_COLORS[family]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": FAMILIES[family],
        "x": (table["macs"] / 1e9).tolist(),
        "y": table["top1"].tolist(),
        "text": [
            f"{row.title}, {'at hand' if row.at_hand else f'{row.megabytes:,.0f} MB'}" for row in table.itertuples()
        ],
        "hovertemplate": "%{text}<br>%{y:.1f} %, %{x:.2g} billion MACs<extra></extra>",
        "marker": {
            "size": 12,
            "color": color,
            "symbol": [symbol if at_hand else f"{symbol}-open" for at_hand in table["at_hand"]],
            "line": {"width": 2, "color": color},
        },
    }


def _name(row: pd.Series) -> Trace:
    low = row["top1"] > 75
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [row["macs"] / 1e9],
        "y": [row["top1"]],
        "text": [row["title"]],
        "textposition": "bottom center" if low else "top center",
        "textfont": {"color": INK, "size": 13},
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {"size": 22, "symbol": "circle-open", "color": INK, "line": {"width": 2, "color": INK}},
    }
