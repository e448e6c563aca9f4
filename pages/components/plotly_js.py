"""plotly.js for the live charts: copied from the installed plotly into static/, where the browser can fetch it."""

from __future__ import annotations

import importlib.metadata
import shutil
import uuid
from pathlib import Path

from cnncore.errors import LabError
from cnncore.figures.plotly_js import plotly_js_file
from cnncore.places import PROJECT_ROOT

STATIC = PROJECT_ROOT / "static"


def plotly_js(static: Path = STATIC) -> str:
    """Address of plotly.js relative to the app; the file is put there first where it is missing.

    Raises:
        LabError: if the folder cannot be written to.
    """
    name = f"plotly-{importlib.metadata.version('plotly')}.min.js"
    target = static / name
    if not target.is_file():
        temporary = static / f".{name}.{uuid.uuid4().hex[:8]}.tmp"
        try:
            static.mkdir(exist_ok=True)
            try:
                shutil.copyfile(plotly_js_file(), temporary)
                temporary.replace(target)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise LabError(
                f"The charts cannot be shown: {static.name}/ in the app's folder cannot be written to "
                f"({error.strerror}).",
                "Make the folder writable once, or copy plotly.min.js there.",
            ) from None
    return f"app/static/{name}"
