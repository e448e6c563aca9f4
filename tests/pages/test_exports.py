"""What can be taken away from runs: made after the click only, whole, under safe names; ONNX after its comparison."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from cnncore.reports import MAX_RUNS
from cnncore.runs.artifacts import run_dir
from cnncore.runs.onnx_files import LOG, ONNX, ONNX_CARD, weights_stamp
from cnncore.runs.store import Run, RunStore
from pages.components import onnx_file
from pages.components.exports import EXPORTS
from tests import fake_runs
from tests.pages.conftest import assert_clean, link


@pytest.fixture
def finished(store: RunStore, artifacts: Path) -> Run:
    return fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=80, name="../My <run>"))


def downloads(app: AppTest) -> set[str]:
    return {button.proto.id.rpartition("-")[2] for button in app.get("download_button")}


def test_a_finished_run_offers_everything_and_makes_nothing(
    app: AppTest, finished: Run, monkeypatch: pytest.MonkeyPatch
):
    made: list[str] = []
    for name in ("html_report", "log_csv", "csv_zip"):
        monkeypatch.setattr(f"pages.components.exports.{name}", lambda *_, name=name, **__: made.append(name))
    link(app, run=finished.id)
    assert_clean(app)
    assert {"run_export_report", "run_export_log", "run_export_tensorboard"} <= downloads(app)
    assert "run_export_tables" not in downloads(app)
    assert made == []


@pytest.mark.parametrize("name", EXPORTS)
def test_every_export_is_what_it_says(store: RunStore, artifacts: Path, finished: Run, name: str):
    content = EXPORTS[name].make(store, artifacts, (finished.id,))
    if name == "report":
        assert isinstance(content, str)
        assert content.startswith("<!DOCTYPE html>")
        return
    assert isinstance(content, bytes)
    if name == "log":
        assert content.startswith(b"phase,step,time,")
    else:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
        assert names
        assert not any(name.startswith(("/", ".")) or ".." in name for name in names)


def selection_page() -> None:
    import streamlit as st

    from pages.components.exports import draw_exports

    draw_exports(st.session_state["chosen"], key="many")


def test_a_selection_has_tables_too_and_a_report_of_not_too_many(store: RunStore):
    ids = [store.create({}, name=f"Run {index}").id for index in range(MAX_RUNS + 1)]
    app = AppTest.from_function(selection_page)
    app.session_state["chosen"] = []
    assert not app.run().get("download_button")
    for count in (2, MAX_RUNS + 1):
        app.session_state["chosen"] = ids[:count]
        app.run()
        assert not app.exception
        assert downloads(app) == {f"many_export_{name}" for name in EXPORTS if name != "log"}
        report = next(b for b in app.get("download_button") if b.proto.id.endswith("report"))
        assert report.proto.disabled == (count > MAX_RUNS)


@pytest.fixture
def maker(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Stands in for the process that makes an ONNX file; it works until it is ended."""
    started: list[subprocess.Popen[bytes]] = []

    def start(artifacts: Path, run_id: str) -> subprocess.Popen[bytes]:
        started.append(subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE))
        return started[-1]

    monkeypatch.setattr(onnx_file, "start_onnx", start)
    yield started
    for process in started:
        process.communicate()
    st.cache_resource.clear()


def test_onnx_is_prepared_on_demand_and_offered_with_its_difference(
    app: AppTest, artifacts: Path, finished: Run, maker: list[subprocess.Popen[bytes]]
):
    folder = run_dir(artifacts, finished.id)
    link(app, run=finished.id).button(key="run_onnx_make").click().run()
    assert_clean(app)
    assert app.button(key="run_onnx_wait").disabled
    (folder / ONNX).write_bytes(b"network")
    card = {"max_difference": 2.9e-6, "largest_output": 13.8, "num_real": 16, "num_random": 4, "note": ""}
    (folder / ONNX_CARD).write_text(json.dumps({**card, "bytes": 7, "weights": weights_stamp(folder)}))
    maker[0].communicate()
    app.run()
    assert_clean(app)
    assert "run_onnx_get" in downloads(app)
    assert any("at most 3e\\-06" in caption.value for caption in app.caption)
    assert len(maker) == 1


def test_a_failed_onnx_says_why_and_can_be_tried_again(
    app: AppTest, artifacts: Path, finished: Run, maker: list[subprocess.Popen[bytes]]
):
    link(app, run=finished.id).button(key="run_onnx_make").click().run()
    (run_dir(artifacts, finished.id) / LOG).write_text("a warning\nerror: It gives other outputs than PyTorch.\n")
    maker[0].communicate()
    app.run()
    assert_clean(app)
    assert any("other outputs than PyTorch" in caption.value for caption in app.caption)
    app.button(key="run_onnx_make").click().run()
    assert len(maker) == 2
