"""The page of a search for a learning rate: while it is on, with a suggestion, without one, ended early."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from cnncore.config import preset
from cnncore.runs.store import Run, RunStore
from tests import fake_runs
from tests.pages.conftest import address, assert_clean, link

CONFIG = preset("cnn3_fast")


@pytest.fixture
def search(store: RunStore) -> Run:
    """A search that has come half way."""
    run = store.create(CONFIG.model_dump(mode="json"), name="Learning rate for a network", kind="find_lr")
    store.claim(run.id, "somewhere")
    store.begin_attempt(run.id, 0)
    store.set_running(run.id)
    summary = {"stage": "training", "step": 60, "total_steps": 120, "epoch": 1, "epochs": 1, "rate": 900.0}
    store.log(run.id, list(fake_runs.search_rows(60)), summary)
    return store.get(run.id)


def _end(store: RunStore, run: Run, status: str, **result: float | None) -> None:
    store.log(run.id, list(fake_runs.search_rows(120)), {**run.summary, "step": 120, **result})
    store.end(run.id, status)


def _buttons(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key and button.key.startswith("run_rate")}


def _said(app: AppTest) -> str:
    elements = [element.value for elements in (app.markdown, app.caption, app.info) for element in elements]
    return "\n".join(elements + [element.proto.body for element in app.get("html")])


def test_while_it_is_on_the_chart_moves_and_nothing_is_suggested(app: AppTest, search: Run):
    link(app, run=search.id)
    assert_clean(app)
    assert app.get("progress")[0].proto.text.startswith("step 60 of 120")
    assert "where the loss falls fastest" in _said(app)
    assert not _buttons(app)
    assert not app.segmented_control, "none of a training's curves and results"


def test_a_suggestion_leads_to_the_form(app: AppTest, store: RunStore, search: Run):
    _end(store, search, "finished", suggested_lr=0.0034)
    link(app, run=search.id)
    assert_clean(app)
    assert "The loss falls fastest at 0.0034; take it or somewhat less." in _said(app)
    assert app.button(key="run_rate_train").label == "Train with 0.0034"
    app.button(key="run_rate_train").click().run()
    assert_clean(app)
    assert address(app) == {"preset": "cnn3_fast", "optimizer.lr": "0.0034"}
    assert app.number_input(key="train_optimizer_lr").value == 0.0034
    assert len(store.list()) == 1, "nothing starts by itself"


def test_back_to_the_form_keeps_the_rate_it_had(app: AppTest, store: RunStore, search: Run):
    _end(store, search, "finished", suggested_lr=0.0034)
    link(app, run=search.id).button(key="run_rate_back").click().run()
    assert_clean(app)
    assert address(app) == {"preset": "cnn3_fast"}


@pytest.mark.parametrize("suggested", [None, float("nan")])
def test_without_a_suggestion_it_says_what_to_try(app: AppTest, store: RunStore, search: Run, suggested: float | None):
    _end(store, search, "finished", suggested_lr=suggested)
    link(app, run=search.id)
    assert_clean(app)
    assert "none can be suggested; try" in app.info[0].value
    assert _buttons(app) == {"run_rate_back"}


def test_a_stopped_search_can_be_started_again(app: AppTest, store: RunStore, search: Run):
    _end(store, search, "stopped")
    link(app, run=search.id)
    assert_clean(app)
    assert "ended before it could suggest" in app.info[0].value
    app.button(key="run_rate_again").click().run()
    again = next(run for run in store.list() if run.id != search.id)
    assert (again.kind, again.config) == ("find_lr", search.config)
    assert address(app) == {"run": again.id}


def test_searches_are_not_among_the_recent_runs(app: AppTest, search: Run):
    app.switch_page("pages/home.py").run()
    assert_clean(app)
    assert not [element for element in app.get("page_link") if search.id in element.proto.query_string]
