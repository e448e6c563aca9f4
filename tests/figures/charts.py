"""Reading charts back, checked by plotly itself."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import plotly.graph_objects as go

from cnncore.figures.chart import Chart


def sent(chart: Chart) -> dict[str, Any]:
    """What the browser gets, after plotly has accepted every attribute."""
    content = json.loads(chart.to_bytes())
    text = json.dumps({"data": content["traces"], "layout": content["layout"]})
    for token in ("$ink", "$grid", "$paper"):
        text = text.replace(token, "#123456")
    go.Figure(json.loads(text))
    return content


def numbers(array: dict[str, str]) -> np.ndarray:
    """The numbers of an encoded array."""
    values = np.frombuffer(base64.b64decode(array["bdata"]), np.float32)
    return values.reshape([int(size) for size in array["shape"].split(",")]) if "shape" in array else values


def named(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The traces by name."""
    return {trace.get("name", trace["type"]): trace for trace in content["traces"]}
