"""plotly.js lies where the browser can fetch it, whole, under a name with its version."""

from __future__ import annotations

from pathlib import Path

import plotly
import pytest
from streamlit.testing.v1 import AppTest

from cnncore.errors import LabError
from pages.components.plotly_js import plotly_js


def test_copies_the_file_once(tmp_path: Path):
    static = tmp_path / "static"
    name = f"plotly-{plotly.__version__}.min.js"
    assert plotly_js(static) == f"app/static/{name}"
    assert [path.name for path in static.iterdir()] == [name]
    assert (static / name).stat().st_size > 1_000_000
    (static / name).write_text("left alone")
    plotly_js(static)
    assert (static / name).read_text() == "left alone"


def test_a_folder_that_cannot_be_written_to_is_told(tmp_path: Path):
    (tmp_path / "static").write_text("not a folder")
    with pytest.raises(LabError, match="cannot be written to"):
        plotly_js(tmp_path / "static")


def test_the_page_says_so_and_goes_on(app: AppTest, monkeypatch: pytest.MonkeyPatch):
    def refuse() -> str:
        raise LabError("The charts cannot be shown.")

    monkeypatch.setattr("pages.components.plotly_js.plotly_js", refuse)
    app.run()
    assert [element.value for element in app.error] == ["The charts cannot be shown."]
    assert app.title[0].value == "CNN Lab"
