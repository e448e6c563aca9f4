"""Loss against learning rate: what a search for a rate has seen so far, and what it suggests."""

from __future__ import annotations

from typing import Any

import numpy as np

from cnncore.figures import theme
from cnncore.figures.chart import INK, Chart, Numbers, Trace, line
from cnncore.figures.live import smooth
from cnncore.runs.history import History

_SMOOTHING = 0.9
"""As the search itself smooths the loss, so that the curve shows what the suggestion was read from."""
_HEADROOM = 1.3
"""Height of the axis in units of the highest loss before the lowest one; what climbs beyond leaves the chart."""


def rate_search(history: History, suggested: float | None) -> Chart:
    """The loss of every step against its learning rate, log x.

    Args:
        history: Log of the search.
        suggested: The rate at which the loss falls fastest; None while it is not known, or where there is none.
    """
    steps = history["step"]
    rates = steps["lr"]
    losses = np.where(np.isfinite(steps["loss"]), steps["loss"], np.nan)
    smoothed = smooth(losses, _SMOOTHING)
    hover = "rate %{x:.2g}: %{y:.4f}<extra></extra>"
    traces: list[Trace] = [
        line("each step", rates, losses, color=theme.TRAIN, width=1, opacity=0.35, hoverinfo="skip", showlegend=False),
        line("smoothed", rates, smoothed, color=theme.TRAIN, width=2.5, hovertemplate=hover),
    ]
    known = np.isfinite(smoothed)
    layout = _layout(history.run_id, smoothed[known])
    if suggested is not None and known.any():
        height = float(np.interp(np.log(suggested), np.log(rates[known]), smoothed[known]))
        traces.append(_mark(suggested, height))
        layout["shapes"] = [_upright(suggested)]
    return Chart(
        label="Loss of a training step against its learning rate, with the suggested rate marked",
        traces=traces if len(steps) else [],
        layout=layout,
        height=380,
        empty="The loss of every step appears here as soon as the search starts.",
    )


def _mark(rate: float, loss: float) -> Trace:
    return {
        "type": "scatter",
        "mode": "markers+text",
        "name": "suggested",
        "x": [rate],
        "y": [loss],
        "text": [f"  {rate:g}"],
        "textposition": "middle right",
        "textfont": {"color": INK, "size": 14},
        "marker": {"symbol": "diamond", "size": 13, "color": theme.VALIDATION, "line": {"color": INK, "width": 1}},
        "hoverinfo": "skip",
    }


def _upright(rate: float) -> dict[str, Any]:
    dotted = {"color": theme.VALIDATION, "width": 1.5, "dash": "dot"}
    return {"type": "line", "x0": rate, "x1": rate, "y0": 0, "y1": 1, "yref": "paper", "line": dotted, "layer": "below"}


def _layout(run_id: str, losses: Numbers) -> dict[str, Any]:
    """The axes for smoothed losses `(N,)`, all of them numbers."""
    fall = losses[: int(np.argmin(losses)) + 1] if len(losses) else losses
    limit = {"autorangeoptions": {"clipmax": _HEADROOM * float(fall.max())}} if len(fall) else {}
    return {
        "uirevision": run_id,
        "title": {"text": "Loss", "x": 0, "xref": "paper", "font": {"size": 15, "color": INK}},
        "hovermode": "closest",
        "xaxis": {
            "type": "log",
            "title": {"text": "learning rate", "standoff": 6},
            "exponentformat": "power",
            "dtick": 1,
        },
        "yaxis": {"nticks": 6, "rangemode": "tozero", **limit},
    }
