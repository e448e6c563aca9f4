"""The pretrained weights side by side: a table, and accuracy against work."""

from __future__ import annotations

from collections.abc import Collection, Sequence

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
    known = [key for key in keys if work_of(BACKBONES[key]) and BACKBONES[key].result.top1 is not None]
    families = {key: MODELS[BACKBONES[key].network].family for key in known}
    traces = [_points([key for key in known if families[key] == family], family, at_hand) for family in FAMILIES]
    if chosen in known:
        traces.append(_name(BACKBONES[chosen]))
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


def _points(keys: Sequence[str], family: str, at_hand: Collection[str]) -> Trace:
    symbol, color = FAMILY_SYMBOLS[family], FAMILY_COLORS[family]
    specs = [BACKBONES[key] for key in keys]
    where = ["at hand" if key in at_hand else f"{BACKBONES[key].file.num_bytes / 1e6:,.0f} MB" for key in keys]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": FAMILIES[family],
        "x": [_billions(spec) for spec in specs],
        "y": [spec.result.top1 for spec in specs],
        "text": [f"{spec.title}, {words}" for spec, words in zip(specs, where, strict=True)],
        "hovertemplate": "%{text}<br>%{y:.1f} %, %{x:.2g} billion MACs<extra></extra>",
        "marker": {
            "size": 12,
            "color": color,
            "symbol": [symbol if key in at_hand else f"{symbol}-open" for key in keys],
            "line": {"width": 2, "color": color},
        },
    }


def _name(spec: BackboneSpec) -> Trace:
    above = (spec.result.top1 or 0) < 75
    return {
        "type": "scatter",
        "mode": "markers+text",
        "x": [_billions(spec)],
        "y": [spec.result.top1],
        "text": [spec.title],
        "textposition": "top center" if above else "bottom center",
        "textfont": {"color": INK, "size": 13},
        "hoverinfo": "skip",
        "cliponaxis": False,
        "marker": {"size": 22, "symbol": "circle-open", "color": INK, "line": {"width": 2, "color": INK}},
    }


def _billions(spec: BackboneSpec) -> float:
    return (work_of(spec) or 0) / 1e9
