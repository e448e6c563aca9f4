"""The cards of recent runs on Home."""

from __future__ import annotations

from pathlib import Path

from streamlit.testing.v1 import AppTest

from cnncore.runs.store import RunStore
from tests import fake_runs
from tests.pages.conftest import assert_clean


def _cards(app: AppTest) -> str:
    return "".join(element.proto.body for element in app.get("html"))


def test_recent_runs_show_what_says_most_about_them(app: AppTest, store: RunStore, artifacts: Path):
    done = fake_runs.finish(store, artifacts, fake_runs.open_run(store, artifacts, steps=400, name="Done"))
    fake_runs.open_run(store, artifacts, steps=400, upto=100, name="On")
    store.create({}, name="Waiting")
    app.switch_page("pages/home.py").run()
    assert_clean(app)
    links = {element.proto.label: element.proto.query_string for element in app.get("page_link")}
    assert links["**Done**"] == f"run={done.id}"
    assert "Test accuracy" in _cards(app)
    assert "Best validation accuracy" in _cards(app)


def test_home_without_runs_offers_the_first(app: AppTest):
    app.switch_page("pages/home.py").run()
    assert_clean(app)
    assert any("appear here" in caption.value for caption in app.caption)
