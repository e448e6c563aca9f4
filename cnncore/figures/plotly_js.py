"""Where the installed plotly keeps plotly.js, for the app's live charts and for reports."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from cnncore.errors import LabError


def plotly_js_file() -> Path:
    """The file `plotly.min.js`; the package is located, not imported, which would take half a second.

    Raises:
        LabError: if plotly is not installed.
    """
    spec = importlib.util.find_spec("plotly")
    if spec is None or spec.origin is None:
        raise LabError("plotly is not installed.", "Run `pip install -r requirements.txt`.")
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"
